import Jobs
import Runs

// What a run may take at most.
extension RunMachine {
    /// Over its limit of memory by more than this factor, a run ends without a last checkpoint.
    private static let memoryTolerance = 1.25

    /// Ends the run, with a last checkpoint, once its time is up.
    mutating func checkTimeLimit(now: MonotonicInstant) throws -> [Action] {
        guard farewell == nil, !hasEnded, let limit = run.limits?.time, now.elapsed(since: begun) >= limit else {
            return []
        }
        return try conclude(
            .failed(
                reason:
                    "its limit of time is up: \(Self.words(limit)); 'wafermark runs resume' goes on for as long again"),
            reason: "the limit of time is up", now: now)
    }

    /// Ends the run where it takes more than it may: with a last checkpoint for memory, without one for disk, of which that
    /// would take more.
    mutating func take(_ usage: RunUsage, now: MonotonicInstant) throws -> [Action] {
        if let limit = run.limits?.disk, let disk = usage.disk, disk > limit {
            return stop(
                .failed(
                    reason: "its files take \(disk.gibibytesText); its limit is \(limit.gibibytesText)"),
                reason: "the limit of disk is passed")
        }
        guard let limit = run.limits?.memory, let memory = usage.memory, memory > limit else { return [] }
        let isFar = Double(memory.count) > Double(limit.count) * Self.memoryTolerance
        if farewell != nil, !isFar { return [] }
        let state = RunState.failed(
            reason: "its processes take \(memory.gibibytesText) of memory; its limit is \(limit.gibibytesText)")
        if isFar { return stop(state, reason: "the limit of memory is passed") }
        return try conclude(state, reason: "the limit of memory is passed", now: now)
    }

    private static func words(_ time: HostSeconds) -> String {
        time.seconds < 120 ? "\(time.seconds) s" : "\((time.seconds / 6).rounded() / 10) minutes"
    }
}
