import BERT
import Jobs
import Kernels
import PerformanceModel
import Training

/// Measures what moves weights and gradients: the optimizer, adding gradients, and memory by itself.
struct MemoryCalibration {
    /// What was measured, in nanoseconds a parameter or element.
    struct Result: Sendable {
        var adamw = (alone: Double.infinity, shared: Double.infinity)
        var lamb = (alone: Double.infinity, shared: Double.infinity)
        var sum = Double.infinity
        var streams = HostMachine.Streams(add: .infinity, peerSum: .infinity, peerCopy: .infinity, square: .infinity)
    }

    private static var figures: [WritableKeyPath<Result, Double>] {
        [
            \.adamw.alone, \.adamw.shared, \.lamb.alone, \.lamb.shared, \.sum, \.streams.add, \.streams.peerSum,
            \.streams.peerCopy, \.streams.square,
        ]
    }

    /// Cores, and threads.
    let cores: Int
    private var measured: [Result] = []

    /// Nothing measured yet, of a machine with `cores`.
    init(cores: Int) { self.cores = cores }

    /// Whether every figure was measured often enough.
    var isEnough: Bool {
        Self.figures.allSatisfy { figure in Repetition.isEnough(measured.map { $0[keyPath: figure] }) }
    }

    /// Each figure of its quickest round.
    var quickest: Result {
        measured.reduce(into: Result()) { least, round in
            for figure in Self.figures { least[keyPath: figure] = min(least[keyPath: figure], round[keyPath: figure]) }
        }
    }

    /// Measures once more, with one thread and with a thread a core, where that was not done often enough.
    mutating func round() async throws {
        if isEnough { return }
        try Task.checkCancellation()
        measured.append(try await OwnThread.run { [cores] in try Self.measure(cores: cores) })
    }

    private static func measure(cores: Int) throws -> Result {
        Result(
            adamw: (try optimizer(.adamw, threads: 1), try optimizer(.adamw, threads: cores)),
            lamb: (try optimizer(.lamb, threads: 1), try optimizer(.lamb, threads: cores)), sum: sum(),
            streams: try StreamCalibration(cores: cores).run())
    }

    /// Nanoseconds a parameter of clipping and applying a gradient.
    private static func optimizer(_ kind: OptimizerSettings.Kind, threads: Int) throws -> Double {
        let result = try TrainingBench.run(
            BenchSettings(
                model: ModelShape(layers: 4, hidden: 512, heads: 8), batch: max(2, threads), sequence: 32,
                threads: threads, optimizer: kind))
        return result.optimizerSecondsMedian * 1e9 / Double(result.parameters)
    }

    private static let elements = 16 << 20
    private static let repetitions = 25

    /// Nanoseconds an element of adding one gradient to another, both beyond every cache.
    private static func sum() -> Double {
        let (into, from) = (FloatBuffer(count: elements), FloatBuffer(count: elements))
        into.buffer.update(repeating: 1)
        from.buffer.update(repeating: 1)
        let seconds = (0..<repetitions).map { _ in
            let start = MonotonicInstant.now()
            Vector.add(into: into.pointer, from: UnsafePointer(from.pointer), count: elements)
            return MonotonicInstant.now().elapsed(since: start).seconds
        }
        return (Quantiles(seconds).median ?? 0) * 1e9 / Double(elements)
    }
}
