import Dispatch
import Foundation
import Jobs
import PerformanceModel
import Synchronization

/// Hands a step's gradient to the exchange part by part, each once it is really computed and the emulated device would have
/// finished it, as of the later of the two. On a thread of its own, so that the host may be ahead of the device.
final class GradientRelease: Sendable {
    /// A part of the gradient.
    struct Part: Sendable {
        let elements: Range<Int>
        /// When the emulated device is done with it.
        let due: MonotonicInstant
    }

    private struct State {
        /// Until when how many elements were really computed, in ascending order.
        var computed: [(end: Int, at: MonotonicInstant)] = []
        var isCancelled = false
        var lateness = HostSeconds.zero
        var failure: (any Error)?
        var isOver = false
    }

    private let state = Mutex(State())
    private let changed = MonotonicSemaphore(value: 0)
    private let ended = MonotonicSemaphore(value: 0)
    private let monitor: ExchangeMonitor

    /// How often a wait looks whether it is still wanted.
    private static let look = 0.1

    /// Starts to release `parts` to `exchange`, which belongs to the release until `finish` or `cancel` has returned.
    init(_ parts: [Part], to exchange: (any GradientExchange)?, monitor: ExchangeMonitor) {
        self.monitor = monitor
        // Sendable: the caller hands the exchange over here and takes it back only after the thread has ended.
        nonisolated(unsafe) let exchange = exchange
        let thread = Thread { [self] in
            do {
                for part in parts {
                    let instant = try wait(for: part)
                    let lateness = max(.zero, MonotonicInstant.now().elapsed(since: part.due))
                    state.withLock { $0.lateness = max($0.lateness, lateness) }
                    try exchange?.contribute(part.elements, at: instant)
                }
            } catch {
                state.withLock { $0.failure = error }
            }
            state.withLock { $0.isOver = true }
            ended.signal()
        }
        thread.name = "device"
        thread.stackSize = 1 << 19
        thread.start()
    }

    /// The parts of a gradient of `count` elements by `schedule`, on a device slowed by `dilation` that starts at `start`.
    static func parts(
        _ schedule: DeviceSchedule, count: Int, start: MonotonicInstant, dilation: Double
    ) -> [Part] {
        var first = 0
        return schedule.groups.enumerated().map { index, group in
            let isLast = index == schedule.groups.count - 1
            let end = isLast ? count : min(count, max(first, Int((group.gradientShare * Double(count)).rounded())))
            defer { first = end }
            return Part(elements: first..<end, due: start.advanced(by: HostSeconds(group.seconds * dilation)))
        }
    }

    /// Says that all elements before `end` are really computed.
    func computed(upTo end: Int) {
        state.withLock { $0.computed.append((end, .now())) }
        changed.signal()
    }

    /// Waits until everything is released.
    ///
    /// - Returns: the most by which a part was late.
    /// - Throws: what the exchange throws; `ExchangeError.interrupted`.
    func finish() throws -> HostSeconds {
        ended.wait()
        ended.signal()
        let (lateness, failure) = state.withLock { ($0.lateness, $0.failure) }
        if let failure { throw failure }
        return lateness
    }

    /// Gives up, and waits until the exchange is no longer used.
    func cancel() {
        state.withLock { $0.isCancelled = true }
        changed.signal()
        ended.wait()
        ended.signal()
    }

    /// Waits until `part` is computed and due; returns when both were.
    private func wait(for part: Part) throws -> MonotonicInstant {
        while true {
            let (computed, isCancelled) = state.withLock { state in
                (state.computed.first { $0.end >= part.elements.upperBound }?.at, state.isCancelled)
            }
            if isCancelled || monitor.isInterrupted { throw ExchangeError.interrupted }
            let left = part.due.elapsed(since: .now())
            if let computed, left <= .zero { return max(computed, part.due) }
            _ = changed.wait(timeout: .now() + (computed == nil ? Self.look : min(left.seconds, Self.look)))
        }
    }
}
