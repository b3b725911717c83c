import Cluster
import Jobs
import Runs
import Wire

// Who belongs, and how one membership follows another.
extension RunMachine {
    // MARK: - Coming

    /// Gives a number to somebody who asks to join, or says why not.
    mutating func admit(_ requester: [UInt8], now: MonotonicInstant) -> [Action] {
        let count = table.members.count + table.ranks(.candidate).count + table.ranks(.expected).count
        let obstacle: String? =
            switch stage {
            case .preparing, .restoring: "the run has not begun"
            case .saving, .ended: "the run ends"
            case .gathering, .training, .halting:
                if run.backend == .wafer {
                    "a wafer is one process"
                } else if farewell != nil {
                    "the run ends"
                } else if count >= run.job.lanes {
                    "each of the job's \(run.job.lanes) lanes has a worker already"
                } else if let most = run.limits?.workers, count >= most {
                    "the run may have \(most) workers, and has them"
                } else {
                    nil
                }
            }
        if let obstacle { return [.reply(requester, .refused(reason: obstacle))] }
        let rank = table.add(now: now)
        return [
            .reply(requester, .admitted(rank, run.exchange?.transport ?? .ipc)),
            .event(.workerJoined, "a worker asked to join and is worker \(rank)", rank: rank, step: nil),
        ]
    }

    /// Takes in a worker's hello.
    mutating func admit(_ hello: WorkerHello, as rank: WorkerRank, now: MonotonicInstant) throws -> [Action] {
        guard table[rank]?.standing == .expected else {
            return [
                .event(.peerRefused, "a second worker \(rank) said hello and was refused", rank: rank, step: nil)
            ]
        }
        table[rank]?.hello = hello
        table[rank]?.standing = .candidate
        table[rank]?.progressed = now
        var actions: [Action] = [
            .event(
                .workerJoined, "worker \(rank) joined: process \(hello.processID), \(hello.instructionSet)", rank: rank,
                step: nil)
        ]
        let present = (table.members + table.ranks(.candidate)).compactMap { table[$0]?.hello }
        guard Set(present.map(\.key.isEmpty)).count <= 1 else {
            let reason = "workers of this host alone and workers of several hosts can't reach each other"
            let event = Action.event(.peerRefused, "worker \(rank) was refused: \(reason)", rank: rank, step: nil)
            table[rank]?.standing = .lost(reason: reason)
            actions += [send(.refused(reason: reason), to: rank), event]
            if case .gathering = stage { actions += try formIfComplete(now: now) }
            return actions
        }
        let kinds = Set(present.map(\.bitsDependOn))
        guard kinds.count <= 1 else {
            let reason = "they would compute different bits: \(kinds.sorted().joined(separator: "; "))"
            if case .gathering = stage { return actions + fail(.disagreement(step: StepNumber(0), reason: reason)) }
            table[rank]?.standing = .lost(reason: reason)
            return actions + [
                send(.refused(reason: reason), to: rank),
                .event(.peerRefused, "worker \(rank) was refused: \(reason)", rank: rank, step: nil),
            ]
        }
        if case .gathering = stage { actions += try formIfComplete(now: now) }
        return actions
    }

    // MARK: - Going

    /// Takes in that a launched process has ended.
    mutating func take(
        _ exit: WorkerExit, of launched: WorkerRank, lastWords: String?, now: MonotonicInstant
    ) throws -> [Action] {
        table[launched]?.hasExited = true
        // It may have been declared lost meanwhile, and have joined anew under another number.
        let rank = table[launched]?.processID.flatMap { table.rank(ofProcess: $0) } ?? launched
        guard let worker = table[rank] else { return [] }
        table[rank]?.hasExited = true
        if case .lost = worker.standing { return [] }
        return try lose(
            rank,
            .workerEnded(
                rank: rank, exit: exit, step: worker.step, phase: worker.phase.name, lastWords: lastWords), now: now)
    }

    /// Declares a worker lost.
    mutating func lose(_ rank: WorkerRank, _ fault: RunFault, now: MonotonicInstant) throws -> [Action] {
        guard let worker = table[rank] else { return [] }
        if case .lost = worker.standing { return [] }
        table[rank]?.standing = .lost(reason: fault.description)
        firstCause = firstCause ?? fault
        var actions: [Action] = [.event(.workerLost, fault.description, rank: rank, step: worker.step)]
        if worker.standing == .member, worker.digest != nil {
            // Its part is done; the others still say what they ended with.
            if !table.members.isEmpty { return actions + (try finishIfComplete(steps: worker.step?.index ?? 0)) }
        }
        switch stage {
        case .preparing, .restoring, .ended: break
        case .gathering: actions += try formIfComplete(now: now)
        case .training: if worker.standing == .member { actions += try halt(now: now) }
        case .halting(let since, var awaited):
            awaited.remove(rank)
            stage = .halting(since: since, awaited: awaited)
            // Where the membership was to end after a step, that step may need the worker that is lost.
            actions += awaited.sorted().map { .send($0, .halt, epoch: epoch + 1) }
            if awaited.isEmpty { actions += try form(now: now) }
        case .saving(let writer): if writer == rank { actions += try form(now: now) }
        }
        return actions
    }

