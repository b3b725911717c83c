#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The host clock that durations are measured with: it never steps back and ignores changes of the wall clock.
public struct MonotonicInstant: Sendable, Comparable, Hashable {
    /// Nanoseconds since an arbitrary origin, the same for every process of this boot (`CLOCK_MONOTONIC`).
    public let nanoseconds: UInt64

    /// The instant `nanoseconds` after the origin.
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Now.
    public static func now() -> MonotonicInstant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    /// The host time that passed from `earlier` to this instant; negative where `earlier` is later.
    public func elapsed(since earlier: MonotonicInstant) -> HostSeconds {
        HostSeconds(Double(Int64(bitPattern: nanoseconds &- earlier.nanoseconds)) * 1e-9)
    }

    /// This instant moved by `duration`.
    public func advanced(by duration: HostSeconds) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: UInt64(max(0, Double(nanoseconds) + duration.seconds * 1e9)))
    }

    public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }
}
