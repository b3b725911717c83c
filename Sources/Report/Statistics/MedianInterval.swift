import Jobs

/// A median of repeated measurements, or a ratio of two, with an interval that says how sure it is: a percentile bootstrap
/// (Efron and Tibshirani 1993, chapter 13) over whole runs, so that what differs from run to run is in it.
///
/// A resample holds nothing but what was measured, so the interval never reaches beyond the least and the most of it: from
/// fewer than six runs it is too narrow to be a 95 % one, which `fewestRuns` guards against.
public struct MedianInterval: Hashable, Sendable {
    /// The median, or the first's over the second's.
    public var value: Double
    /// The interval's ends.
    public var low: Double
    public var high: Double

    /// Resamples, and the share of them within the interval.
    public static let resamples = 2_000
    public static let confidence = 0.95
    /// Two sets of four that don't overlap at all come about by chance once in 35 times; smaller ones more often than once
    /// in twenty, so that no 95 % statement can be made of them.
    public static let fewestRuns = 4

    /// The median of `values`; nil with fewer than two.
    ///
    /// - Parameter seed: the key of the resampling, so that a report made twice says the same.
    public init?(medianOf values: [Double], seed: UInt64) {
        let values = values.filter(\.isFinite)
        guard values.count > 1, let median = Quantiles(values).median else { return nil }
        var random = CounterRandom(seed: seed, purpose: .statistics, step: 2)
        self.init(value: median, resampled: (0..<Self.resamples).map { _ in Self.resampledMedian(values, &random) })
    }

    /// The median of `first` over that of `second`, whose runs have nothing to do with each other; nil with fewer than two
    /// of either, or where a median is not above zero.
    public init?(ratioOf first: [Double], over second: [Double], seed: UInt64) {
        let (first, second) = (first.filter(\.isFinite), second.filter(\.isFinite))
        guard first.count > 1, second.count > 1, let median = Quantiles(first).median,
            let other = Quantiles(second).median, median > 0, other > 0
        else { return nil }
        // Two streams, so that a longer first set doesn't move the second's draws.
        var firstRandom = CounterRandom(seed: seed, purpose: .statistics, step: 3)
        var secondRandom = CounterRandom(seed: seed, purpose: .statistics, step: 4)
        self.init(
            value: median / other,
            resampled: (0..<Self.resamples).map { _ in
                Self.resampledMedian(first, &firstRandom) / Self.resampledMedian(second, &secondRandom)
            })
    }

    private init(value: Double, resampled: [Double]) {
        let quantiles = Quantiles(resampled)
        let tail = (1 - Self.confidence) / 2
        self.value = value
        low = quantiles.quantile(tail) ?? value
        high = quantiles.quantile(1 - tail) ?? value
    }

    private static func resampledMedian(_ values: [Double], _ random: inout CounterRandom) -> Double {
        Quantiles(values.map { _ in values[random.nextIndex(below: values.count)] }).median ?? .nan
    }
}
