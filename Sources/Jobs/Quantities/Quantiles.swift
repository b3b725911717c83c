#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The spread of a set of measurements. Values that are no numbers are left out.
public struct Quantiles: Sendable {
    private let sorted: [Double]

    /// The quantiles of `values`.
    public init(_ values: some Sequence<Double>) {
        sorted = values.filter(\.isFinite).sorted()
    }

    /// How many numbers there are.
    public var count: Int { sorted.count }
    /// The smallest, or nil where there is none.
    public var minimum: Double? { sorted.first }
    /// The largest, or nil where there is none.
    public var maximum: Double? { sorted.last }
    /// Half lie below it; nil where there is none.
    public var median: Double? { quantile(0.5) }
    /// The distance between the quartiles; nil where there are no numbers.
    public var interquartileRange: Double? {
        guard let low = quantile(0.25), let high = quantile(0.75) else { return nil }
        return high - low
    }

    /// The standard error of the median, as of a normal distribution with these quartiles, so that a few far values hardly
    /// move it; nil of fewer than two numbers.
    ///
    /// sqrt(pi / 2) sigma / sqrt(n) (Kenney and Keeping 1962, section 12.9), with sigma = the distance between the quartiles
    /// over that of the standard normal distribution.
    public var medianStandardError: Double? {
        guard count > 1, let range = interquartileRange else { return nil }
        return (Double.pi / 2).squareRoot() * range / 1.3489795003921634 / Double(count).squareRoot()
    }

    /// The value below which a share `share` in [0, 1] lies, interpolated between neighbours.
    ///
    /// Hyndman and Fan 1996, type 7: what NumPy, R and spreadsheets give by default.
    public func quantile(_ share: Double) -> Double? {
        guard let last = sorted.indices.last else { return nil }
        let position = min(max(share, 0), 1) * Double(last)
        let below = Int(position.rounded(.down))
        let above = min(below + 1, last)
        let weight = position - Double(below)
        return sorted[below] + (sorted[above] - sorted[below]) * weight
    }
}

/// The mean of `values`, or nil where there are none. Summed in order, so equal input gives equal bits.
public func mean(_ values: some Collection<Double>) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
}
