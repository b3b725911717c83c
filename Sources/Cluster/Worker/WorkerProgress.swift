import Foundation
import Jobs
import Synchronization
import Wire

/// What a worker is doing, for its heartbeats, its errors, and whoever looks.
final class WorkerProgress: Sendable {
    private let place = Mutex<(step: StepNumber, phase: WorkerPhase)>((StepNumber(0), .starting))

    /// Notes that the worker now does `phase` of `step`.
    func enter(_ phase: WorkerPhase, step: StepNumber) { place.withLock { $0 = (step, phase) } }

    /// What it does now.
    var now: (step: StepNumber, phase: WorkerPhase) { place.withLock { $0 } }
}

/// Sends a sign of life every second from a thread of its own, whatever the computing thread does.
final class Heartbeats: Sendable {
    private let isOver = DispatchSemaphore(value: 0)

    /// Starts the signs of life.
    init(of progress: WorkerProgress, epoch: Int, over link: CoordinatorLink) {
        let isOver = isOver
        let thread = Thread {
            while isOver.wait(timeout: .now() + 1) == .timedOut {
                let (step, phase) = progress.now
                link.send(.heartbeat(Heartbeat(epoch: epoch, step: step, phase: phase)))
            }
        }
        thread.name = "heartbeats"
        thread.stackSize = 1 << 18
        thread.start()
    }

    /// Ends them.
    func stop() { isOver.signal() }
}
