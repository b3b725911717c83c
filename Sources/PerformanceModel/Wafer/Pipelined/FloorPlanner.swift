import Foundation
import Jobs

/// Places the kernels of a network on a wafer so that the slowest is as fast as can be.
///
/// The plan is a slicing floor plan in strips: the grid is cut into vertical strips, each strip into the rectangles of
/// kernels that follow each other in the pipeline. For an interval between samples, a strip's width and the kernels in it
/// give every kernel its least height; the cheapest cuts are found exactly by dynamic programming over the sequence. The
/// least interval that fits is found by halving. A local search then turns strips and swaps rectangles and strips, to
/// shorten the wires. Everything is deterministic.
public struct FloorPlanner {
    private let graph: WaferGraph
    private let core: WaferCore
    private let columns: Int
    private let rows: Int

    /// The interval is found to this share of itself.
    private static let precision = 1e-4

    /// A planner for `workload`'s network on `machine`.
    public init(_ workload: Workload, machine: WaferMachine, sparsity: WeightSparsity? = nil) {
        self.init(WaferGraph(workload, sparsity: sparsity), machine: machine, core: WaferCore(machine))
    }

    /// A planner for `graph` on the grid of `machine` with cores like `core`.
    init(_ graph: WaferGraph, machine: WaferMachine, core: WaferCore) {
        self.graph = graph
        self.core = core
        columns = Int(machine.usableColumns.value)
        rows = Int(machine.usableRows.value)
    }

    /// The plan with the most samples a second for steps of `globalBatch` samples: with as many copies of the network as
    /// pay.
    ///
    /// - Throws: `PerformanceModelError.unsupported` where the network doesn't fit, with what is missing.
    public func plan(globalBatch: Int) throws(PerformanceModelError) -> FloorPlan {
        guard var best = plan(replicas: 1) else { throw tooLarge(replicas: 1) }
        var bestSeconds = PipelineTime(best, samples: globalBatch).seconds
        var replicas = 2
        while replicas <= globalBatch, let next = plan(replicas: replicas) {
            let seconds = PipelineTime(next, samples: globalBatch).seconds
            guard seconds < bestSeconds else { break }
            (best, bestSeconds) = (next, seconds)
            replicas *= 2
        }
        return best
    }

    /// The plan with `replicas` copies for steps of `globalBatch` samples.
    ///
    /// - Throws: `PerformanceModelError.unsupported` where there are more copies than samples, or they don't fit.
    public func plan(replicas: Int, globalBatch: Int) throws(PerformanceModelError) -> FloorPlan {
        guard 1...max(1, globalBatch) ~= replicas else {
            throw .unsupported(
                "found \(replicas) copies of the network; allowed: 1 to \(globalBatch), the global batch")
        }
        guard let plan = plan(replicas: replicas) else { throw tooLarge(replicas: replicas) }
        return plan
    }

    /// The plan with so many copies; nil where they don't fit.
    public func plan(replicas: Int) -> FloorPlan? {
        guard bytes * Double(replicas) <= core.dataBytes * Double(columns * rows) else { return nil }
        var best: (cycles: Double, strips: Strips)?
        for sequence in sequences(replicas: replicas) {
            guard let found = fastest(sequence, below: best?.cycles) else { continue }
            best = found
        }
        guard let best else { return nil }
        return WireSearch(plan(best.strips, cycles: best.cycles, replicas: replicas), strips: best.strips).shortened()
    }

    /// A kernel of one copy, with the samples that wait in it.
    struct Item: Hashable {
        var kernel: Int
        var replica: Int
        var inFlight: Int
    }

    /// Cuts of a sequence: the items of each strip, and its width.
    struct Strips {
        var items: [[Item]]
        var widths: [Int]
    }

    // MARK: - Sequences

    /// The orders that are tried: the pipeline's, with the vocabulary, which both ends need, at some layer's side.
    private func sequences(replicas: Int) -> [[Item]] {
        let places = Set([0, layers / 4, layers / 2, 3 * layers / 4, layers]).sorted()
        return places.map { place in
            (0..<replicas).flatMap { replica in
                let order = graph.kernels.indices.dropFirst()
                let cut = order.firstIndex { (graph.kernels[$0].layer ?? layers) >= place } ?? order.endIndex
                return (Array(order[..<cut]) + [0] + order[cut...]).map {
                    Item(kernel: $0, replica: replica, inFlight: inFlight($0))
                }
            }
        }
    }

