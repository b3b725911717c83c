#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Round numbers that divide an axis: multiples of 1, 2 or 5 times a power of ten (Heckbert 1990, "Nice numbers for
/// graph labels").
public struct Ticks: Hashable, Sendable {
    /// The distance between neighbours.
    public let step: Double
    /// The numbers, ascending; the first and the last bound the axis.
    public let values: [Double]

    /// Ticks around `low...high`, about `count` of them. An empty or unusable range is widened until it is one.
    public init(from low: Double, through high: Double, about count: Int) {
        var low = low.isFinite ? low : 0
        var high = high.isFinite ? high : low + 1
        if high < low { swap(&low, &high) }
        if high - low < max(abs(high), abs(low)) * 1e-9 || high == low {
            let room = high == 0 ? 0.5 : abs(high) * 0.05
            low -= room
            high += room
        }
        let rough = (high - low) / Double(max(1, count - 1))
        let power = pow(10, log10(rough).rounded(.down))
        let fraction = rough / power
        let step = (fraction < 1.5 ? 1 : fraction < 3 ? 2 : fraction < 7 ? 5 : 10) * power
        // Whole multiples, so that 3 x 0.1 prints as 0.3. Slack keeps a bound that is a tick itself from adding one.
        let first = (low / step + 1e-9).rounded(.down)
        let last = (high / step - 1e-9).rounded(.up)
        self.step = step
        values = stride(from: first, through: last, by: 1).map { $0 * step }
    }

    /// Round numbers for a logarithmic axis over `range`, which is of their common logarithms: `digits` times each power of ten
    /// that lies within.
    static func logarithmic(
        _ range: ClosedRange<Double>, digits: [Double] = [1, 2, 5]
    ) -> [(logarithm: Double, value: Double, power: Int)] {
        (Int(range.lowerBound.rounded(.down))...Int(range.upperBound.rounded(.up))).flatMap { power in
            digits.map { digit in
                let value = digit * pow(10, Double(power))
                return (log10(value), value, power)
            }
        }.filter { range.contains($0.logarithm) }
    }

    /// The numbers of the axis, for a scale.
    public var range: ClosedRange<Double> {
        guard let first = values.first, let last = values.last, first < last else { return 0...1 }
        return first...last
    }

    /// The decimals that tell neighbours apart.
    public var decimals: Int {
        max(0, Int((-log10(step) - 1e-9).rounded(.up)))
    }

    /// The label of each tick, `scale` times its value.
    public func labels(scale: Double = 1, unit: String = "") -> [String] {
        let decimals = max(0, Int((-log10(step * scale) - 1e-9).rounded(.up)))
        return values.map { FigureFormat.grouped($0 * scale, decimals: decimals) + unit }
    }
}
