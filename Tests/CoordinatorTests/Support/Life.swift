import Cluster
import Coordinator
import Jobs
import PerformanceModel
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

    init(
        workers: Int = 2, lanes: Int = 4, steps: Int, target: Target? = nil, laneShares: LaneShareRule? = nil,
        compression: GradientCompression? = nil, emulation: EmulationSettings? = nil,
        limits: RunLimits? = nil, earlier: RunProgressSoFar = RunProgressSoFar()
    ) throws {
        self.workers = workers
        self.lanes = lanes
        var run = try Reports.run(workers: workers, lanes: lanes, steps: steps, target: target)
        run.job.compression = compression
        run.limits = limits
        if let laneShares { run.exchange = ExchangeSettings(laneShares: laneShares) }
        run.emulation = emulation.map { Emulation(settings: $0) }
        machine = RunMachine(
            run: run, runDirectory: "/run", earlier: earlier,
            hardware: try emulation.map { _ in try HardwareCatalogue.profile("dgx1-v100-16g") },
            inletBase: "ipc:///sockets/run", now: now)
    }

    mutating func pass(seconds: Double) { now = now.advanced(by: HostSeconds(seconds)) }

    mutating func handle(_ input: RunMachine.Input) -> [RunMachine.Action] { machine.handle(input, now: now) }

    /// Lets time pass second by second, as the daemon's clock ticks, while the workers `speaking` say that they compute
    /// and the workers `waiting` that they await gradients.
    @discardableResult
    mutating func live(seconds: Int, speaking: [Int], waiting: [Int] = [], step: Int = 0) -> [RunMachine.Action] {
        var actions: [RunMachine.Action] = []
        for _ in 0..<seconds {
            pass(seconds: 1)
            for rank in speaking {
                actions += say(rank, .heartbeat(Heartbeat(step: StepNumber(step), phase: .forwardBackward)))
            }
            for rank in waiting {
                actions += say(
                    rank,
                    .heartbeat(
                        Heartbeat(
                            step: StepNumber(step), phase: .exchanging, awaiting: speaking.map { WorkerRank($0) })))
            }
            actions += handle(.tick)
        }
        return actions
    }

    /// The text is there, and no checkpoint.
    @discardableResult
    mutating func prepare(path: String? = nil, stepsMade: Int = 0) -> [RunMachine.Action] {
        handle(.prepared(Self.dataset)) + handle(.restored(path: path, stepsMade: stepsMade, passedOver: []))
    }

    /// Up to the point where all workers train.
    mutating func begin() {
        prepare()
        for rank in 0..<workers { _ = hello(rank) }
    }

    @discardableResult
    mutating func say(_ rank: Int, epoch: Int? = nil, _ message: WorkerToCoordinator) -> [RunMachine.Action] {
        handle(.message(WorkerRank(rank), epoch: epoch ?? machine.membershipEpoch, message))
    }

    /// The worker's process ends.
    @discardableResult
    mutating func exit(_ rank: Int, _ exit: WorkerExit = .signal(9), lastWords: String? = nil) -> [RunMachine.Action] {
        handle(.exited(WorkerRank(rank), exit, lastWords: lastWords))
    }

    /// The answer to a halt.
    @discardableResult
    mutating func halted(_ rank: Int, after stepsMade: Int) -> [RunMachine.Action] {
        say(rank, epoch: machine.membershipEpoch + 1, .halted(stepsMade: stepsMade))
    }

    mutating func hello(_ rank: Int, instructionSet: String = "avx2") -> [RunMachine.Action] {
        say(
            rank,
            .hello(
                WorkerHello(
                    token: "t", processID: 100 + Int32(rank), dataEndpoint: "ipc://\(rank)",
                    stateEndpoint: "ipc://\(rank)-state", instructionSet: instructionSet, oneDNNVersion: "2.6.3",
                    zeroMQVersion: "4.3.4",
                    wafermarkVersion: "0")))
    }

    /// What the lanes of `rank` give, dealt among `members`, all workers unless given.
    @discardableResult
    mutating func lanes(_ step: Int, of rank: Int, among members: [Int]? = nil) -> [RunMachine.Action] {
        let members = members ?? Array(0..<workers)
        guard let place = members.firstIndex(of: rank) else { return [] }
        let own = LaneTree(laneCount: lanes).shares(workerCount: members.count)[place]
        return say(rank, .laneResults(step: StepNumber(step), own.map { Reports.lane($0) }))
    }

    /// That `rank` has applied `step`.
    @discardableResult
    mutating func applied(_ step: Int, of rank: Int) -> [RunMachine.Action] {
        let start = UInt64(20 * step)
        return say(rank, .stepReport(Reports.step(step, start: start, end: start + 10)))
    }

    /// `step` of every worker of `members`, all unless given.
    @discardableResult
    mutating func step(_ step: Int, among members: [Int]? = nil) -> [RunMachine.Action] {
        let members = members ?? Array(0..<workers)
        return members.flatMap { lanes(step, of: $0, among: members) } + members.flatMap { applied(step, of: $0) }
    }

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
        compactMap { if case .send(let rank, let message, _) = $0 { (rank.index, message) } else { nil } }
    }

    var halted: [Int] { sent.compactMap { if case .halt = $0.message { $0.rank } else { nil } } }
    var fenced: [Int] { sent.compactMap { if case .fenced = $0.message { $0.rank } else { nil } } }
    var saving: [Int] { sent.compactMap { if case .save = $0.message { $0.rank } else { nil } } }
    var commits: [(rank: Int, step: Int, halts: Bool)] {
        sent.compactMap {
            if case .commit(let step, let halts) = $0.message { ($0.rank, step.index, halts) } else { nil }
        }
    }
    var assignments: [Assignment] {
        sent.compactMap { if case .assignment(let assignment) = $0.message { assignment } else { nil } }
    }
    var recordedNews: [(rank: Int, stepsMade: Int)] {
        sent.compactMap { if case .recorded(let stepsMade) = $0.message { ($0.rank, stepsMade) } else { nil } }
    }
    var started: [Int] {
        flatMap { action -> [Int] in
            if case .startWorkers(let ranks) = action { ranks.map(\.index) } else { [] }
        }
    }
    /// The fabrics that were started.
    var fabrics: [FabricPlan] { compactMap { if case .fabric(let plan) = $0 { plan } else { nil } } }
    var dilations: [Double] { compactMap { if case .emulating(let dilation) = $0 { dilation } else { nil } } }
    var isSearching: Bool { contains { if case .findCheckpoint = $0 { true } else { false } } }
    var words: [String] { compactMap { if case .event(_, let words, _, _) = $0 { words } else { nil } } }

    var saves: [Int] { sent.compactMap { if case .save = $0.message { $0.rank } else { nil } } }
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
