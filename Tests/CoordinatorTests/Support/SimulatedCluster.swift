import Cluster
import Coordinator
import Jobs
import Runs
import Wire

/// A run's machine and workers that keep to the protocol, with a seed that decides what happens next: whose message
/// arrives, who gets on, who dies, who is wrongly taken for lost, who joins.
///
/// A worker's weights are the steps that it has applied. What must always hold is noted in `violations` where it doesn't.
struct SimulatedCluster {
    static let lanes = 6
    static let totalSteps = 8

    private(set) var violations: [String] = []
    private(set) var recorded: [Int] = []
    private(set) var end: (state: RunState, outcome: RunOutcome?)?
    private(set) var losses = 0
    private(set) var joins = 0

    private var machine: RunMachine
    private var workers: [Int: SimulatedWorker] = [:]
    /// Who has contributed what to the sum of a step of a membership, and state on its way.
    private var contributions: [ExchangeKey: Set<Int>] = [:]
    private var transfers: [TransferKey: Int] = [:]
    /// What was lost to view but still runs.
    private var zombies: Set<Int> = []
    private var requests = 0
    private var random: CounterRandom
    private var now = MonotonicInstant(nanoseconds: 1_000_000_000)

    fileprivate struct ExchangeKey: Hashable {
        var epoch: Int
        var step: Int
    }

    fileprivate struct TransferKey: Hashable {
        var epoch: Int
        var receiver: Int
    }

    init(seed: UInt64, workers: Int) throws {
        random = CounterRandom(seed: seed, purpose: .statistics, step: 0)
        machine = RunMachine(
            run: try Reports.run(workers: workers, lanes: Self.lanes, steps: Self.totalSteps), runDirectory: "/run",
            now: now)
        feed(.prepared(Life.dataset))
    }

    /// Lets things happen until the run has ended, at most `limit` of them; at most `losses` workers are lost.
    mutating func run(losses allowedLosses: Int, joins allowedJoins: Int, limit: Int = 60_000) {
        for _ in 0..<limit where end == nil {
            now = now.advanced(by: HostSeconds(0.001))
            let die = random.nextIndex(below: 400)
            if die == 0, losses < allowedLosses { kill(leavesZombie: random.nextIndex(below: 3) == 0) }
            if die == 1, joins < allowedJoins { ask() }
            let alive = workers.keys.sorted()
            guard !alive.isEmpty else { continue }
            let rank = alive[random.nextIndex(below: alive.count)]
            switch random.nextIndex(below: 3) {
            case 0: deliverFrom(rank)
            case 1: workers[rank]?.receive()
            default: getOn(rank)
            }
        }
    }

    // MARK: - What happens

    private mutating func feed(_ input: RunMachine.Input) {
        for action in machine.handle(input, now: now) {
            switch action {
            case .prepared, .flush, .event, .training, .evaluated, .fabric, .emulating: break
            case .findCheckpoint: feed(.restored(path: nil, stepsMade: 0, passedOver: []))
            case .startWorkers(let ranks): for rank in ranks { workers[rank.index] = SimulatedWorker(rank: rank.index) }
            case .send(let rank, let message, let epoch): workers[rank.index]?.inbox.append((epoch, message))
            case .reply(_, .admitted(let rank, _)): workers[rank.index] = SimulatedWorker(rank: rank.index)
            case .reply: break
            case .record(let closed): record(closed)
            case .end(let state, let outcome):
                if end != nil { violations.append("it ended twice") }
                end = (state, outcome)
            }
        }
    }

    private mutating func record(_ closed: StepLedger.Closed) {
        let step = closed.step.step.index
        recorded.append(step)
        if closed.step.sequences != 4 * Self.lanes { violations.append("step \(step) is not told in full") }
    }

    private mutating func kill(leavesZombie: Bool) {
        let candidates = workers.keys.filter { !zombies.contains($0) }.sorted()
        guard !candidates.isEmpty else { return }
        let rank = candidates[random.nextIndex(below: candidates.count)]
        losses += 1
        if leavesZombie {
            zombies.insert(rank)
        } else {
            // A part of what it said last still arrives.
            for _ in 0..<random.nextIndex(below: 4) { deliverFrom(rank) }
            workers[rank] = nil
        }
        feed(.exited(WorkerRank(rank), .signal(9), lastWords: nil))
    }

    private mutating func ask() {
        joins += 1
        requests += 1
        feed(.joinRequested(by: [UInt8(truncatingIfNeeded: requests)]))
    }

    private mutating func deliverFrom(_ rank: Int) {
        guard let outbox = workers[rank]?.outbox, let (epoch, message) = outbox.first else { return }
        workers[rank]?.outbox.removeFirst()
        feed(.message(WorkerRank(rank), epoch: epoch, message))
    }

    private mutating func getOn(_ rank: Int) {
        guard var worker = workers[rank] else { return }
        worker.getOn(&contributions, &transfers, &violations)
        // Who was fenced, stopped or refused leaves.
        workers[rank] = worker.hasLeft ? nil : worker
        if worker.hasLeft { zombies.remove(rank) }
    }
}

/// A worker's side of the protocol, as `WorkerLife` and `WorkerLoop` carry it out.
private struct SimulatedWorker {
    private enum Place {
        case starting
        case waitingForAssignment(epoch: Int)
        case receivingState
        case boundary
        case waitingForVerdict
        case computing
        case exchanging
        case waitingForCommit
        case finished
    }

