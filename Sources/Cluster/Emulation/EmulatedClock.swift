import Jobs

/// When a device's steps begin and end on the emulated clock, by the host's. Confined to the thread that computes.
///
/// Between two steps that clock stands still, for the same time on every device: so devices begin a step as far apart as they
/// ended the one before, whatever each process has to do in between. Which frames meet at a link depends on it: behind a busy
/// one, what begins a millisecond later may arrive many later. A process that needs longer, as the one does that writes a
/// checkpoint, begins late and may still make up for it; where it doesn't, the step bears the lateness.
package final class EmulatedClock {
    /// Enough for examples to be taken and news to be sent on a busy host.
    package static let pause = HostSeconds(0.02)

    private var stoodStillSince: MonotonicInstant?

    /// A clock on which no step has ended yet.
    package init() {}

    /// Waits until the next step is to begin, and returns when it was to; now where none has ended yet, and where the wait was
    /// no longer wanted.
    package func start(while isWanted: () -> Bool) -> MonotonicInstant {
        guard let next = stoodStillSince?.advanced(by: Self.pause), Hold.until(next, while: isWanted) != nil else {
            return .now()
        }
        return next
    }

    /// The device's step ended at `instant`.
    package func end(at instant: MonotonicInstant) { stoodStillSince = instant }

    /// All devices stood still until `instant`, which is not to come.
    package func stand(until instant: MonotonicInstant) { stoodStillSince = min(instant, .now()) }
}
