#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How far measured samples scatter about any smooth curve over the batch: what no law can tell, however good it is.
///
/// Each batch between two others is compared with the straight line through its neighbours, on logarithms, after the law's
/// own curvature is taken away; a straight line's residual has (a² + b² + 1) times the variance of a row (Gasser, Sroka and
/// Jennen-Steinmetz 1986, "Residual variance and residual pattern in nonlinear regression", Biometrika 73).
public struct SmoothScatter: Hashable, Sendable, Codable {
    /// The standard deviation of a row about a smooth curve, in per cent.
    public var deviationPercent: Double
    /// The mean absolute error to be expected of a law that were known exactly, in per cent.
    public var knownLawErrorPercent: Double
    /// The same of each row predicted by a law of two constants fitted to the others.
    public var leftOutErrorPercent: Double

    enum CodingKeys: String, CodingKey {
        case deviationPercent = "deviation_percent"
        case knownLawErrorPercent = "known_law_error_percent"
        case leftOutErrorPercent = "left_out_error_percent"
    }

    /// The scatter of `points` about `law`; nil for fewer than three batches.
    init?(_ points: [ConvergenceLaw.Point], about law: ConvergenceLaw) {
        let sorted = points.sorted { $0.globalBatch < $1.globalBatch }
        guard sorted.count > 2, Set(sorted.map(\.globalBatch)).count == sorted.count else { return nil }
        let places = sorted.map { log($0.globalBatch) }
        let residuals = sorted.map { log($0.samples / law.uncorrectedSamples(globalBatch: $0.globalBatch)) }
        let inner = 1..<(sorted.count - 1)
        let squares = inner.map { index in
            let share = (places[index] - places[index - 1]) / (places[index + 1] - places[index - 1])
            let rest = (1 - share) * residuals[index - 1] + share * residuals[index + 1] - residuals[index]
            return rest * rest / ((1 - share) * (1 - share) + share * share + 1)
        }
        let deviation = (squares.reduce(0, +) / Double(inner.count)).squareRoot()
        // The mean of |x| for a normal x.
        let mean = deviation * (2 / Double.pi).squareRoot()
        // A law through the other rows misses a row by 1 / (1 - h) of the variance, h the row's leverage on its own fit.
        let slopes = sorted.map { $0.globalBatch / ($0.globalBatch + law.criticalBatch) }
        let middle = slopes.reduce(0, +) / Double(slopes.count)
        let spread = slopes.reduce(0) { $0 + ($1 - middle) * ($1 - middle) }
        let factors = slopes.map { slope in
            let leverage = 1 / Double(slopes.count) + (spread > 0 ? (slope - middle) * (slope - middle) / spread : 0)
            return 1 / max(1e-9, 1 - leverage).squareRoot()
        }
        deviationPercent = 100 * deviation
        knownLawErrorPercent = 100 * mean
        leftOutErrorPercent = 100 * mean * factors.reduce(0, +) / Double(factors.count)
    }
}
