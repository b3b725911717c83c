import Jobs

/// A share or a mean with its 95 % confidence interval.
public struct Estimate: Hashable, Sendable, Codable {
    /// The value.
    public let value: Double
    /// The interval's lower end.
    public let low: Double
    /// The interval's upper end.
    public let high: Double

    /// The ratio of two sums over groups, with the interval of the ratio estimator (Cochran 1977, section 6.3).
    ///
    /// The groups, not the tokens in them, count as independent: tokens of one text are alike.
    package init(sums: [(part: Double, whole: Double)]) {
        let part = sums.reduce(0) { $0 + $1.part }
        let whole = sums.reduce(0) { $0 + $1.whole }
        let ratio = whole == 0 ? 0 : part / whole
        let squares = sums.reduce(0) { $0 + ($1.part - ratio * $1.whole) * ($1.part - ratio * $1.whole) }
        let count = Double(sums.count)
        let error = count < 2 || whole == 0 ? .infinity : (count / (count - 1) * squares).squareRoot() / whole
        let width = StudentQuantile.upper975(degrees: max(1, sums.count - 1)) * error
        value = ratio
        low = ratio - width
        high = ratio + width
    }

    private init(value: Double, low: Double, high: Double) {
        self.value = value
        self.low = low
        self.high = high
    }

    /// A share's interval ends at 0 and 1.
    var asShare: Estimate { Estimate(value: value, low: max(0, low), high: min(1, high)) }

    /// The estimate of a monotone function of the value.
    func mapped(_ function: (Double) -> Double) -> Estimate {
        Estimate(value: function(value), low: function(low), high: function(high))
    }
}
