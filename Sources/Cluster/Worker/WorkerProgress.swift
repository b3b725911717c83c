import Foundation
import Jobs
import Synchronization
import Wire

/// What a worker is doing, for its heartbeats, its errors, and whoever looks.
final class WorkerProgress: Sendable {
    private let place = Mutex<(step: StepNumber, phase: WorkerPhase)>((StepNumber(0), .starting))

    /// Notes that the worker now does `phase` of `step`.
    func enter(_ phase: WorkerPhase, step: StepNumber) { place.withLock { $0 = (step, phase) } }

    /// Notes that the worker now does `phase`, in the step where it was.
    func enter(_ phase: WorkerPhase) { place.withLock { $0.phase = phase } }

    /// What it does now.
    var now: (step: StepNumber, phase: WorkerPhase) { place.withLock { $0 } }
}

/// Sends a sign of life every second from a thread of its own, whatever the computing thread does, and looks whether the
/// coordinator still gives any.
final class Heartbeats: Sendable {
    private let isOver = MonotonicSemaphore(value: 0)

    /// How long a coordinator may be silent: long enough for one that was suspended for a minute and goes on.
    static let coordinatorDeadline = HostSeconds(90)

    /// Later than this no thread wakes up in a process that runs.
    private static let suspension = HostSeconds(5)

    /// Starts the signs of life.
    ///
    /// - Parameter awaited: the workers whose gradients are awaited.
    init(
        of progress: WorkerProgress, over link: CoordinatorLink, faults: FaultInjector?,
        awaited: @escaping @Sendable () -> [WorkerRank]
    ) {
        let isOver = isOver
        let thread = Thread {
            var last = MonotonicInstant.now()
            while isOver.wait(timeout: .now() + 1) == .timedOut {
                let now = MonotonicInstant.now()
                // A process that was suspended has heard nothing because it was, not because nothing was said.
                if now.elapsed(since: last) > Self.suspension { link.forgiveSilence() }
                last = now
                if faults?.isMuted == true { continue }
                let (step, phase) = progress.now
                link.send(
                    .heartbeat(
                        Heartbeat(step: step, phase: phase, awaiting: phase == .exchanging ? awaited() : [])))
                link.endIfSilent(longerThan: Self.coordinatorDeadline)
            }
        }
        thread.name = "heartbeats"
        thread.stackSize = 1 << 18
        thread.start()
    }

    /// Ends them.
    func stop() { isOver.signal() }
}
