import Jobs
import Runs
import Training
import Wire

extension RunMachine {
    /// Takes in what worker `rank` says as a member of `epoch`.
    mutating func take(
        _ message: WorkerToCoordinator, from rank: WorkerRank, epoch: Int, now: MonotonicInstant
    ) throws -> [Action] {
        guard let worker = table[rank] else { return [] }
        if case .lost(let reason) = worker.standing { return fence(rank, reason) }
        table[rank]?.heard = now
        switch message {
        case .joinRequest: return []
        case .hello(let hello): return try admit(hello, as: rank, now: now)
        case .heartbeat(let heartbeat):
            table[rank]?.enter(heartbeat.step, heartbeat.phase, now: now)
            table[rank]?.awaiting = heartbeat.awaiting
            return [send(.alive, to: rank)]
        case .halted(let stepsMade): return try halted(rank, after: stepsMade, epoch: epoch, now: now)
        case .failure(let failure):
            let fault = RunFault.workerFailed(
                rank: rank, step: failure.step, phase: failure.phase.name, reason: failure.message)
            if !failure.isLocal {
                return [.event(.workerLost, fault.description, rank: rank, step: failure.step)] + fail(fault)
            }
            return try lose(rank, fault, now: now)
        case .checkpointReport(let report): return take(report, from: rank)
        case .notice(let text): return [.event(.warning, text, rank: rank, step: nil)]
        case .disturbed(let reason): return try disturbed(rank, reason, epoch: epoch, now: now)
        case .laneResults, .stepReport, .evaluationReport, .finished:
            // Of a membership that is over: the worker has not heard of its end yet.
            guard worker.standing == .member, epoch == self.epoch else { return [] }
            return try takeResult(message, from: rank, now: now)
        }
    }

    private mutating func takeResult(
        _ message: WorkerToCoordinator, from rank: WorkerRank, now: MonotonicInstant
    ) throws -> [Action] {
        switch message {
        case .laneResults(let step, let lanes):
            table[rank]?.enter(step, .exchanging, now: now)
            guard try steps.take(lanes, of: step, from: rank), case .training = stage else { return [] }
            return commit(step, now: now)
        case .stepReport(let report):
            table[rank]?.enter(report.step.next, .forwardBackward, now: now)
            guard let closed = try steps.take(report, from: rank) else { return [] }
            return record(closed, now: now)
        case .evaluationReport(let report):
            table[rank]?.enter(StepNumber(report.stepsMade), .waiting, now: now)
            return try take(report, from: rank)
        case .finished(let finished):
            table[rank]?.enter(StepNumber(finished.steps), .finished, now: now)
            return try take(finished, from: rank)
        case .joinRequest, .hello, .heartbeat, .halted, .failure, .checkpointReport, .notice, .disturbed: return []
        }
    }

    /// Allows `step` to be applied, and ends the membership after it where workers wait to join or lanes are to be dealt
    /// anew: as soon as no lane holds anything back, so that no step need be made again.
    private mutating func commit(_ step: StepNumber, now: MonotonicInstant) -> [Action] {
        let members = table.members
        let stepsMade = step.index + 1
        let halts =
            (!table.ranks(.candidate).isEmpty || dealsAnew || redilates) && stepsMade < run.job.totalSteps
            && run.job.isWhole(after: stepsMade)
        let actions = members.map { send(.commit(step: step, halts: halts), to: $0) }
        if halts { stage = .halting(since: now, awaited: Set(members)) }
        return actions
    }

    /// Puts a step on record; true progress is one that was not there before.
    mutating func record(_ closed: StepLedger.Closed, now: MonotonicInstant) -> [Action] {
        lastClosed = now
        isStallTold = false
        longestStep = max(longestStep, closed.workers.map(\.duration).max() ?? .zero)
        let stepsMade = closed.step.step.index + 1
        if stepsMade > recorded {
            recorded = stepsMade
            restarts = 0
            firstCause = nil
            disturbances = 0
        }
        noise.observe(closed.step, sequence: run.job.sequence(at: closed.step.step))
        let actions: [Action] = [.record(closed)] + judgePace(of: closed) + watchClock(closed)
        guard run.job.checkpoints(stepsMade: stepsMade), let writer = table.members.first else { return actions }
        return actions + [.flush, send(.recorded(stepsMade: stepsMade), to: writer)]
    }

