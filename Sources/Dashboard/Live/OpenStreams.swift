import Synchronization

/// Counts streams that are open, so that a page left open a thousand times can't use up this machine.
final class OpenStreams: Sendable {
    private let count = Mutex(0)
    private let limit: Int

    /// Up to `limit` streams at once.
    init(limit: Int) { self.limit = limit }

    /// Whether there is room for one more; it is counted, then.
    func enter() -> Bool {
        count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    /// One has ended.
    func leave() { count.withLock { $0 -= 1 } }
}