    let rank: Int
    var inbox: [(epoch: Int, message: CoordinatorToWorker)] = []
    var outbox: [(epoch: Int, message: WorkerToCoordinator)] = []
    var hasLeft = false
    private var place = Place.starting
    private var epoch = 0
    private var next = 0
    private var assignment: Assignment?
    private var newest: Assignment?
    private var stepsMade = 0
    private var committed = -1
    private var last: Int?
    private var verdict: Verdict?

    init(rank: Int) { self.rank = rank }

    /// Takes the next message, as the link does beside the computing thread.
    mutating func receive() {
        guard !inbox.isEmpty else { return }
        let (epoch, message) = inbox.removeFirst()
        switch message {
        case .assignment(let assignment): newest = assignment
        case .halt: next = max(next, epoch)
        case .commit(let step, let halts) where epoch == self.epoch:
            committed = step.index
            if halts { last = step.index }
        case .verdict(let verdict) where epoch == self.epoch: self.verdict = verdict
        case .stop, .refused, .fenced: hasLeft = true
        case .commit, .verdict, .recorded, .save, .admitted, .alive: break
        }
    }

    mutating func getOn(
        _ contributions: inout [SimulatedCluster.ExchangeKey: Set<Int>],
        _ transfers: inout [SimulatedCluster.TransferKey: Int], _ violations: inout [String]
    ) {
        switch place {
        case .starting:
            say(
                .hello(
                    WorkerHello(
                        token: "t", processID: Int32(1_000 + rank), dataEndpoint: "ipc://\(rank)",
                        stateEndpoint: "ipc://s\(rank)", instructionSet: "avx2", oneDNNVersion: "2.6.3",
                        zeroMQVersion: "4.3.4", wafermarkVersion: "0")))
            place = .waitingForAssignment(epoch: 0)
        case .waitingForAssignment(let epoch):
            if let newest, newest.epoch >= epoch { begin(newest, &transfers) }
        case .receivingState:
            if isOver { return halt() }
            guard let state = transfers.removeValue(forKey: .init(epoch: epoch, receiver: rank)) else { return }
            stepsMade = state
            place = .boundary
        case .boundary: crossBoundary(&violations)
        case .waitingForVerdict:
            if let verdict, verdict.stepsMade == stepsMade { return take(verdict) }
            if isOver { halt() }
        case .computing:
            guard let assignment else { return }
            contributions[.init(epoch: epoch, step: stepsMade), default: []].insert(rank)
            say(.laneResults(step: StepNumber(stepsMade), assignment.lanes.map { Reports.lane($0) }))
            place = .exchanging
        case .exchanging:
            guard let assignment else { return }
            let all = Set(assignment.peers.map(\.rank.index))
            if contributions[.init(epoch: epoch, step: stepsMade)] == all {
                place = .waitingForCommit
                // One that is alone has nobody to wait for.
                if all.count == 1 { apply() }
            } else if isOver {
                halt()
            }
        case .waitingForCommit:
            if committed >= stepsMade { apply() } else if isOver { halt() }
        case .finished: if isOver { halt() }
        }
    }

    private var isOver: Bool { next > epoch }

    private mutating func say(_ message: WorkerToCoordinator, epoch: Int? = nil) {
        outbox.append((epoch ?? self.epoch, message))
    }

    private mutating func halt() {
        say(.halted(stepsMade: stepsMade), epoch: next)
        place = .waitingForAssignment(epoch: next)
    }

    private mutating func begin(_ assignment: Assignment, _ transfers: inout [SimulatedCluster.TransferKey: Int]) {
        self.assignment = assignment
        newest = nil
        epoch = assignment.epoch
        committed = -1
        last = nil
        verdict = assignment.verdict
        place = .boundary
        if assignment.stateReceivers.contains(WorkerRank(rank)) {
            stepsMade = 0
            place = .receivingState
        } else if assignment.stateSource == WorkerRank(rank) {
            for receiver in assignment.stateReceivers {
                transfers[.init(epoch: epoch, receiver: receiver.index)] = stepsMade
            }
        }
    }

    private mutating func crossBoundary(_ violations: inout [String]) {
        if let last, stepsMade > last { next = max(next, epoch + 1) }
        if isOver { return halt() }
        if let assignment, stepsMade < assignment.firstStep.index {
            violations.append("worker \(rank) begins after \(stepsMade) steps, \(assignment.firstStep) were assigned")
        }
        guard stepsMade > 0, stepsMade % 2 == 0 else {
            place = .computing
            return
        }
        if let verdict, verdict.stepsMade == stepsMade { return take(verdict) }
        let chunks = (0..<4).filter { $0 % (assignment?.peers.count ?? 1) == assignment?.place }
        say(.evaluationReport(Reports.evaluation(after: stepsMade, chunks: chunks)))
        place = .waitingForVerdict
    }

    private mutating func take(_ verdict: Verdict) {
        guard verdict.isFinish else {
            place = .computing
            return
        }
        say(
            .finished(
                WorkerFinished(steps: stepsMade, weightsDigest: "weights \(stepsMade)", modelDirectory: nil)))
        place = .finished
    }

    private mutating func apply() {
        say(.stepReport(Reports.step(stepsMade)))
        stepsMade += 1
        place = .boundary
    }
}