    /// Says who has become slow, or is no longer, and sees whether other shares of the lanes would make steps shorter.
    private mutating func judgePace(of closed: StepLedger.Closed) -> [Action] {
        stepsTogether += 1
        let changes = stragglers.observe(closed.workers)
        if !dealsAnew, stepsTogether >= Self.stepsBeforeDeal, run.exchange?.laneShares ?? .speed == .speed,
            laneCounts.count == table.members.count,
            let pace = stragglers.secondsPerLane(of: table.members)
        {
            dealsAnew = LaneDeal(lanes: run.job.lanes, secondsPerLane: pace)
                .isBetter(than: laneCounts, secondsPerLane: pace)
        }
        return changes.map { .event(.straggler, $0.description, rank: $0.pace.rank, step: closed.step.step) }
    }

    /// Sees whether the host keeps up with the emulated machine.
    private mutating func watchClock(_ closed: StepLedger.Closed) -> [Action] {
        guard let news = emulation?.observe(closed) else { return [] }
        redilates = redilates || news.changesDilation
        return [
            .event(news.isWarning ? .warning : .stateChanged, news.message, rank: nil, step: closed.step.step)
        ]
    }

    private mutating func take(_ report: EvaluationReport, from rank: WorkerRank) throws(RunFault) -> [Action] {
        let steps = steps
        guard
            let whole = try evaluations.take(
                report, from: rank, baselineAccuracy: dataset?.baselineAccuracy ?? 0,
                noise: noise.noise(after: report.stepsMade), elapsed: { steps.elapsed(at: $0) })
        else { return [] }
        let record = whole.record
        let wasReached = history.tracker(after: record.stepsMade - 1).isReached
        history.append(record)
        guard var verdict = history.verdict(after: record.stepsMade) else { return [] }
        verdict.endedNanoseconds = whole.endedNanoseconds
        var actions: [Action] = [.flush, .evaluated(record)]
        if history.tracker(after: record.stepsMade).isReached, !wasReached {
            actions.append(
                .event(
                    .targetReached, "the target was reached after \(record.stepsMade) steps", rank: nil,
                    step: StepNumber(record.stepsMade - 1)))
        }
        return actions + table.members.map { send(.verdict(verdict), to: $0) }
    }

    private mutating func take(_ report: CheckpointReport, from rank: WorkerRank) -> [Action] {
        if report.stepsMade >= checkpoint?.stepsMade ?? 0 {
            checkpoint = AssignmentPlan.Checkpoint(path: report.path, stepsMade: report.stepsMade)
        }
        let event = Action.event(
            .checkpointWritten, "checkpoint after \(report.stepsMade) steps: \(report.path)", rank: rank,
            step: StepNumber(max(0, report.stepsMade - 1)))
        guard case .saving(let writer) = stage, writer == rank, let farewell else { return [event] }
        return [event] + stop(farewell.state, reason: farewell.reason)
    }

    private mutating func take(_ finished: WorkerFinished, from rank: WorkerRank) throws(RunFault) -> [Action] {
        table[rank]?.digest = finished.weightsDigest
        if let directory = finished.modelDirectory { modelDirectory = directory }
        return try finishIfComplete(steps: finished.steps)
    }

    /// Ends the run where every member has finished.
    mutating func finishIfComplete(steps stepsMade: Int) throws(RunFault) -> [Action] {
        let digests = table.members.map { table[$0]?.digest }
        guard let digest = digests.first ?? nil, !digests.contains(nil) else { return [] }
        guard Set(digests).count == 1 else {
            throw .disagreement(
                step: StepNumber(stepsMade),
                reason: "the final weights differ: \(digests.compactMap { $0 }.joined(separator: ", "))")
        }
        stage = .ended
        let outcome = RunOutcome(
            steps: stepsMade, trainingTime: max(steps.elapsed, history.elapsed(by: stepsMade)),
            timeToTarget: history.targetReached(by: stepsMade), weightsDigest: digest, modelDirectory: modelDirectory)
        return stopWorkers(reason: "the run is complete") + [.end(.finished, outcome)]
    }
}
