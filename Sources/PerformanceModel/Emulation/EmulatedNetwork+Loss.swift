import Jobs

extension EmulatedNetwork {
    /// What a link loses of the frames that reach it, and what that costs.
    public struct Loss: Hashable, Sendable, Codable {
        /// The share of frames that are lost.
        public var share: Double
        /// Seconds for which a sender waits for word of a frame before it sends it again.
        public var timeoutSeconds: Double

        /// A loss of the given parts.
        public init(share: Double, timeoutSeconds: Double) {
            self.share = share
            self.timeoutSeconds = timeoutSeconds
        }

        /// What a time-out grows to at most, in doublings.
        private static let mostDoublings = 6

        /// Whether frame number `count` of those that reach link `link` is lost: a pure function of the seed and both.
        package func takes(_ count: Int, ofLink link: Int, seed: UInt64) -> Bool {
            var random = CounterRandom(
                seed: seed, purpose: .emulatedLoss, step: UInt64(count), example: UInt32(truncatingIfNeeded: link))
            return Double(random.nextUnit()) < share
        }

        /// Seconds until a frame that was lost `losses` times before is sent again: twice as long each time (RFC 6298, 5.5).
        package func timeout(afterLosses losses: Int) -> Double {
            timeoutSeconds * Double(1 << min(losses, Self.mostDoublings))
        }
    }
}
