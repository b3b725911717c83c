#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Samples to a target as a function of the global batch.
///
/// The law is McCandlish et al. 2018 (arXiv 1812.06162): steps = S_min (1 + B_crit / B), so samples = S_0 (1 + B / B_crit)
/// with S_0 = S_min B_crit. Published tables don't follow it to the per cent (learning rates were tuned anew for every
/// batch), so what is left is interpolated: a Gaussian process over the logarithm of the batch, whose correction dies out
/// within a factor of e^(2 x reach) beyond the measured batches, where the law alone is left.
public struct ConvergenceLaw: Hashable, Sendable, Codable {
    /// A measured point.
    public struct Point: Hashable, Sendable, Codable {
        /// Sequences of a step.
        public var globalBatch: Double
        /// Sequences until the target, the mean over seeds.
        public var samples: Double

        /// A point of the given parts.
        public init(globalBatch: Double, samples: Double) {
            self.globalBatch = globalBatch
            self.samples = samples
        }
    }

    /// Samples to the target with a vanishing batch.
    public var leastSamples: Double
    /// The batch at which samples have doubled.
    public var criticalBatch: Double
    /// The measured points.
    public var points: [Point]
    /// How the correction weighs each point.
    private var weights: [Double]

    /// The standard deviation of what the law leaves, as a share; its reach in the logarithm of the batch; and how far a
    /// table's row lies from any smooth law, because its learning rate was tuned by itself (the mean over twenty or more
    /// seeds is known to 1 or 2 %). Chosen by leaving out each batch of the MLPerf table in turn about a law by least squares:
    /// reaches of 0.1 to 0.35 and scatters of 0.015 to 0.06 gave 6.8 to 7.0 %, power laws, splines and interpolation 7.7 to
    /// 17 %.
    static let (deviation, reach, noise) = (0.06, 0.25, 0.045)

    /// Critical batches that are told apart: beyond, samples don't depend on the batch; below, they are in proportion to it.
    private static let criticalBatches = 1e-2...1e9

    /// The law through `points` with the least sum of relative errors, and what it leaves of them.
    ///
    /// - Throws: `underdetermined` for fewer than two different batches.
    public init(fitting points: [Point]) throws(PerformanceModelError) {
        guard Set(points.map(\.globalBatch)).count >= 2 else {
            throw .underdetermined(
                constants: 2, rows: points.count, detail: "a convergence law needs two or more batch sizes")
        }
        let line = RelativeErrorLine(points.map { ($0.globalBatch, $0.samples) })
        criticalBatch = min(
            max(line.intercept / line.slope, Self.criticalBatches.lowerBound), Self.criticalBatches.upperBound)
        leastSamples = max(line.intercept, line.slope * Self.criticalBatches.lowerBound)
        (self.points, weights) = (points, [])
        let rest = points.map { log($0.samples / uncorrectedSamples(globalBatch: $0.globalBatch)) }
        var kernel = Matrix(points.count)
        for i in points.indices {
            for j in points.indices {
                kernel[i, j] = Self.covariance(points[i].globalBatch, points[j].globalBatch)
            }
            kernel[i, i] += Self.noise * Self.noise
        }
        weights = kernel.solved(rest) ?? [Double](repeating: 0, count: points.count)
    }

    private static func covariance(_ left: Double, _ right: Double) -> Double {
        let distance = log(left / right) / reach
        return deviation * deviation * exp(-distance * distance / 2)
    }

    /// Samples to the target at `globalBatch`.
    public func samples(globalBatch: Double) -> Double {
        let correction = zip(points, weights).reduce(0) {
            $0 + $1.1 * Self.covariance(globalBatch, $1.0.globalBatch)
        }
        return leastSamples * (1 + globalBatch / criticalBatch) * exp(correction)
    }

    /// Steps to the target at `globalBatch`.
    public func steps(globalBatch: Double) -> Double { samples(globalBatch: globalBatch) / globalBatch }

    /// Samples by the two-constant law alone.
    public func uncorrectedSamples(globalBatch: Double) -> Double {
        leastSamples * (1 + globalBatch / criticalBatch)
    }

    /// The law in words, with its constants.
    public var description: String {
        let law =
            "samples = \(Int(leastSamples.rounded())) x (1 + batch / \(Int(criticalBatch.rounded())))"
        return points.isEmpty ? law : law + ", then interpolated through \(points.count) batches"
    }

    /// Whether `globalBatch` lies within the measured batches.
    public func covers(globalBatch: Double) -> Bool {
        let batches = points.map(\.globalBatch)
        return globalBatch >= (batches.min() ?? 0) && globalBatch <= (batches.max() ?? 0)
    }

    /// The law of a measured gradient noise scale: at B_crit, samples are twice those of a small batch.
    public init(leastSamples: Double, criticalBatch: Double) {
        self.leastSamples = leastSamples
        self.criticalBatch = criticalBatch
        (points, weights) = ([], [])
    }
}

extension ConvergenceLaw.Point {
    /// The points of the file at `path`, with columns `global_batch` and `mean_samples_to_target`.
    public static func read(_ path: String) throws(PerformanceModelError) -> [ConvergenceLaw.Point] {
        let table = try CSVTable(contentsOf: path, required: ["global_batch", "mean_samples_to_target"])
        try table.requireUnique("global_batch")
        var points: [ConvergenceLaw.Point] = []
        for row in table.rows {
            points.append(
                Self(
                    globalBatch: try table.number("global_batch", row),
                    samples: try table.number("mean_samples_to_target", row)))
        }
        return points
    }
}
