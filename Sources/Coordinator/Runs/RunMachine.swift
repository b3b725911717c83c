import Cluster
import Foundation
import Jobs
import Runs
import Training
import Wire

/// The life of one run as a pure state machine: what workers say, how they end and the passing of time go in; what must
/// be sent, stored and said comes out. No socket, process or clock is touched here.
package struct RunMachine: Sendable {
    /// What happens to a run.
    package enum Input: Sendable {
        case prepared(PreparedDataset)
        case preparationFailed(reason: String)
        case started(WorkerRank, processID: Int32)
        case message(WorkerRank, WorkerToCoordinator)
        case exited(WorkerRank, WorkerExit, lastWords: String?)
        case launchFailed(WorkerRank, reason: String)
        case tick
        case cancel
        case shutDown
    }

    /// What the rim must do.
    package enum Action: Sendable {
        case startWorkers(PreparedDataset)
        case send(WorkerRank, CoordinatorToWorker)
        case record(StepLedger.Closed)
        case evaluated(EvaluationRecord)
        case event(RunEvent.Kind, String, rank: WorkerRank?, step: StepNumber?)
        case training
        case end(RunState, RunOutcome?)
    }

    /// Limits of time, in seconds of the host's monotonic clock.
    package struct Deadlines: Sendable {
        /// From the start of the processes until all workers have said hello.
        package var join = 60.0
        /// Between two signs of life of a worker.
        package var heartbeat = 15.0
        /// Within which another worker's end may explain an exchange that failed.
        package var causeSettles = 2.0

        /// The usual limits.
        package init() {}
    }

    private enum Stage {
        case preparing
        case gathering([WorkerRank: WorkerHello], since: MonotonicInstant)
        case training
        case settling(RunFault, until: MonotonicInstant)
        case ended
    }

    private struct WorkerStatus {
        var heard: MonotonicInstant
        var step: StepNumber?
        var phase = "starting"
        var digest: String?
        var isGone = false
    }

    private let run: Run
    private let runDirectory: String
    private let deadlines: Deadlines
    private var stage: Stage
    private var workers: [WorkerRank: WorkerStatus]
    private var steps: StepLedger
    private var evaluations: EvaluationLedger
    private var dataset: PreparedDataset?
    private var target: TargetTracker
    private var targetReachedAt: HostSeconds?
    private var elapsed = HostSeconds.zero
    private var modelDirectory: String?

    /// A machine for `run`, whose dataset is being prepared now and whose files are to lie in `runDirectory`.
    package init(run: Run, runDirectory: String, deadlines: Deadlines = Deadlines(), now: MonotonicInstant) {
        self.run = run
        self.runDirectory = runDirectory
        self.deadlines = deadlines
        stage = .preparing
        workers = Dictionary(
            uniqueKeysWithValues: (0..<run.workers).map { (WorkerRank($0), WorkerStatus(heard: now)) })
        steps = StepLedger(
            workerCount: run.workers, laneCount: run.job.lanes, nextSentence: run.job.examples.nextSentence)
        evaluations = EvaluationLedger(workerCount: run.workers, nextSentence: run.job.examples.nextSentence)
        target = TargetTracker(target: run.job.target)
    }

    /// Whether the run has ended.
    package var hasEnded: Bool {
        if case .ended = stage { true } else { false }
    }

    /// Takes in what happened at `now` and says what to do.
    package mutating func handle(_ input: Input, now: MonotonicInstant) -> [Action] {
        guard !hasEnded else { return [] }
        do {
            switch input {
            case .prepared(let dataset): return begin(with: dataset, now: now)
            case .preparationFailed(let reason): return fail(.dataset(reason: reason))
            case .started(let rank, let processID):
                return [.event(.workerStarted, "worker \(rank) is process \(processID)", rank: rank, step: nil)]
            case .message(let rank, let message):
                workers[rank]?.heard = now
                return try take(message, from: rank, now: now)
            case .exited(let rank, let exit, let lastWords): return take(exit, of: rank, lastWords: lastWords)
            case .launchFailed(let rank, let reason): return fail(.launch(rank: rank, reason: reason))
            case .tick: return checkDeadlines(now: now)
            case .cancel: return stop(.cancelled, reason: "cancelled by request")
            case .shutDown: return stop(.interrupted, reason: "the daemon ends")
            }
        } catch let fault as RunFault {
            return fail(fault)
        } catch {
            return fail(.store(reason: "\(error)"))
        }
    }

    private mutating func begin(with dataset: PreparedDataset, now: MonotonicInstant) -> [Action] {
        guard case .preparing = stage else { return [] }
        self.dataset = dataset
        stage = .gathering([:], since: now)
        for rank in ranks { workers[rank]?.heard = now }
        var actions: [Action] = [
            .event(
                .datasetPrepared,
                "\(dataset.facts.trainingDocuments) documents to train on, \(dataset.facts.heldOutDocuments) held out",
                rank: nil, step: nil)
        ]
        if dataset.replacedSequences > 0 {
            actions.append(
                .event(
                    .warning,
                    "the text has \(dataset.replacedSequences) invalid UTF-8 sequences; each is read as U+FFFD",
                    rank: nil, step: nil))
        }
        return actions + [.startWorkers(dataset)]
    }

    // MARK: - What workers say

    private mutating func take(
        _ message: WorkerToCoordinator, from rank: WorkerRank, now: MonotonicInstant
    ) throws -> [Action] {
        switch message {
        case .hello(let hello): return try admit(hello, as: rank)
        case .heartbeat(let heartbeat):
            workers[rank]?.step = heartbeat.step
            workers[rank]?.phase = heartbeat.phase.name
            return []
        case .stepReport(let report):
            workers[rank]?.step = report.step.next
            guard let closed = try steps.take(report, from: rank) else { return [] }
            elapsed = closed.step.elapsed
            return [.record(closed)]
        case .evaluationReport(let report): return try take(report, from: rank)
        case .checkpointReport(let report):
            return [
                .event(
                    .checkpointWritten, "checkpoint after \(report.stepsMade) steps: \(report.path)", rank: rank,
                    step: StepNumber(max(0, report.stepsMade - 1)))
            ]
        case .failure(let failure):
            let fault = RunFault.workerFailed(
                rank: rank, step: failure.step, phase: failure.phase.name, reason: failure.message)
            guard case .training = stage else { return fail(fault) }
            // A worker's failed exchange is often the consequence of another's death, whose news may be on its way.
            stage = .settling(fault, until: now.advanced(by: HostSeconds(deadlines.causeSettles)))
            return []
        case .finished(let finished): return try take(finished, from: rank)
        }
    }

    private mutating func admit(_ hello: WorkerHello, as rank: WorkerRank) throws -> [Action] {
        guard case .gathering(var hellos, let since) = stage, hellos[rank] == nil else {
            return [
                .event(.peerRefused, "a second worker \(rank) said hello and was refused", rank: rank, step: nil)
            ]
        }
        hellos[rank] = hello
        stage = .gathering(hellos, since: since)
        var actions: [Action] = [
            .event(
                .workerJoined, "worker \(rank) joined: process \(hello.processID), \(hello.instructionSet)", rank: rank,
                step: nil)
        ]
        guard hellos.count == run.workers else { return actions }
        let kinds = Set(hellos.values.map { "\($0.instructionSet), oneDNN \($0.oneDNNVersion)" })
        if kinds.count > 1 {
            return actions
                + fail(
                    .disagreement(
                        step: StepNumber(0),
                        reason: "they would compute different bits: \(kinds.sorted().joined(separator: "; "))"))
        }
        guard let dataset else { return actions }
        stage = .training
        let assignments = try AssignmentPlan(run: run, runDirectory: runDirectory, hellos: hellos, dataset: dataset)
        actions += ranks.map { .send($0, .assignment(assignments.assignment(for: $0))) }
        return actions + [.training]
    }

    private mutating func take(_ report: EvaluationReport, from rank: WorkerRank) throws(RunFault) -> [Action] {
        let steps = steps
        guard
            let record = try evaluations.take(
                report, from: rank, baselineAccuracy: dataset?.baselineAccuracy ?? 0, elapsed: { steps.elapsed(at: $0) }
            )
        else { return [] }
        elapsed = record.elapsed
        var actions: [Action] = [.evaluated(record)]
        let isReached = target.observe(maskedAccuracy: record.maskedAccuracy, maskedLoss: record.maskedLoss)
        if isReached {
            targetReachedAt = record.elapsed
            actions.append(
                .event(
                    .targetReached, "the target was reached after \(record.stepsMade) steps", rank: nil,
                    step: StepNumber(record.stepsMade - 1)))
        }
        let isLast = isReached || record.stepsMade >= run.job.totalSteps
        let verdict = Verdict(
            stepsMade: record.stepsMade, isFinish: isLast, maskedAccuracy: record.maskedAccuracy,
            maskedLoss: record.maskedLoss)
        return actions + ranks.map { .send($0, .verdict(verdict)) }
    }

    private mutating func take(_ finished: WorkerFinished, from rank: WorkerRank) throws(RunFault) -> [Action] {
        workers[rank]?.digest = finished.weightsDigest
        workers[rank]?.phase = "finished"
        if let directory = finished.modelDirectory { modelDirectory = directory }
        let digests = ranks.compactMap { workers[$0]?.digest }
        guard digests.count == run.workers, let digest = digests.first else { return [] }
        guard Set(digests).count == 1 else {
            throw .disagreement(
                step: StepNumber(finished.steps), reason: "the final weights differ: \(digests.joined(separator: ", "))"
            )
        }
        stage = .ended
        let outcome = RunOutcome(
            steps: finished.steps, trainingTime: elapsed, timeToTarget: targetReachedAt, weightsDigest: digest,
            modelDirectory: modelDirectory)
        return stopWorkers(reason: "the run is complete") + [.end(.finished, outcome)]
    }

    // MARK: - How workers end, and time

    private mutating func take(_ exit: WorkerExit, of rank: WorkerRank, lastWords: String?) -> [Action] {
        workers[rank]?.isGone = true
        guard let worker = workers[rank], worker.digest == nil else { return [] }
        if case .settling(let fault, _) = stage, case .workerFailed(let failed, _, _, _) = fault, failed == rank {
            return fail(fault)
        }
        return fail(
            .workerEnded(rank: rank, exit: exit, step: worker.step, phase: worker.phase, lastWords: lastWords))
    }

    private mutating func checkDeadlines(now: MonotonicInstant) -> [Action] {
        switch stage {
        case .preparing, .ended: return []
        case .gathering(let hellos, let since):
            guard now.elapsed(since: since).seconds > deadlines.join else { return [] }
            return fail(
                .workersMissing(
                    arrived: hellos.count, wanted: run.workers, missing: ranks.filter { hellos[$0] == nil },
                    seconds: deadlines.join))
        case .training:
            for rank in ranks {
                guard let worker = workers[rank], worker.digest == nil else { continue }
                let silence = now.elapsed(since: worker.heard).seconds
                if silence > deadlines.heartbeat {
                    return fail(
                        .workerSilent(rank: rank, seconds: silence, step: worker.step, phase: worker.phase))
                }
            }
            return []
        case .settling(let fault, let until): return now >= until ? fail(fault) : []
        }
    }

    private mutating func fail(_ fault: RunFault) -> [Action] {
        var actions: [Action] = []
        switch fault {
        case .workerEnded(let rank, _, let step, _, _), .workerSilent(let rank, _, let step, _),
            .workerFailed(let rank, let step, _, _):
            actions.append(.event(.workerLost, fault.description, rank: rank, step: step))
        case .workersMissing, .launch, .disagreement, .dataset, .store: break
        }
        return actions + stop(.failed(reason: fault.description), reason: "the run failed")
    }

    private mutating func stop(_ state: RunState, reason: String) -> [Action] {
        stage = .ended
        return stopWorkers(reason: reason) + [.end(state, nil)]
    }

    private func stopWorkers(reason: String) -> [Action] {
        ranks.filter { workers[$0]?.isGone == false }.map { .send($0, .stop(reason: reason)) }
    }

    private var ranks: [WorkerRank] { workers.keys.sorted() }
}
