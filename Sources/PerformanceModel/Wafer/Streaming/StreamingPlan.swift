import Jobs

/// A step under weight streaming: samples in as many passes as their activations need, each pass layer by layer over the
/// whole grid, forward and back, while weights come in and gradients go out.
public struct StreamingPlan: Hashable, Sendable, Codable {
    /// An operator's turn on the whole grid.
    public struct Stage: Hashable, Sendable, Codable {
        /// The operator.
        public var name: String
        public var isBackward: Bool
        /// Seconds on the wafer itself.
        public var computeSeconds: Double
        /// Seconds in which its weights (and tokens) come in, and in which gradients go out.
        public var inSeconds: Double
        public var outSeconds: Double

        /// The slowest of the three: they run side by side.
        public var seconds: Double { max(computeSeconds, inSeconds, outSeconds) }
    }

    /// The network.
    public var graph: WaferGraph
    /// Cores across and down that a program can use.
    public var columns: Int
    public var rows: Int
    /// Cores that share a token's features.
    public var featureRows: Int
    /// Samples of a pass, and passes of a step.
    public var samplesOfPass: Int
    public var passes: Int
    /// The stages of a pass, in order.
    public var stages: [Stage]
    /// Bytes of activations on the fullest core, of those that there is room for.
    public var activationBytesPerCore: Double
    /// The core's rates and room.
    public var core: WaferCore
    /// Bytes a second between the wafer and the memory outside, each way.
    public var bytesPerSecond: Double
    /// Seconds that starting a step costs.
    public var launch: Double

    /// Seconds of a pass.
    public var passSeconds: Double { stages.reduce(0) { $0 + $1.seconds } }
    /// Seconds of a step by the formula.
    public var seconds: Double { Double(passes) * passSeconds + launch }
    /// Seconds of a step in which the wafer computes.
    public var computeSeconds: Double { Double(passes) * stages.reduce(0) { $0 + $1.computeSeconds } }
    /// Seconds of a step in which it waits for weights to come in or gradients to go out.
    public var exposedSeconds: Double { Double(passes) * passSeconds - computeSeconds }
    /// Bytes of a step that come in, and that go out.
    public var bytesIn: Double { stages.reduce(0) { $0 + $1.inSeconds } * bytesPerSecond * Double(passes) }
    public var bytesOut: Double { stages.reduce(0) { $0 + $1.outSeconds } * bytesPerSecond * Double(passes) }

    /// Bytes that the memory outside keeps of a parameter: master weight and two moments in single precision.
    static let storedBytesPerParameter = 12.0

    /// The fastest plan of `workload`'s network on `machine` for steps of `globalBatch` samples.
    ///
    /// - Throws: `PerformanceModelError.unsupported` where the machine has no weight streaming, the activations of one
    ///   sample don't fit the wafer, or the parameters the memory outside: with what is missing.
    public init(
        _ workload: Workload, machine: WaferMachine, globalBatch: Int, sparsity: WeightSparsity? = nil
    ) throws(PerformanceModelError) {
        try self.init(
            WaferGraph(workload, sparsity: sparsity), machine: machine, core: WaferCore(machine),
            globalBatch: globalBatch)
    }

