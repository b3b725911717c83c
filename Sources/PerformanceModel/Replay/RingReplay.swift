/// An explicit simulation of a ring all-reduce, message by message over every link: what `AllReduceTime`'s closed form
/// stands for. Links may differ, so that a slow one shows.
public enum RingReplay {
    /// A link from a rank to the next.
    public struct Link: Hashable, Sendable {
        /// Seconds from sending a message's first byte to its arrival.
        public var latencySeconds: Double
        /// Bytes a second.
        public var bytesPerSecond: Double

        /// A link of the given parts.
        public init(latencySeconds: Double, bytesPerSecond: Double) {
            self.latencySeconds = latencySeconds
            self.bytesPerSecond = bytesPerSecond
        }
    }

    /// Seconds until every rank holds the sum of `bytes` from all; `links[i]` leads from rank i to i + 1, the last to 0.
    ///
    /// 2 (n - 1) rounds: in each, every rank sends a chunk of 1/n of the message to the next, once it has received the
    /// one before and its link is free.
    public static func seconds(_ bytes: Double, over links: [Link]) -> Double {
        let count = links.count
        guard count > 1 else { return 0 }
        let chunk = bytes / Double(count)
        var ready = [Double](repeating: 0, count: count)
        var free = [Double](repeating: 0, count: count)
        for _ in 0..<(2 * (count - 1)) {
            var next = ready
            for rank in 0..<count {
                let start = max(ready[rank], free[rank])
                let transfer = chunk / links[rank].bytesPerSecond
                free[rank] = start + transfer
                next[(rank + 1) % count] = start + transfer + links[rank].latencySeconds
            }
            ready = next
        }
        return ready.max() ?? 0
    }
}
