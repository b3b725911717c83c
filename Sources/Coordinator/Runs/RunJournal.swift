import Foundation
import Jobs
import Logging
import Runs

/// Writes one run's story into the store. Steps are gathered and written in one transaction a tick; everything else is
/// written at once, after the steps before it.
struct RunJournal {
    private let id: RunID
    private let store: RunStore
    private let logger: Logger
    private let log: RunLog
    private var pendingSteps: [StepRecord] = []
    private var pendingWorkerSteps: [WorkerStepRecord] = []

    /// A journal of the stored run `id`.
    ///
    /// - Parameter log: takes every event, too.
    init(id: RunID, store: RunStore, log: RunLog, logger: Logger) {
        self.log = log
        self.id = id
        self.store = store
        self.logger = logger
    }

    /// Marks the run as under way on `machine` and returns it.
    mutating func begin(on machine: Machine) throws -> Run {
        var run = try store.run(id)
        run.state = .preparing
        run.started = run.started ?? Date()
        run.ended = nil
        run.outcome = nil
        run.hasGivenUp = nil
        run.machine = machine
        try store.update(run)
        event(.stateChanged, "preparing the dataset", rank: nil, step: nil)
        return run
    }

    /// Notes what the text amounted to.
    mutating func prepared(_ facts: CorpusFacts) {
        change { $0.corpus = facts }
    }

    /// Notes that steps are being made.
    mutating func training() {
        change { $0.state = .running }
        event(.stateChanged, "training", rank: nil, step: nil)
    }

    /// Notes that the emulated machine's clock runs `dilation` times slower from now on.
    mutating func emulating(dilation: Double) { change { $0.emulation?.dilation = dilation } }

    /// Notes what the emulated links carried.
    mutating func carried(_ links: [EmulatedLinkRecord], by fabric: FabricRecord) {
        change {
            $0.emulation?.links = links
            $0.emulation?.fabric = fabric
        }
    }

    /// Notes what the replay says of the emulated machine and its faults.
    mutating func modelled(step: ModelledSeconds, _ costs: [EmulatedFaultCost]) {
        change {
            $0.emulation?.modelledStep = step
            $0.emulation?.faultCosts = costs
        }
    }

    /// Adds a step, to be written with the next flush.
    mutating func append(_ closed: StepLedger.Closed) {
        pendingSteps.append(closed.step)
        pendingWorkerSteps += closed.workers
    }

    /// Adds an evaluation.
    mutating func append(_ record: EvaluationRecord) {
        attempt {
            try $0.flush()
            try $0.store.append(RunAdditions(evaluations: [record]), to: $0.id)
        }
    }

    /// Adds an event.
    mutating func event(_ kind: RunEvent.Kind, _ message: String, rank: WorkerRank?, step: StepNumber?) {
        var metadata: Logger.Metadata = ["run": "\(id)", "kind": "\(kind.rawValue)"]
        if let rank { metadata["rank"] = "\(rank)" }
        if let step { metadata["step"] = "\(step)" }
        logger.log(level: kind.logLevel, "\(message)", metadata: metadata)
        let event = RunEvent(time: Date(), kind: kind, message: message, rank: rank, step: step)
        log.append(event)
        attempt {
            try $0.store.append(RunAdditions(events: [event]), to: $0.id)
        }
    }

    /// Writes the steps that wait.
    mutating func flush() throws {
        guard !pendingSteps.isEmpty else { return }
        try store.append(RunAdditions(steps: pendingSteps, workerSteps: pendingWorkerSteps), to: id)
        pendingSteps.removeAll(keepingCapacity: true)
        pendingWorkerSteps.removeAll(keepingCapacity: true)
    }

    /// Writes the end; where the disk is full, in the space of `reserve`.
    ///
    /// - Throws: what the store throws: a run whose end is not on record would be waited for without end.
    mutating func end(
        _ state: RunState, outcome: RunOutcome?, hasGivenUp: Bool = false, reserve: DiskReserve
    ) throws {
        do {
            try flush()
            try writeEnd(state, outcome, hasGivenUp)
        } catch {
            logger.warning("the run's end goes to the disk's reserve: \(error)", metadata: ["run": "\(id)"])
            reserve.release()
            attempt { try $0.flush() }
            try writeEnd(state, outcome, hasGivenUp)
        }
        let reason = if case .failed(let reason) = state { ": \(reason)" } else { "" }
        event(.stateChanged, state.name + reason, rank: nil, step: nil)
    }

    private func writeEnd(_ state: RunState, _ outcome: RunOutcome?, _ hasGivenUp: Bool) throws {
        var run = try store.run(id)
        run.state = state
        run.ended = Date()
        run.outcome = outcome
        run.hasGivenUp = hasGivenUp ? true : nil
        try store.update(run)
    }

    private mutating func change(_ edit: (inout Run) -> Void) {
        attempt {
            var run = try $0.store.run($0.id)
            edit(&run)
            try $0.store.update(run)
        }
    }

    /// A store that refuses a write must not end the run's processes half-way; the failure is logged, and the steps, which
    /// matter most, are tried again with the next flush.
    private mutating func attempt(_ write: (inout RunJournal) throws -> Void) {
        do {
            try write(&self)
        } catch {
            logger.error("the run's record could not be written: \(error)", metadata: ["run": "\(id)"])
        }
    }
}
