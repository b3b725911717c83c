import Dispatch
import Jobs

/// Waiting until an emulated device would be done.
enum Hold {
    /// How often a wait looks whether it is still wanted.
    private static let look = 0.1

    /// Waits until `end`.
    ///
    /// - Parameter isWanted: asked every tenth of a second; false ends the wait.
    /// - Returns: how much later than `end` it is now; nil where the wait was no longer wanted.
    static func until(_ end: MonotonicInstant, while isWanted: () -> Bool) -> HostSeconds? {
        let semaphore = MonotonicSemaphore(value: 0)
        while true {
            let left = end.elapsed(since: .now()).seconds
            if left <= 0 { return HostSeconds(-left) }
            guard isWanted() else { return nil }
            _ = semaphore.wait(timeout: .now() + min(left, look))
        }
    }
}