    /// As above, with cores like `core`.
    init(
        _ graph: WaferGraph, machine: WaferMachine, core: WaferCore, globalBatch: Int
    ) throws(PerformanceModelError) {
        guard let store = machine.weightStore else {
            throw .unsupported(
                "this wafer has no weight streaming; those that have state wafer.weight_store_gigabits_per_second, such "
                    + "as cs2")
        }
        let stored = graph.kernels.reduce(0.0) { $0 + Double($1.parameters) } * Self.storedBytesPerParameter
        let room = store.terabytes.value * 1e12
        guard stored <= room else {
            throw .unsupported(
                "the parameters with their optimizer state take \(Gigabytes.text(stored)) GB, and the memory outside the "
                    + "wafer has \(Gigabytes.text(room)) GB: \(Gigabytes.text(stored - room)) GB are missing")
        }
        let bytesPerSecond = store.gigabitsPerSecond.value * 1e9 / 8
        let grid = Grid(columns: Int(machine.usableColumns.value), rows: Int(machine.usableRows.value), core: core)
        let footprint = Footprint(graph)
        var best: StreamingPlan?
        for featureRows in Self.candidates(footprint.hidden, rows: grid.rows) {
            guard
                let layout = grid.layout(footprint, featureRows: featureRows, globalBatch: globalBatch)
            else { continue }
            let stages = StreamingStages(graph, layout: layout, grid: grid, bytesPerSecond: bytesPerSecond).all
            let plan = StreamingPlan(
                graph: graph, columns: grid.columns, rows: grid.rows, featureRows: featureRows,
                samplesOfPass: layout.samples,
                passes: (globalBatch + layout.samples - 1) / layout.samples, stages: stages,
                activationBytesPerCore: footprint.bytesOfSample / Double(footprint.tokens) * layout.tokensOfGroup
                    / Double(featureRows), core: core, bytesPerSecond: bytesPerSecond,
                launch: machine.launchSeconds)
            if plan.seconds < best?.seconds ?? .infinity { best = plan }
        }
        guard let best else {
            let wafer = core.dataBytes * Double(grid.columns * grid.rows)
            throw .unsupported(
                "the activations of one sequence take \(Gigabytes.text(footprint.bytesOfSample)) GB, and the wafer's "
                    + "\(grid.columns) x \(grid.rows) cores have room for \(Gigabytes.text(wafer)) GB: "
                    + (footprint.bytesOfSample > wafer
                        ? "\(Gigabytes.text(footprint.bytesOfSample - wafer)) GB are missing"
                        : "enough, but not where whole tokens lie on whole columns"))
        }
        self = best
    }

    private init(
        graph: WaferGraph, columns: Int, rows: Int, featureRows: Int, samplesOfPass: Int, passes: Int, stages: [Stage],
        activationBytesPerCore: Double, core: WaferCore, bytesPerSecond: Double, launch: Double
    ) {
        self.graph = graph
        self.columns = columns
        self.rows = rows
        self.featureRows = featureRows
        self.samplesOfPass = samplesOfPass
        self.passes = passes
        self.stages = stages
        self.activationBytesPerCore = activationBytesPerCore
        self.core = core
        self.bytesPerSecond = bytesPerSecond
        self.launch = launch
    }

    /// The numbers of cores that features are worth spreading over: the fewest for each number of features on a core.
    private static func candidates(_ hidden: Int, rows: Int) -> [Int] {
        Set((1...hidden).map { (hidden + $0 - 1) / $0 }).filter { $0 <= rows }.sorted()
    }
}

/// The activations of a sample, and the network's width.
private struct Footprint {
    let hidden: Int
    let tokens: Int
    /// Bytes of a sample: what waits for the backward pass, and inputs, outputs and their gradients of the widest operator.
    let bytesOfSample: Double

    init(_ graph: WaferGraph) {
        var (hidden, tokens, widest) = (1, 1, 0)
        for kernel in graph.kernels {
            switch kernel.work {
            case .dense(let rows, let inputs, let outputs):
                // The decoder's logits are worked off a row at a time.
                widest = max(widest, kernel.role == .vocabulary ? 2 * rows * inputs : 2 * rows * (inputs + outputs))
                if kernel.role == .queryKeyValue { (hidden, tokens) = (inputs, rows) }
            case .attention(let length, let heads, let width): widest = max(widest, 8 * length * heads * width)
            }
        }
        self.hidden = hidden
        self.tokens = tokens
        bytesOfSample =
            WaferCore.bytesPerActivation
            * (Double(widest) + graph.kernels.reduce(0.0) { $0 + Double($1.keptElements) })
    }
}

