/// A discrete-event replay of the last micro-batch of a step: every rank's compute stream runs its segments in order; the
/// exchange stream runs one collective at a time, each once all ranks have completed its bucket.
///
/// Two resources share a device: while a rank still computes, a collective advances at `exchangeRate` of its speed alone,
/// and while a collective runs, computing advances at `computeRate`. Equal ranks behave as one (a test holds the two
/// equal), so a prediction replays a single rank for thousands.
public struct StepReplay: Hashable, Sendable {
    /// A stretch of computing, and the collective that may start after it.
    public struct Segment: Hashable, Sendable {
        /// Seconds on an undisturbed device.
        public var seconds: Double
        /// Seconds of the collective whose bucket this segment completes; nil where it completes none.
        public var exchangeSeconds: Double?

        /// A segment of the given parts.
        public init(seconds: Double, exchangeSeconds: Double? = nil) {
            self.seconds = seconds
            self.exchangeSeconds = exchangeSeconds
        }
    }

    /// When each stream was done, in seconds from the start.
    public struct Outcome: Hashable, Sendable {
        /// The last rank's computing.
        public var computeEnd: Double
        /// The last collective; `computeEnd` at least.
        public var end: Double

        /// Exchange that no computing hides.
        public var exposed: Double { end - computeEnd }
    }

    /// A collective's speed while a rank computes, in (0, 1].
    public var exchangeRate: Double
    /// A rank's speed while a collective runs, in (0, 1].
    public var computeRate: Double

    /// A replay with the given sharing.
    public init(exchangeRate: Double, computeRate: Double = 1) {
        self.exchangeRate = exchangeRate
        self.computeRate = computeRate
    }

    /// Replays `segments` on one rank that stands for all.
    public func run(_ segments: [Segment]) -> Outcome { run(ranks: [segments]) }

    /// Replays every rank by itself. All ranks complete the same buckets in the same order; their times may differ.
    ///
    /// Cost: O(ranks x segments) events, each O(ranks).
    public func run(ranks: [[Segment]]) -> Outcome {
        let exchanges = (ranks.first ?? []).compactMap(\.exchangeSeconds)
        var position = [Int](repeating: 0, count: ranks.count)
        var left = ranks.map { $0.first?.seconds ?? 0 }
        var completed = [Int](repeating: 0, count: ranks.count)
        var exchange = 0
        var exchangeLeft = exchanges.first ?? 0
        var (now, computeEnd) = (0.0, 0.0)
        while true {
            let ready = completed.min() ?? 0
            let exchanging = exchange < exchanges.count && exchange < ready
            let computing = ranks.indices.contains { position[$0] < ranks[$0].count }
            guard exchanging || computing else { break }
            let pace = exchanging ? computeRate : 1
            let exchangePace = computing ? exchangeRate : 1
            var step = exchanging ? exchangeLeft / exchangePace : Double.infinity
            for rank in ranks.indices where position[rank] < ranks[rank].count {
                step = min(step, left[rank] / pace)
            }
            now += step
            for rank in ranks.indices where position[rank] < ranks[rank].count {
                left[rank] -= step * pace
                guard left[rank] <= 1e-15 else { continue }
                if ranks[rank][position[rank]].exchangeSeconds != nil { completed[rank] += 1 }
                position[rank] += 1
                if position[rank] < ranks[rank].count { left[rank] = ranks[rank][position[rank]].seconds }
                computeEnd = now
            }
            if exchanging {
                exchangeLeft -= step * exchangePace
                if exchangeLeft <= 1e-15 {
                    exchange += 1
                    exchangeLeft = exchange < exchanges.count ? exchanges[exchange] : 0
                }
            }
        }
        return Outcome(computeEnd: computeEnd, end: max(now, computeEnd))
    }
}
