import BERT
import Jobs

/// Measures an encoder layer's products with sparse weights against dense ones: the answer of
/// `wafermark bench kernels --sparse`.
public enum SparseBench {
    /// What was measured, on the host clock.
    public struct Result: Hashable, Sendable, Codable {
        /// Rows of each thread's activations, and threads that multiply side by side.
        public var tokens: Int
        public var threads: Int
        /// Seconds of the layer's dense products.
        public var denseSeconds: Seconds
        /// One for each pattern and density.
        public var points: [Point]
        /// Where each pattern breaks even with dense products.
        public var breakEvens: [BreakEven]
        /// The feed-forward layer's products where the zeros are its activations'.
        public var activations: [ActivationPoint]
        /// The densities of weights, and of activations, up to which training uses the sparse kernels, on every machine.
        public var densityLimit: Double
        public var activationDensityLimit: Double
    }

    /// Seconds of a layer's products, until the slowest thread has ended.
    public struct Seconds: Hashable, Sendable, Codable {
        /// Outputs, the inputs' gradients and the weights' gradients.
        public var forward = 0.0
        public var inputGradient = 0.0
        public var weightGradient = 0.0
        /// Taking the new weights' values once a step, by one thread.
        public var packing = 0.0

        /// The sum.
        public var total: Double { forward + inputGradient + weightGradient + packing }

        static func += (sum: inout Seconds, other: Seconds) {
            sum.forward += other.forward
            sum.inputGradient += other.inputGradient
            sum.weightGradient += other.weightGradient
            sum.packing += other.packing
        }
    }

    /// A pattern at a density.
    public struct Point: Hashable, Sendable, Codable {
        /// The pattern's name in a job file.
        public var pattern: String
        /// The share of weights kept.
        public var density: Double
        /// Seconds of the layer's products.
        public var seconds: Seconds
        /// Their sum over that of the dense products.
        public var ratio: Double
    }

    /// What ReLU leaves against dense activations: packing it anew, and the feed-forward layer's five products that see it,
    /// forward and backward, as a step does it.
    public struct ActivationPoint: Hashable, Sendable, Codable {
        /// The share of activations that is not zero.
        public var density: Double
        public var seconds: Double
        public var denseSeconds: Double
        /// The first over the second.
        public var ratio: Double
    }

    /// Where a pattern breaks even.
    public struct BreakEven: Hashable, Sendable, Codable {
        /// The pattern's name in a job file.
        public var pattern: String
        /// The share of zeros from which on the sparse products are faster, all three and the packing together; nil where
        /// none of the measured densities is.
        public var sparsity: Double?
    }

    /// What is measured.
    public static let densities = [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.1, 0.05]
    private static let patterns: [(SparsityPattern, [Double])] = [
        (.unstructured, densities), (.block4, densities), (.nOfM(kept: 2, group: 4), [0.5]),
        (.nOfM(kept: 1, group: 4), [0.25]), (.nOfM(kept: 1, group: 8), [0.125]),
    ]

    /// Measures the shapes of `model`'s encoder layer.
    ///
    /// - Parameters:
    ///   - model: the shapes.
    ///   - tokens: rows of each thread's activations.
    ///   - threads: how many multiply side by side, all with the same weights.
    /// - Throws: `GEMMError`.
    public static func run(model: ModelShape, tokens: Int, threads: Int) throws -> Result {
        let (hidden, wide) = (model.hidden, model.intermediate)
        let shapes = [(3 * hidden, hidden), (hidden, hidden), (wide, hidden), (hidden, wide)]
        let stage = SparseBenchStage(shapes, tokens: tokens, threads: threads)
        let dense = try stage.dense()
        var points: [Point] = []
        for (pattern, densities) in patterns {
            for density in densities {
                let seconds = try stage.sparse(pattern, density: density)
                points.append(
                    Point(
                        pattern: pattern.name, density: density, seconds: seconds,
                        ratio: seconds.total / dense.total))
            }
        }
        let breakEvens = ["unstructured", "block4"].map { name in
            BreakEven(pattern: name, sparsity: breakEven(points.filter { $0.pattern == name }))
        }
        return Result(
            tokens: tokens, threads: threads, denseSeconds: dense, points: points, breakEvens: breakEvens,
            activations: try [0.9, 0.7, 0.5, 0.3, 0.1].map(stage.activations),
            densityLimit: SparsitySchedule.densityLimit,
            activationDensityLimit: PackedActivations.densityLimit)
    }

    /// The sparsity at which the ratio falls to 1, between the measured densities by a straight line.
    static func breakEven(_ points: [Point]) -> Double? {
        let falling = points.sorted { $0.density > $1.density }
        guard let index = falling.lastIndex(where: { $0.ratio > 1 }) else {
            return falling.first.map { 1 - $0.density }
        }
        guard index + 1 < falling.count else { return nil }
        let (above, below) = (falling[index], falling[index + 1])
        let share = (above.ratio - 1) / (above.ratio - below.ratio)
        return 1 - above.density + share * (above.density - below.density)
    }
}