/// The cores that a program can use.
private struct Grid {
    let columns: Int
    let rows: Int
    let core: WaferCore

    /// The layout with as many samples at once as there is room for, dealt evenly over the passes; nil where not even one
    /// has.
    func layout(_ footprint: Footprint, featureRows: Int, globalBatch: Int) -> StreamingLayout? {
        let groups = columns * (rows / featureRows)
        let bytesOfToken = footprint.bytesOfSample / Double(footprint.tokens) / Double(featureRows)
        let most = (core.dataBytes / bytesOfToken).rounded(.down) * Double(groups) / Double(footprint.tokens)
        guard most >= 1 else { return nil }
        let passes = (globalBatch + Int(min(most, 1e9)) - 1) / Int(min(most, 1e9))
        let samples = (globalBatch + passes - 1) / passes
        let tokens = (Double(samples * footprint.tokens) / Double(groups)).rounded(.up)
        return StreamingLayout(
            featureRows: featureRows, groups: groups, tokensOfGroup: tokens, samples: samples, core: core)
    }
}

/// The stages of a pass: embeddings, the kernels forward, the decoder, and all of it back.
private struct StreamingStages {
    let graph: WaferGraph
    let layout: StreamingLayout
    let grid: Grid
    let bytesPerSecond: Double

    init(_ graph: WaferGraph, layout: StreamingLayout, grid: Grid, bytesPerSecond: Double) {
        self.graph = graph
        self.layout = layout
        self.grid = grid
        self.bytesPerSecond = bytesPerSecond
    }

    var all: [StreamingPlan.Stage] {
        guard let decoder = graph.kernels.first else { return [] }
        let order = Array(graph.kernels.dropFirst()) + [decoder]
        let times = order.map { layout.cycles($0) }
        let ahead = zip(order, times).map { stage($0, false, $1.forward) }
        let back = zip(order, times).reversed().map { stage($0, true, $1.backward) }
        return [embedding(false)] + ahead + back + [embedding(true)]
    }

    private func stage(_ kernel: WaferKernel, _ isBackward: Bool, _ cycles: Double) -> StreamingPlan.Stage {
        // A weight is sent as a value; where others are zero, with its place.
        let bytes =
            kernel.density < 1
            ? min(
                Double(kernel.parameters) * WaferCore.bytesPerActivation,
                Double(kernel.parameters) * kernel.density * (WaferCore.bytesPerActivation + WaferCore.bytesPerPlace))
            : Double(kernel.parameters) * WaferCore.bytesPerActivation
        return StreamingPlan.Stage(
            name: kernel.role == .vocabulary ? "decoder" : kernel.name, isBackward: isBackward,
            computeSeconds: (cycles + across) / layout.core.hertz, inSeconds: bytes / bytesPerSecond,
            outSeconds: isBackward ? bytes / bytesPerSecond : 0)
    }

    /// The rows of the table that the tokens of the pass name come in, and their gradients go out.
    private func embedding(_ isBackward: Bool) -> StreamingPlan.Stage {
        guard let table = graph.kernels.first, case .dense(_, let hidden, let vocabulary) = table.work else {
            return StreamingPlan.Stage(
                name: "embedding", isBackward: isBackward, computeSeconds: 0, inSeconds: 0, outSeconds: 0)
        }
        let tokens = Double(layout.samples) * graph.tokens
        let bytes = min(tokens, Double(vocabulary)) * Double(hidden) * WaferCore.bytesPerActivation
        let input = Double(layout.samples) * graph.inputBytes
        return StreamingPlan.Stage(
            name: "embedding", isBackward: isBackward, computeSeconds: across / layout.core.hertz,
            inSeconds: isBackward ? 0 : (bytes + input) / bytesPerSecond,
            outSeconds: isBackward ? bytes / bytesPerSecond : 0)
    }

    /// Cycles in which the first word crosses the grid.
    private var across: Double { Double(grid.columns + grid.rows) }
}
