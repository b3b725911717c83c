import Cluster
import Coordinator
import Jobs
import Runs
import Wire

/// A run's machine, and the clock and workers that drive it.
struct Life {
    static let dataset = PreparedDataset(
        directory: "/datasets/1",
        facts: CorpusFacts(
            isSynthetic: true, trainingDocuments: 270, heldOutDocuments: 30, trainingTokens: 9_000,
            vocabularySize: 600, digest: "c"), baselineAccuracy: 0.04)

    var machine: RunMachine
    private let workers: Int
    private let lanes: Int
    private var now = MonotonicInstant(nanoseconds: 1_000_000_000)

    init(workers: Int = 2, lanes: Int = 4, steps: Int, target: Target? = nil) throws {
        self.workers = workers
        self.lanes = lanes
        machine = RunMachine(
            run: try Reports.run(workers: workers, lanes: lanes, steps: steps, target: target), runDirectory: "/run",
            now: now)
    }

    mutating func pass(seconds: Double) { now = now.advanced(by: HostSeconds(seconds)) }

    mutating func handle(_ input: RunMachine.Input) -> [RunMachine.Action] { machine.handle(input, now: now) }

    /// Up to the point where all workers train.
    mutating func begin() {
        _ = handle(.prepared(Self.dataset))
        for rank in 0..<workers { _ = hello(rank) }
    }

    @discardableResult
    mutating func say(_ rank: Int, _ message: WorkerToCoordinator) -> [RunMachine.Action] {
        handle(.message(WorkerRank(rank), message))
    }

    mutating func hello(_ rank: Int, instructionSet: String = "avx2") -> [RunMachine.Action] {
        say(
            rank,
            .hello(
                WorkerHello(
                    token: "t", processID: 100 + Int32(rank), dataEndpoint: "ipc://\(rank)",
                    instructionSet: instructionSet, oneDNNVersion: "2.6.3", zeroMQVersion: "4.3.4",
                    wafermarkVersion: "0")))
    }

    @discardableResult
    mutating func step(_ step: Int, of rank: Int) -> [RunMachine.Action] {
        let own = LaneTree(laneCount: lanes).shares(workerCount: workers)[rank]
        let start = UInt64(20 * step)
        return say(
            rank, .stepReport(Reports.step(step, lanes: own.map { Reports.lane($0) }, start: start, end: start + 10)))
    }

    /// `step` of every worker.
    mutating func step(_ step: Int) { for rank in 0..<workers { self.step(step, of: rank) } }

    mutating func evaluation(after steps: Int, of rank: Int) -> [RunMachine.Action] {
        say(
            rank,
            .evaluationReport(
                Reports.evaluation(after: steps, chunks: [rank], end: UInt64(20 * steps))))
    }

    mutating func finished(_ rank: Int, steps: Int = 4, digest: String = "d") -> [RunMachine.Action] {
        say(
            rank,
            .finished(
                WorkerFinished(steps: steps, weightsDigest: digest, modelDirectory: rank == 0 ? "/model" : nil)))
    }
}

extension [RunMachine.Action] {
    var sent: [(rank: Int, message: CoordinatorToWorker)] {
        compactMap { if case .send(let rank, let message) = $0 { (rank.index, message) } else { nil } }
    }

    var stopped: [Int] { sent.compactMap { if case .stop = $0.message { $0.rank } else { nil } } }
    var verdicts: [Verdict] {
        sent.compactMap { if case .verdict(let verdict) = $0.message { verdict } else { nil } }
    }

    var recorded: [Int] { compactMap { if case .record(let closed) = $0 { closed.step.step.index } else { nil } } }
    var events: [RunEvent.Kind] { compactMap { if case .event(let kind, _, _, _) = $0 { kind } else { nil } } }
    var isTraining: Bool { contains { if case .training = $0 { true } else { false } } }

    var end: (state: RunState, outcome: RunOutcome?)? {
        for case .end(let state, let outcome) in self { return (state, outcome) }
        return nil
    }

    var failure: String? { if case .failed(let reason) = end?.state { reason } else { nil } }
}
