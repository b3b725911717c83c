import Jobs

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A figure over several runs, most often of several seeds: its middle, and how far it lies from run to run.
public struct SeedSpread: Hashable, Sendable, Encodable {
    /// Runs that have the figure.
    public var count: Int
    /// Half lie below it; and its bootstrap interval, nil for a single run.
    public var median: Double
    public var medianLow: Double?
    public var medianHigh: Double?
    public var mean: Double
    public var least: Double
    public var most: Double
    /// The standard deviation from seed to seed; nil for a single one.
    public var standardDeviation: Double?
    /// The mean's 95 % interval by Student's t distribution; nil for a single seed.
    public var low: Double?
    public var high: Double?

    /// The spread of `values`; nil where there are none.
    ///
    /// - Parameter seed: the key of the median's resampling.
    public init?(_ values: [Double], seed: UInt64 = 0) {
        let values = values.filter(\.isFinite)
        guard let least = values.min(), let most = values.max(), let mean = Jobs.mean(values),
            let median = Quantiles(values).median
        else { return nil }
        count = values.count
        self.median = median
        let interval = MedianInterval(medianOf: values, seed: seed)
        medianLow = interval?.low
        medianHigh = interval?.high
        self.mean = mean
        self.least = least
        self.most = most
        guard values.count > 1 else { return }
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let deviation = (squares / Double(values.count - 1)).squareRoot()
        let width = StudentQuantile.upper975(degrees: values.count - 1) * deviation / Double(values.count).squareRoot()
        standardDeviation = deviation
        (low, high) = (mean - width, mean + width)
    }

    /// The spread of positive `values` on a logarithmic scale, as ratios want it: the mean is geometric.
    public init?(ratios values: [Double], seed: UInt64 = 0) {
        guard let logarithms = SeedSpread(values.filter { $0 > 0 }.map { log($0) }, seed: seed) else { return nil }
        self = logarithms
        median = exp(logarithms.median)
        medianLow = logarithms.medianLow.map { exp($0) }
        medianHigh = logarithms.medianHigh.map { exp($0) }
        mean = exp(logarithms.mean)
        least = exp(logarithms.least)
        most = exp(logarithms.most)
        standardDeviation = logarithms.standardDeviation.map { mean * $0 }
        low = logarithms.low.map { exp($0) }
        high = logarithms.high.map { exp($0) }
    }

    /// The ratios of what has the same seed, as `init(ratios:)`: what a seed does to both is not counted as chance. Nil where
    /// no seed is on both sides, or one is there several times.
    public init?(ratioOf first: [(seed: UInt64, value: Double)], over second: [(seed: UInt64, value: Double)]) {
        guard Set(first.map(\.seed)).count == first.count, Set(second.map(\.seed)).count == second.count else {
            return nil
        }
        let others = Dictionary(uniqueKeysWithValues: second.map { ($0.seed, $0.value) })
        self.init(
            ratios: first.compactMap { seed, value in others[seed].flatMap { $0 > 0 ? value / $0 : nil } },
            seed: first.first?.seed ?? 0)
    }

    /// Whether the 95 % interval leaves `value` out; nil for a single seed.
    func excludes(_ value: Double) -> Bool? {
        guard let low, let high else { return nil }
        return value < low || value > high
    }
}
