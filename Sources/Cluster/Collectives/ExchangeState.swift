import Foundation
import Jobs
import Synchronization

/// What the computing thread and the exchange's thread tell each other. Every hand-over of gradient memory between the two
/// passes through its mutex.
final class ExchangeState: Sendable {
    private struct Values {
        /// The step that the computing thread is in, and the elements that it has made final.
        var step: StepNumber?
        var ready = 0
        /// What the exchange's thread has done of that step.
        var isSummed = false
        var lastContribution: MonotonicInstant?
        var sent = 0
        var awaited: (bucket: Int, ranks: [Int]) = (0, [])
        var failure: String?
        /// Frames that libzmq still reads out of gradient memory.
        var borrowed = 0
        var isClosing = false
    }

    private let values = Mutex(Values())
    private let changed = DispatchSemaphore(value: 0)

    // MARK: - The computing thread's side

    func begin(_ step: StepNumber) {
        values.withLock {
            $0.step = step
            $0.ready = 0
            $0.isSummed = false
            $0.lastContribution = nil
            $0.sent = 0
            $0.awaited = (0, [])
        }
    }

    func contribute(upTo element: Int) { values.withLock { $0.ready = max($0.ready, element) } }

    func close() { values.withLock { $0.isClosing = true } }

    /// Waits until no frame reads gradient memory any more.
    func waitUntilReturned(step: StepNumber, deadline: HostSeconds) throws(ExchangeError) {
        try wait(step: step, deadline: deadline) { $0.borrowed == 0 }
    }

    /// Waits until the step is summed.
    func waitUntilSummed(
        step: StepNumber, deadline: HostSeconds
    ) throws(ExchangeError) -> (lastContribution: MonotonicInstant?, sent: Int) {
        try wait(step: step, deadline: deadline) { $0.isSummed }
        return values.withLock { ($0.lastContribution, $0.sent) }
    }

    private func wait(
        step: StepNumber, deadline: HostSeconds, until isDone: (Values) -> Bool
    ) throws(ExchangeError) {
        let end = DispatchTime.now() + deadline.seconds
        while true {
            let (isOver, failure, awaited) = values.withLock { (isDone($0), $0.failure, $0.awaited) }
            if isOver { return }
            if let failure { throw .ended(reason: failure) }
            guard changed.wait(timeout: end) == .success else {
                throw .deadline(
                    step: step, seconds: deadline.seconds, bucket: awaited.bucket, ranks: awaited.ranks)
            }
        }
    }

    // MARK: - The exchange's thread's side

    /// The step under way and the elements that are final; nil before the first step.
    var contribution: (step: StepNumber, ready: Int)? {
        values.withLock { values in values.step.map { ($0, values.ready) } }
    }

    var isClosing: Bool { values.withLock { $0.isClosing } }

    /// Notes how far `step` is; without effect where the computing thread is in another one by now.
    func note(
        _ step: StepNumber, lastContribution: MonotonicInstant?, sent: Int, awaited: [Int], bucket: Int, isSummed: Bool
    ) {
        let isNews = values.withLock { values in
            guard values.step == step else { return false }
            values.lastContribution = lastContribution
            values.sent = sent
            values.awaited = (bucket, awaited)
            defer { values.isSummed = isSummed }
            return isSummed && !values.isSummed
        }
        if isNews { changed.signal() }
    }

    func lend() { values.withLock { $0.borrowed += 1 } }

    /// Called by libzmq's own thread.
    func takeBack() {
        let isLast = values.withLock { values in
            values.borrowed -= 1
            return values.borrowed == 0
        }
        if isLast { changed.signal() }
    }

    func end(reason: String) {
        values.withLock { $0.failure = $0.failure ?? reason }
        changed.signal()
    }
}
