import Jobs

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A figure over several seeds: its mean, and how far it lies from seed to seed.
public struct SeedSpread: Hashable, Sendable, Encodable {
    /// Seeds that have the figure.
    public var count: Int
    public var mean: Double
    public var least: Double
    public var most: Double
    /// The standard deviation from seed to seed; nil for a single one.
    public var standardDeviation: Double?
    /// The mean's 95 % interval by Student's t distribution; nil for a single seed.
    public var low: Double?
    public var high: Double?

    /// The spread of `values`; nil where there are none.
    public init?(_ values: [Double]) {
        let values = values.filter(\.isFinite)
        guard let least = values.min(), let most = values.max(), let mean = Jobs.mean(values) else { return nil }
        count = values.count
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
    public init?(ratios values: [Double]) {
        guard let logarithms = SeedSpread(values.filter { $0 > 0 }.map { log($0) }) else { return nil }
        self = logarithms
        mean = exp(logarithms.mean)
        least = exp(logarithms.least)
        most = exp(logarithms.most)
        standardDeviation = logarithms.standardDeviation.map { mean * $0 }
        low = logarithms.low.map { exp($0) }
        high = logarithms.high.map { exp($0) }
    }

    /// Whether the 95 % interval leaves `value` out; nil for a single seed.
    func excludes(_ value: Double) -> Bool? {
        guard let low, let high else { return nil }
        return value < low || value > high
    }
}
