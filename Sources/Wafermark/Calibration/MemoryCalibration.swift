import Jobs
import PerformanceModel
import Training

/// Measures what moves weights and gradients: the optimizer, lanes' sums and norms, and memory by itself.
struct MemoryCalibration {
    /// What was measured, in nanoseconds a parameter or element: on one thread alone, and on as many as there are cores.
    struct Result: Sendable {
        var adamw = (alone: Double.infinity, shared: Double.infinity)
        var lamb = (alone: Double.infinity, shared: Double.infinity)
        var lanesAlone = HostMachine.LaneGradients(sum: .infinity, norm: .infinity)
        var lanes = HostMachine.LaneGradients(sum: .infinity, norm: .infinity)
        var add = Double.infinity
        var streams = HostMachine.Streams(peerSum: .infinity, peerCopy: .infinity)
    }

    private static var figures: [WritableKeyPath<Result, Double>] {
        [
            \.adamw.alone, \.adamw.shared, \.lamb.alone, \.lamb.shared, \.lanesAlone.sum, \.lanesAlone.norm,
            \.lanes.sum, \.lanes.norm, \.add, \.streams.peerSum, \.streams.peerCopy,
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
        let streams = try StreamCalibration(cores: cores).run()
        return Result(
            adamw: try optimizer(.adamw, cores: cores), lamb: try optimizer(.lamb, cores: cores),
            lanesAlone: try lanes(threads: 1), lanes: try lanes(threads: cores), add: streams.add,
            streams: streams.betweenPeers)
    }

    private static func optimizer(
        _ kind: OptimizerSettings.Kind, cores: Int
    ) throws -> (alone: Double, shared: Double) {
        (
            try OptimizerBench.nanosecondsPerParameter(kind, threads: 1),
            try OptimizerBench.nanosecondsPerParameter(kind, threads: cores)
        )
    }

    private static func lanes(threads: Int) throws -> HostMachine.LaneGradients {
        let result = try LaneGradientBench.run(threads: threads)
        return HostMachine.LaneGradients(
            sum: result.sumNanosecondsPerElement, norm: result.normNanosecondsPerElement)
    }
}