    /// Tells a worker that was declared lost, and that has something to say, why it is not heard.
    func fence(_ rank: WorkerRank, _ reason: String) -> [Action] { [send(.fenced(reason: reason), to: rank)] }

    /// Ends the membership: everybody is to stop and to say how far it came.
    mutating func halt(now: MonotonicInstant) throws -> [Action] {
        let members = table.members
        stage = .halting(since: now, awaited: Set(members))
        if members.isEmpty { return try form(now: now) }
        return members.map { .send($0, .halt, epoch: epoch + 1) }
    }

    /// Takes in a worker's answer to a halt.
    mutating func halted(
        _ rank: WorkerRank, after stepsMade: Int, epoch: Int, now: MonotonicInstant
    ) throws -> [Action] {
        guard case .halting(let since, var awaited) = stage, epoch == self.epoch + 1, awaited.remove(rank) != nil else {
            return []
        }
        table[rank]?.stepsMade = stepsMade
        table[rank]?.enter(StepNumber(stepsMade), .halted, now: now)
        stage = .halting(since: since, awaited: awaited)
        return awaited.isEmpty ? try form(now: now) : []
    }

    // MARK: - The next membership

    /// Forms the first membership once everybody who is expected has come or is lost.
    mutating func formIfComplete(now: MonotonicInstant) throws -> [Action] {
        table.ranks(.expected).isEmpty ? try form(now: now) : []
    }

    /// Forms a membership of all who have answered or wait; where the run is to end, has one of them write a checkpoint;
    /// where nobody is left, starts anew.
    mutating func form(now: MonotonicInstant) throws -> [Action] {
        guard let dataset else { return [] }
        let ranks = (table.members + table.ranks(.candidate)).sorted()
        let workers = Dictionary(
            uniqueKeysWithValues: ranks.compactMap { rank in
                table[rank].flatMap { worker in worker.hello.map { (rank, ($0, worker.stepsMade)) } }
            })
        guard !workers.isEmpty else { return restart() }
        stragglers.keep(ranks)
        let counts = deal(among: ranks)
        let machine = try emulation?.form(
            run, vocabularySize: dataset.facts.vocabularySize, laneCounts: counts,
            phase: run.job.phase(at: StepNumber(recorded))?.index ?? run.job.phases.count - 1,
            inletPrefix: "\(inletBase)-f\(epoch + 1)")
        let plan = try AssignmentPlan(
            run: run, runDirectory: runDirectory, dataset: dataset, epoch: epoch + 1,
            workers: workers.mapValues { (hello: $0.0, stepsMade: $0.1) }, laneCounts: counts, checkpoint: checkpoint,
            history: history, reconnects: reconnects, cores: cores, emulation: machine)
        var actions: [Action] = []
        for closed in try steps.close(before: StepNumber(plan.stepsMade)) { actions += record(closed, now: now) }
        actions.append(.flush)
        if let farewell { return actions + save(after: plan.stepsMade, farewell) }
        if dealsAnew {
            actions.append(
                .event(
                    .straggler, "lanes are dealt anew, in proportion to speed", rank: nil,
                    step: StepNumber(plan.stepsMade)))
        }
        begin(ranks, laneCounts: counts, stepsMade: plan.stepsMade, now: now)
        actions += emulate(plan)
        actions.append(
            .event(.membershipChanged, plan.description, rank: nil, step: StepNumber(plan.stepsMade)))
        actions += try ranks.map { send(.assignment(try plan.assignment(for: $0)), to: $0) }
        return actions + (epoch == 1 ? [.training] : [])
    }

    /// Begins the next epoch with the members `ranks`, who have made `stepsMade` steps.
    private mutating func begin(_ ranks: [WorkerRank], laneCounts: [Int], stepsMade: Int, now: MonotonicInstant) {
        epoch += 1
        let elapsed =
            epoch == 1 ? steps.elapsed : steps.elapsed + max(.zero, now.elapsed(since: lastClosed))
        steps.begin(
            ranks, at: StepNumber(stepsMade), elapsed: elapsed,
            // Workers with keys of their own are those of several hosts.
            sharesClock: ranks.allSatisfy { table[$0]?.hello?.key.isEmpty ?? true })
        evaluations.begin(ranks)
        lastClosed = now
        for rank in ranks {
            table[rank]?.standing = .member
            table[rank]?.digest = nil
            table[rank]?.awaiting = []
            table[rank]?.enter(StepNumber(stepsMade), .loading, now: now)
        }
        stage = .training
        isStallTold = false
        self.laneCounts = laneCounts
        stepsTogether = 0
        dealsAnew = false
        reconnects = false
        redilates = false
        membershipStart = stepsMade
    }