    /// Samples that wait in a kernel at once: one for each group of kernels ahead of it (`PipelineReplay`), its own, and
    /// one that comes while the last leaves.
    private func inFlight(_ kernel: Int) -> Int {
        let ahead = layers - (graph.kernels[kernel].layer ?? (kernel == 0 ? 0 : layers))
        return ahead + 2
    }

    // MARK: - The least interval

    /// The least interval of a sequence and its cuts; nil where it is no better than `limit`.
    private func fastest(_ sequence: [Item], below limit: Double?) -> (cycles: Double, strips: Strips)? {
        let heights = HeightTable(sequence, graph: graph, core: core, columns: columns, rows: rows)
        func cut(_ cycles: Double) -> Strips? { StripCut(heights.heights(within: cycles), columns, rows).cut(sequence) }
        let work = sequence.reduce(0.0) { $0 + graph.kernels[$1.kernel].multiplyAdds }
        var low = work / core.multiplyAddsPerCycle / Double(columns * rows)
        var high = limit.map { $0 * (1 - Self.precision) } ?? low * 2
        var best = cut(high)
        if limit != nil, best == nil { return nil }
        while best == nil {
            guard high < low * 1e4 else { return nil }
            (low, high) = (high, high * 2)
            best = cut(high)
        }
        while high - low > high * Self.precision {
            let middle = (low + high) / 2
            if let found = cut(middle) { (high, best) = (middle, found) } else { low = middle }
        }
        return best.map { (high, $0) }
    }

    private func plan(_ strips: Strips, cycles: Double, replicas: Int) -> FloorPlan {
        var rectangles: [FloorPlan.Rectangle] = []
        var x = 0
        for (items, width) in zip(strips.items, strips.widths) {
            var y = 0
            for item in items {
                let layout = layout(item, columns: width, within: cycles)
                rectangles.append(
                    FloorPlan.Rectangle(
                        kernel: item.kernel, replica: item.replica, x: x, y: y, layout: layout, inFlight: item.inFlight)
                )
                y += layout.rows
            }
            x += width
        }
        rectangles.sort { ($0.replica, $0.kernel) < ($1.replica, $1.kernel) }
        return FloorPlan(
            graph: graph, columns: columns, rows: rows, replicas: replicas, rectangles: rectangles, core: core)
    }

    private func layout(_ item: Item, columns: Int, within cycles: Double) -> KernelLayout {
        let kernel = graph.kernels[item.kernel]
        let fast = KernelLayout(lowest: kernel, columns: columns, within: cycles, core: core, mostRows: rows)
        return fast.flatMap {
            KernelLayout(raising: $0, until: item.inFlight, samplesOf: kernel, fitIn: core, mostRows: rows)
        }
            ?? KernelLayout(
                kernel, columns: columns, rows: rows, isTransposed: false, inFlight: item.inFlight, core: core)
    }

    /// Encoder layers.
    private var layers: Int { graph.kernels.last { $0.layer != nil }?.layer.map { $0 + 1 } ?? 0 }

    /// Bytes of a copy: parameters with their optimizer state, and activations that wait.
    private var bytes: Double {
        graph.kernels.indices.reduce(0.0) {
            $0 + graph.kernels[$1].storedBytes
                + Double(graph.kernels[$1].keptElements * inFlight($1)) * WaferCore.bytesPerActivation
        }
    }

    private func tooLarge(replicas: Int) -> PerformanceModelError {
        let room = core.dataBytes * Double(columns * rows)
        let needed = bytes * Double(replicas)
        let what = replicas == 1 ? "the network doesn't fit" : "\(replicas) copies of the network don't fit"
        return .unsupported(
            "\(what) the wafer in layer-pipelined execution: weights, optimizer state and waiting activations take "
                + "\(Gigabytes.text(needed)) GB, and its \(columns) x \(rows) cores have room for "
                + "\(Gigabytes.text(room)) GB: "
                + (needed > room
                    ? "\(Gigabytes.text(needed - room)) GB are missing" : "enough, but not in whole rectangles"))
    }
}

/// Bytes as people read them.
enum Gigabytes {
    /// `bytes` in GB, with one digit after the point.
    static func text(_ bytes: Double) -> String {
        (bytes / 1e9).formatted(.number.precision(.fractionLength(1)).locale(Locale(identifier: "en_US_POSIX")))
    }
}
