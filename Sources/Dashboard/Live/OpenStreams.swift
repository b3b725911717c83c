import Synchronization

/// Counts streams that are open, so that a page left open a thousand times can't use up this machine.
final class OpenStreams: Sendable {
    /// One stream's place, taken for as long as this lives: also where the client has gone before its stream began.
    final class Place: Sendable {
        private let streams: OpenStreams

        fileprivate init(in streams: OpenStreams) { self.streams = streams }

        deinit { streams.count.withLock { $0 -= 1 } }
    }

    private let count = Mutex(0)
    private let limit: Int

    /// Up to `limit` streams at once.
    init(limit: Int) { self.limit = limit }

    /// A place for one more; nil where there is none.
    func enter() -> Place? {
        let hasRoom = count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
        return hasRoom ? Place(in: self) : nil
    }
}
