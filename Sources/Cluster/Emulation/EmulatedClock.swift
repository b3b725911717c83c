import Jobs

/// When a device's steps begin and end on the emulated clock, by the host's. Confined to the thread that computes.
///
/// Between two steps that clock stands still, for the same time on every device: so devices begin a step as far apart as they
/// ended the one before, whatever each process has to do in between. Which frames meet at a link depends on it: behind a busy
/// one, what begins a millisecond later may arrive many later.
package final class EmulatedClock {
    /// Enough for examples to be taken and news to be sent on a busy host.
    package static let pause = HostSeconds(0.02)

    private var ended: MonotonicInstant?

    /// A clock on which no step has ended yet.
    package init() {}

    /// Waits until the next step is to begin, and returns when it did: now, where the host paused longer, as it does to
    /// evaluate, or where the wait was no longer wanted.
    package func start(while isWanted: () -> Bool) -> MonotonicInstant {
        guard let next = ended?.advanced(by: Self.pause), next > .now(), Hold.until(next, while: isWanted) != nil else {
            return .now()
        }
        return next
    }

    /// The device's step ended at `instant`.
    package func end(at instant: MonotonicInstant) { ended = instant }
}
