import Jobs
import Runs
import Wire

// What the passing of time alone decides.
extension RunMachine {
    /// Later than this no tick comes to a coordinator that runs.
    private static let suspension = 3.0

    /// Looks what is overdue.
    mutating func checkDeadlines(now: MonotonicInstant) throws -> [Action] {
        forgiveOwnSuspension(now: now)
        if let farewell, now > farewell.until {
            let event = Action.event(
                .warning, "no last checkpoint was written within \(Int(deadlines.save)) s", rank: nil, step: nil)
            return [event] + stop(farewell.state, reason: farewell.reason)
        }
        var actions = try checkSilence(now: now)
        switch stage {
        case .preparing, .restoring, .saving, .ended: break
        case .gathering(let since):
            if now.elapsed(since: since).seconds > deadlines.join { actions += try goOnWithout(now: now) }
        case .halting(let since, let awaited):
            if let again = try tryAgain(now: now) {
                actions += again
            } else if now.elapsed(since: since).seconds > deadlines.halt {
                for rank in awaited.sorted() { actions += try lose(rank, stuck(rank, now: now), now: now) }
            }
        case .training:
            if let again = try tryAgain(now: now) {
                actions += again
                break
            }
            let watch = ProgressWatch(table, now: now)
            // Before the first step is made nobody knows how long one takes.
            let deadline = longestStep == .zero ? 10 * deadlines.collective : 20 * longestStep.seconds
            for rank in watch.stuck(for: max(deadlines.collective, deadline)) {
                actions += try lose(rank, stuck(rank, now: now), now: now)
            }
        }
        return actions + tellStall(now: now)
    }

    /// A coordinator that was suspended has heard nothing because it was; that is nobody's silence.
    private mutating func forgiveOwnSuspension(now: MonotonicInstant) {
        let gap = now.elapsed(since: lastTick)
        lastTick = now
        guard gap.seconds > Self.suspension else { return }
        table.forEach { worker in
            worker.heard = worker.heard.advanced(by: gap)
            worker.progressed = worker.progressed.advanced(by: gap)
        }
        switch stage {
        case .gathering(let since): stage = .gathering(since: since.advanced(by: gap))
        case .halting(let since, let awaited): stage = .halting(since: since.advanced(by: gap), awaited: awaited)
        case .preparing, .restoring, .training, .saving, .ended: break
        }
    }

    private mutating func checkSilence(now: MonotonicInstant) throws -> [Action] {
        var actions: [Action] = []
        for rank in table.alive where !hasEnded {
            guard let worker = table[rank], worker.digest == nil else { continue }
            let silence = now.elapsed(since: worker.heard).seconds
            switch worker.standing {
            case .candidate, .member:
                guard silence > deadlines.heartbeat else { continue }
                actions += try lose(
                    rank, .workerSilent(rank: rank, seconds: silence, step: worker.step, phase: worker.phase.name),
                    now: now)
            case .expected:
                // One of those that are awaited at the start is looked after with the others.
                if case .gathering = stage { continue }
                guard silence > deadlines.join else { continue }
                actions += try lose(
                    rank, .workerSilent(rank: rank, seconds: silence, step: nil, phase: worker.phase.name), now: now)
            case .lost: continue
            }
        }
        return actions
    }

    /// The time to join is up: whoever has come goes on alone.
    private mutating func goOnWithout(now: MonotonicInstant) throws -> [Action] {
        let missing = table.ranks(.expected)
        let arrived = table.ranks(.candidate).count
        let fault = RunFault.workersMissing(
            arrived: arrived, wanted: arrived + missing.count, missing: missing, seconds: deadlines.join)
        var actions: [Action] = [.event(.warning, fault.description, rank: nil, step: nil)]
        for rank in missing where !hasEnded { actions += try lose(rank, fault, now: now) }
        return actions
    }

    private func stuck(_ rank: WorkerRank, now: MonotonicInstant) -> RunFault {
        guard let worker = table[rank] else { return .workerStuck(rank: rank, seconds: 0, step: nil, phase: "") }
        return .workerStuck(
            rank: rank, seconds: now.elapsed(since: worker.progressed).seconds, step: worker.step,
            phase: worker.phase.name)
    }

    /// Says once who is where and who waits for whom, when nobody has got on for long.
    private mutating func tellStall(now: MonotonicInstant) -> [Action] {
        switch stage {
        case .training, .halting: break
        case .preparing, .restoring, .gathering, .saving, .ended: return []
        }
        let watch = ProgressWatch(table, now: now)
        // An emulated machine may well be slower than that.
        guard watch.idleSeconds > max(deadlines.stall, emulation == nil ? 0 : longestStep.seconds) else {
            isStallTold = false
            return []
        }
        if isStallTold { return [] }
        isStallTold = true
        return [
            .event(
                .stalled, "no progress for \(Int(watch.idleSeconds)) s; \(watch.description)", rank: nil,
                step: StepNumber(recorded))
        ]
    }
}
