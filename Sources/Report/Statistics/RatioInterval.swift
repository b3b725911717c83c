import Jobs

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How many times as long one series of steps took as another, with an interval that says how sure that is.
///
/// The interval is a percentile bootstrap (Efron and Tibshirani 1993, chapter 13) of the ratio of total times. Steps
/// that follow each other are alike (a busy neighbour slows a stretch of them), so blocks of consecutive steps are
/// drawn instead of single ones (Künsch 1989, the moving-block bootstrap; block length n^(1/3), Hall et al. 1995). Time that
/// belongs to no step, such as evaluations, is added unchanged.
///
/// It says how steady the steps were *within* these runs. What differs from one run to the next is not in it; only
/// repeated runs show that.
public struct RatioInterval: Hashable, Sendable {
    /// Total of the first series over total of the second.
    public var ratio: Double
    /// The interval's ends.
    public var low: Double
    /// The interval's upper end.
    public var high: Double
    /// The share of resamples that lie inside the interval.
    public var confidence: Double
    /// How many resamples it comes from.
    public var resamples: Int
    /// Consecutive steps in a block: of the first series and of the second.
    public var blockSteps: (first: Int, second: Int) { (firstBlockSteps, secondBlockSteps) }
    private var firstBlockSteps: Int
    private var secondBlockSteps: Int

    /// A series of steps and the time around them, in seconds of one clock.
    public struct Series: Sendable {
        /// Durations of consecutive steps.
        public var steps: [Double]
        /// Time that belongs to no step.
        public var rest: Double

        /// A series of the given parts.
        public init(steps: [Double], rest: Double = 0) {
            self.steps = steps
            self.rest = rest
        }

        var total: Double { steps.reduce(rest, +) }

        /// At most 4,096 values with the same total: neighbours are added up where there are more.
        var condensed: Series {
            let group = (steps.count + 4_095) / 4_096
            if group <= 1 { return self }
            let sums = stride(from: 0, to: steps.count, by: group).map { start in
                steps[start..<min(start + group, steps.count)].reduce(0, +)
            }
            return Series(steps: sums, rest: rest)
        }
    }

    /// The ratio of the totals of `first` and `second`.
    ///
    /// - Parameters:
    ///   - blockSteps: steps in a block; nil for the cube root of the count, rounded up. 1 draws single steps.
    ///   - seed: the key of the resampling, so that a report made twice says the same.
    /// - Returns: nil where a series has fewer than two steps or takes no time.
    public init?(
        of first: Series, over second: Series, resamples: Int = 2_000, confidence: Double = 0.95,
        blockSteps: Int? = nil, seed: UInt64 = 0
    ) {
        guard first.steps.count >= 2, second.steps.count >= 2, resamples >= 2 else { return nil }
        guard first.total > 0, second.total > 0, first.total.isFinite, second.total.isFinite else { return nil }
        // Very long series are drawn in runs of steps added up, which are blocks in themselves.
        let (first, second) = (first.condensed, second.condensed)
        let firstBlock = Self.blockLength(asked: blockSteps, count: first.steps.count)
        let secondBlock = Self.blockLength(asked: blockSteps, count: second.steps.count)
        firstBlockSteps = firstBlock
        secondBlockSteps = secondBlock
        ratio = first.total / second.total
        self.confidence = confidence
        self.resamples = resamples
        // Two streams, so that a longer first series doesn't move the second's draws.
        var firstRandom = CounterRandom(seed: seed, purpose: .statistics, step: 0)
        var secondRandom = CounterRandom(seed: seed, purpose: .statistics, step: 1)
        let ratios = (0..<resamples).map { _ in
            Self.resampledTotal(first, blockSteps: firstBlock, random: &firstRandom)
                / Self.resampledTotal(second, blockSteps: secondBlock, random: &secondRandom)
        }
        let quantiles = Quantiles(ratios)
        let tail = (1 - confidence) / 2
        low = quantiles.quantile(tail) ?? ratio
        high = quantiles.quantile(1 - tail) ?? ratio
    }

    private static func blockLength(asked: Int?, count: Int) -> Int {
        min(max(1, asked ?? Int(cbrt(Double(count)).rounded(.up))), count)
    }

    /// The total of as many steps as the series has, drawn in blocks; the last block is cut to fit.
    private static func resampledTotal(_ series: Series, blockSteps: Int, random: inout CounterRandom) -> Double {
        let count = series.steps.count
        var total = series.rest
        var drawn = 0
        while drawn < count {
            let start = random.nextIndex(below: count - blockSteps + 1)
            let length = min(blockSteps, count - drawn)
            for step in series.steps[start..<start + length] { total += step }
            drawn += length
        }
        return total
    }

    /// What the interval allows to be said.
    public enum Verdict: String, Hashable, Sendable, Codable {
        /// The first took less time.
        case faster
        /// The first took more time.
        case slower
        /// The interval includes 1, or the difference is below what is worth naming.
        case noSignificantDifference = "no_significant_difference"

        /// What a ratio of times with an interval from `low` to `high` allows to be said.
        public init(ratio: Double, low: Double, high: Double) {
            if (low <= 1 && high >= 1) || abs(ratio - 1) < RatioInterval.smallestNamedDifference {
                self = .noSignificantDifference
            } else {
                self = ratio < 1 ? .faster : .slower
            }
        }
    }

    /// Two single runs on one machine differ by about this much by chance alone, whatever the spread of their steps.
    public static let smallestNamedDifference = 0.01

    /// Whether the first series took less time than the second.
    public var verdict: Verdict { Verdict(ratio: ratio, low: low, high: high) }
}
