import Cluster
import Foundation
import Jobs
import PerformanceModel
import Runs
import Training
import Wire

/// The life of one run as a pure state machine: what workers say, how they end and the passing of time go in; what must
/// be sent, stored and said comes out. No socket, process or clock is touched here.
///
/// **Memberships.** Workers train in memberships, numbered by epochs. A membership ends when one of its workers is lost or
/// another asks to join: the rest are halted, say how many steps they have made, and a new membership is formed of those
/// that answered and those that wait. This machine is the one judge of who belongs; what a worker says that doesn't is
/// without effect, and it is told so.
///
/// **Why nothing that was applied is lost.** A worker applies a step only once this machine has said that the results of
/// all lanes have arrived (`commit`). So when a membership ends in the middle of step n, either nobody was allowed to apply
/// it, and it is made again by the next membership, from the same weights and so with the same bits; or its results are
/// here, and any worker that has applied it has the weights that follow. Those who have not get them from one that has. If
/// all that have are lost too, the step is made again: it depends on nothing but the job and the weights before it.
/// Workers can't be further apart than one step, because a step needs every lane's gradient.
///
/// Where lanes hold parts of gradients back (`GradientCompression.topK`), those are lost with a worker. Then the next
/// membership begins at the last point at which nothing was held back, whose state every worker has kept, and makes the
/// steps since then again, to the same bits; whoever joins waits for such a point.
package struct RunMachine: Sendable {
    /// What happens to a run.
    package enum Input: Sendable {
        case prepared(PreparedDataset)
        case preparationFailed(reason: String)
        /// What the search for the newest whole checkpoint has found, and why newer ones were passed over.
        case restored(path: String?, stepsMade: Int, passedOver: [String])
        case started(WorkerRank, processID: Int32)
        case message(WorkerRank, epoch: Int, WorkerToCoordinator)
        /// Somebody who knows the run's secret asks for a number.
        case joinRequested(by: [UInt8])
        case exited(WorkerRank, WorkerExit, lastWords: String?)
        case launchFailed(WorkerRank, reason: String)
        /// The fabric of membership `epoch` has ended.
        case fabricExited(epoch: Int, WorkerExit, lastWords: String?)
        case fabricFailed(reason: String)
        /// What the run takes of its machine now.
        case usage(RunUsage)
        case tick
        case cancel
        case shutDown
    }

    /// What the rim must do.
    package enum Action: Sendable {
        case prepared(CorpusFacts)
        case findCheckpoint
        case startWorkers([WorkerRank])
        case send(WorkerRank, CoordinatorToWorker, epoch: Int)
        /// Answers somebody who has no number yet.
        case reply([UInt8], CoordinatorToWorker)
        case record(StepLedger.Closed)
        /// Stores what was recorded, before anything that follows.
        case flush
        case evaluated(EvaluationRecord)
        case event(RunEvent.Kind, String, rank: WorkerRank?, step: StepNumber?)
        case training
        /// The fabric of the present membership takes the place of the one before; nil for none.
        case fabric(FabricPlan?)
        /// The emulated machine's clock runs so many times slower from now on.
        case emulating(dilation: Double)
        case end(RunState, RunOutcome?)
    }

    enum Stage {
        case preparing
        /// A whole checkpoint is being looked for.
        case restoring
        /// Launched workers are awaited.
        case gathering(since: MonotonicInstant)
        case training
        /// The membership has ended; its workers are asked how far they came.
        case halting(since: MonotonicInstant, awaited: Set<WorkerRank>)
        /// A last checkpoint is being written by the worker, or first awaited by all.
        case saving(writer: WorkerRank)
        case ended
    }

    /// Why the run is to end before it is complete.
    struct Farewell {
        var state: RunState
        var reason: String
        var until: MonotonicInstant
    }

    let run: Run
    let runDirectory: String
    let deadlines: RunDeadlines
    var stage = Stage.preparing
    var epoch = 0
    var table = WorkerTable()
    var steps: StepLedger
    var evaluations: EvaluationLedger
    var history: EvaluationHistory
    var noise: GradientNoiseAverage
    var stragglers = StragglerWatch()
    var dataset: PreparedDataset?
    var checkpoint: AssignmentPlan.Checkpoint?
    var farewell: Farewell?
    /// The step to come, and the most steps that were ever on record.
    var recorded = 0
    var longestStep = HostSeconds.zero
    /// The lanes of each member, and the steps that the membership has made.
    var laneCounts: [Int] = []
    var stepsTogether = 0
    /// Whether the next membership deals lanes anew, because a worker is slow.
    var dealsAnew = false
    /// The machine that is emulated; nil in a native run. And whether the next membership changes its dilation.
    var emulation: RunEmulation?
    var redilates = false
    /// What the endpoints of the run's fabrics begin with.
    let inletBase: String
    /// The cores that its processes may run on.
    let cores: Int
    /// The steps made before the present membership.
    package internal(set) var membershipStart = 0
    /// Whether the next membership gives up the connections of earlier ones, because something was lost on them.
    var reconnects = false
    /// How often messages were lost since the last new step: by what workers say, or because all wait.
    var disturbances = 0
    /// Restarts since the last step that was new, and what came first since then.
    var restarts = 0
    var firstCause: RunFault?
    var modelDirectory: String?
    var isStallTold = false
    /// When time was last seen to pass, and when the run's host time was last read.
    var lastTick: MonotonicInstant
    /// When it was begun, or gone on with.
    let begun: MonotonicInstant
    var lastClosed: MonotonicInstant
    /// Whether the run ended because it could not get on.
    package internal(set) var hasGivenUp = false

    /// All workers may be lost so often without a new step in between before the run is given up.
    static let restartLimit = 3
    /// So often without a new step in between messages may be lost before a worker is taken for lost.
    static let disturbanceLimit = 3
    /// Steps of a membership before which its lanes are not dealt anew.
    static let stepsBeforeDeal = 10

    /// A machine for `run`, whose dataset is being prepared now and whose files are to lie in `runDirectory`.
    ///
    /// - Parameters:
    ///   - earlier: what is on record of the run, where it goes on.
    ///   - hardware: the profile that an emulated run stands for.
    ///   - inletBase: what the endpoints of an emulated run's fabrics begin with.
    ///   - cores: how many cores its processes may run on; all by default.
    package init(
        run: Run, runDirectory: String, earlier: RunProgressSoFar = RunProgressSoFar(),
        deadlines: RunDeadlines = RunDeadlines(), hardware: HardwareProfile? = nil, inletBase: String = "",
        cores: Int = ProcessInfo.processInfo.activeProcessorCount, now: MonotonicInstant
    ) {
        self.run = run
        self.runDirectory = runDirectory
        self.deadlines = deadlines
        self.inletBase = inletBase
        self.cores = cores
        emulation = run.emulation.flatMap { emulation in
            hardware.map {
                RunEmulation(settings: emulation.settings, profile: $0, dilation: emulation.dilation)
            }
        }
        steps = StepLedger(laneCount: run.job.lanes, nextSentence: run.job.examples.nextSentence)
        steps.begin([], at: StepNumber(0), elapsed: earlier.elapsed)
        evaluations = EvaluationLedger(nextSentence: run.job.examples.nextSentence)
        history = EvaluationHistory(
            earlier.evaluations, target: run.job.target, totalSteps: run.job.totalSteps)
        noise = earlier.noise ?? GradientNoiseAverage(lanes: run.job.lanes)
        recorded = earlier.steps
        lastTick = now
        begun = now
        lastClosed = now
    }

    /// Whether the run has ended.
    package var hasEnded: Bool {
        if case .ended = stage { true } else { false }
    }

    /// Where the examples lie, once they are prepared.
    package var datasetDirectory: String? { dataset?.directory }

    /// The number of the present membership; 0 before the first.
    package var membershipEpoch: Int { epoch }

    /// Takes in what happened at `now` and says what to do.
    package mutating func handle(_ input: Input, now: MonotonicInstant) -> [Action] {
        guard !hasEnded else { return [] }
        do {
            switch input {
            case .prepared(let dataset): return begin(with: dataset)
            case .preparationFailed(let reason): return fail(.dataset(reason: reason))
            case .restored(let path, let stepsMade, let passedOver):
                return restore(path.map { .init(path: $0, stepsMade: stepsMade) }, passedOver, now: now)
            case .started(let rank, let processID):
                table[rank]?.processID = processID
                return [.event(.workerStarted, "worker \(rank) is process \(processID)", rank: rank, step: nil)]
            case .message(let rank, let epoch, let message):
                return try take(message, from: rank, epoch: epoch, now: now)
            case .joinRequested(let requester): return admit(requester, now: now)
            case .exited(let rank, let exit, let lastWords):
                return try take(exit, of: rank, lastWords: lastWords, now: now)
            case .launchFailed(let rank, let reason): return fail(.launch(rank: rank, reason: reason))
            case .fabricExited(let epoch, let exit, let lastWords):
                // One of an earlier membership was asked to end.
                return epoch == self.epoch ? fail(.fabricEnded(exit: exit, lastWords: lastWords)) : []
            case .fabricFailed(let reason): return fail(.fabric(reason: reason))
            case .usage(let usage): return try take(usage, now: now)
            case .tick: return try checkTimeLimit(now: now) + checkDeadlines(now: now)
            case .cancel: return try conclude(.cancelled, reason: "cancelled by request", now: now)
            case .shutDown: return try conclude(.interrupted, reason: "the daemon ends", now: now)
            }
        } catch let fault as RunFault {
            return fail(fault)
        } catch {
            return fail(.store(reason: "\(error)"))
        }
    }

    // MARK: - Before the first step

    private mutating func begin(with dataset: PreparedDataset) -> [Action] {
        guard case .preparing = stage else { return [] }
        self.dataset = dataset
        stage = .restoring
        var actions: [Action] = [
            .prepared(dataset.facts),
            .event(
                .datasetPrepared,
                "\(dataset.facts.trainingDocuments) documents to train on, \(dataset.facts.heldOutDocuments) held out",
                rank: nil, step: nil),
        ]
        if dataset.replacedSequences > 0 {
            actions.append(
                .event(
                    .warning,
                    "the text has \(dataset.replacedSequences) invalid UTF-8 sequences; each is read as U+FFFD",
                    rank: nil, step: nil))
        }
        return actions + [.findCheckpoint]
    }

    private mutating func restore(
        _ found: AssignmentPlan.Checkpoint?, _ passedOver: [String], now: MonotonicInstant
    ) -> [Action] {
        guard case .restoring = stage else { return [] }
        checkpoint = found
        var actions: [Action] = passedOver.map {
            .event(.warning, "a checkpoint was passed over: \($0)", rank: nil, step: nil)
        }
        if let found {
            actions.append(
                .event(
                    .resumed, "goes on from the checkpoint after \(found.stepsMade) steps: \(found.path)", rank: nil,
                    step: StepNumber(found.stepsMade)))
        } else if recorded > 0 {
            actions.append(.event(.resumed, "begins again: there is no whole checkpoint", rank: nil, step: nil))
        }
        stage = .gathering(since: now)
        let ranks = (0..<run.workers).map { _ in table.add(now: now) }
        return actions + [.startWorkers(ranks)]
    }

    // MARK: - The end

    /// Ends the run as `state`: with a last checkpoint where there is anything to keep, at once where it is asked again.
    mutating func conclude(_ state: RunState, reason: String, now: MonotonicInstant) throws -> [Action] {
        if farewell != nil { return stop(state, reason: reason) }
        switch stage {
        case .preparing, .restoring, .gathering, .ended: return stop(state, reason: reason)
        case .training, .halting, .saving:
            farewell = Farewell(state: state, reason: reason, until: now.advanced(by: HostSeconds(deadlines.save)))
            let event = Action.event(.stateChanged, "\(reason): a last checkpoint is written", rank: nil, step: nil)
            if case .training = stage { return try [event] + halt(now: now) }
            return [event]
        }
    }

    mutating func fail(_ fault: RunFault) -> [Action] {
        if case .noProgress = fault { hasGivenUp = true }
        return stop(.failed(reason: fault.description), reason: "the run failed")
    }

    mutating func stop(_ state: RunState, reason: String) -> [Action] {
        stage = .ended
        return stopWorkers(reason: reason) + [.end(state, nil)]
    }

    func stopWorkers(reason: String) -> [Action] { table.alive.map { send(.stop(reason: reason), to: $0) } }

    func send(_ message: CoordinatorToWorker, to rank: WorkerRank) -> Action { .send(rank, message, epoch: epoch) }
}

/// What is on record of a run that goes on.
package struct RunProgressSoFar: Sendable {
    /// Steps on record, the host time until the last of them, and all evaluations.
    package var steps = 0
    package var elapsed = HostSeconds.zero
    package var evaluations: [EvaluationRecord] = []
    /// The gradient noise of those steps; nil for none.
    package var noise: GradientNoiseAverage?

    /// Nothing.
    package init() {}

    /// What `record` tells.
    package init(_ record: RunRecord) {
        steps = record.steps.last.map { $0.step.index + 1 } ?? 0
        elapsed = record.steps.map(\.elapsed).max() ?? .zero
        evaluations = record.evaluations
        var noise = GradientNoiseAverage(lanes: record.run.job.lanes)
        for step in record.steps { noise.observe(step, sequence: record.run.job.sequence(at: step.step)) }
        self.noise = noise
    }
}

extension Job {
    /// Tokens of a sequence at `step`.
    func sequence(at step: StepNumber) -> Int { phase(at: step)?.phase.sequence ?? 0 }
}