    /// Sets up the emulated machine of a membership.
    private mutating func emulate(_ plan: AssignmentPlan) -> [Action] {
        guard let emulation else { return [] }
        // Workers wait for as long as the machine is slowed; that is nobody's loss.
        if let step = emulation.dilatedStep { longestStep = max(longestStep, step * 2) }
        let dilation = emulation.dilation.map { [Action.emulating(dilation: $0)] } ?? []
        return dilation + [.fabric(plan.fabric)]
    }

    /// How many lanes each of `ranks` gets.
    private func deal(among ranks: [WorkerRank]) -> [Int] {
        let rule = run.exchange?.laneShares ?? .speed
        let pace = rule == .speed ? stragglers.secondsPerLane(of: ranks) : nil
        return LaneDeal(lanes: run.job.lanes, secondsPerLane: pace ?? ranks.map { _ in 1 }).counts
    }

    // MARK: - Lost messages

    /// A worker says that what a peer sent to it did not arrive: the membership is formed anew, on other connections; a
    /// worker to which that happens again and again is lost.
    mutating func disturbed(
        _ rank: WorkerRank, _ reason: String, epoch: Int, now: MonotonicInstant
    ) throws -> [Action] {
        guard let worker = table[rank], worker.standing == .member, epoch == self.epoch, case .training = stage else {
            return []
        }
        disturbances += 1
        guard disturbances <= Self.disturbanceLimit else {
            return try lose(
                rank, .workerFailed(rank: rank, step: worker.step, phase: worker.phase.name, reason: reason), now: now)
        }
        reconnects = true
        let event = Action.event(
            .warning, "worker \(rank): \(reason); the membership is formed anew", rank: rank, step: worker.step)
        return try [event] + halt(now: now)
    }

    /// Nobody computes, all wait, and nothing comes: what they wait for was lost on the way. The step is made again on other
    /// connections; nil where that has been in vain too often: the new ones may have failed, too, but not for ever.
    ///
    /// That holds also where the membership was to end after the step, which nobody can finish then.
    mutating func tryAgain(now: MonotonicInstant) throws -> [Action]? {
        let watch = ProgressWatch(table, now: now)
        guard disturbances < Self.disturbanceLimit, watch.isWaiting else { return nil }
        let patience =
            longestStep == .zero ? deadlines.collective : max(deadlines.stall, 5 * longestStep.seconds)
        guard watch.idleSeconds > patience else { return nil }
        // Those that were just asked to halt, because of another's loss, have time to answer.
        if case .halting(let since, _) = stage, now.elapsed(since: since).seconds <= min(patience, deadlines.halt / 2) {
            return nil
        }
        disturbances += 1
        reconnects = true
        isStallTold = true
        let event = Action.event(
            .stalled,
            "no progress for \(Int(watch.idleSeconds)) s though nobody computes, so messages were lost: the step is made "
                + "again by a new membership; \(watch.description)", rank: nil, step: StepNumber(recorded))
        guard case .halting(_, let awaited) = stage else { return try [event] + halt(now: now) }
        stage = .halting(since: now, awaited: awaited)
        return [event] + awaited.sorted().map { Action.send($0, .halt, epoch: epoch + 1) }
    }

    /// Has a worker that has made the most steps write the last checkpoint, unless there is nothing new to keep.
    private mutating func save(after stepsMade: Int, _ farewell: Farewell) -> [Action] {
        let writer = table.members.first { rank in
            table[rank].map {
                run.job.canGoBack(from: $0.stepsMade, to: stepsMade) && $0.phase == .halted
            } ?? false
        }
        guard let writer, stepsMade > checkpoint?.stepsMade ?? 0 else {
            return stop(farewell.state, reason: farewell.reason)
        }
        stage = .saving(writer: writer)
        return [send(.save, to: writer)]
    }

    /// Starts as many workers as there were at first, from the newest whole checkpoint, unless that has been in vain.
    private mutating func restart() -> [Action] {
        if let farewell { return stop(farewell.state, reason: farewell.reason) }
        let cause = firstCause?.description ?? "unknown"
        guard restarts < Self.restartLimit else { return fail(.noProgress(restarts: restarts, cause: cause)) }
        restarts += 1
        stage = .restoring
        return [
            .event(
                .restarted,
                "all workers are lost; \(run.workers) are started again (\(restarts) of \(Self.restartLimit) "
                    + "times without progress); what came first: \(cause)", rank: nil, step: nil),
            .findCheckpoint,
        ]
    }
}

extension WorkerHello {
    /// What the bits depend on that this worker computes.
    fileprivate var bitsDependOn: String { "\(instructionSet), oneDNN \(oneDNNVersion)" }
}
