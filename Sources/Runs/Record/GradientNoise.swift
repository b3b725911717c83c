/// How much the gradient of one example differs from the mean gradient: what bounds the batch that is worth its examples.
///
/// McCandlish et al. 2018 (arXiv 1812.06162): with the gradient G of the whole distribution and the covariance Σ of a
/// single example's, the *simple noise scale* is B = tr(Σ) / |G|². A global batch far below it makes steps that are mostly
/// noise, and twice the batch nearly halves their number; far above it, twice the batch buys next to nothing.
public struct GradientNoise: Hashable, Sendable, Codable {
    /// An unbiased estimate of |G|²; it may be negative, where noise is all that was seen.
    public var squaredNorm: Double
    /// An unbiased estimate of tr(Σ), a single sequence being the example.
    public var covarianceTrace: Double

    /// Noise of the given parts.
    public init(squaredNorm: Double, covarianceTrace: Double) {
        self.squaredNorm = squaredNorm
        self.covarianceTrace = covarianceTrace
    }

    /// The simple noise scale, in sequences; nil where the estimates allow none.
    public var scale: Double? {
        guard squaredNorm > 0, covarianceTrace > 0 else { return nil }
        let scale = covarianceTrace / squaredNorm
        return scale.isFinite ? scale : nil
    }

    /// The estimates that one step allows, with the paper's appendix A.1: a small batch, which is a lane, and a large one,
    /// which is the global batch, see the same |G|² but a different share of the noise:
    /// E|g|² = |G|² + tr(Σ) / batch.
    ///
    /// - Parameters:
    ///   - laneSquaredNorm: the mean over lanes of the squared norm of a lane's mean gradient.
    ///   - gradientNorm: the norm of the mean over lanes.
    ///   - sequences: of the global batch.
    ///   - lanes: that share it, each with as many; nil comes back for fewer than two.
    public init?(laneSquaredNorm: Double, gradientNorm: Double, sequences: Int, lanes: Int) {
        guard lanes > 1, sequences >= lanes else { return nil }
        let large = Double(sequences)
        let small = large / Double(lanes)
        let squaredNorm = gradientNorm * gradientNorm
        self.squaredNorm = (large * squaredNorm - small * laneSquaredNorm) / (large - small)
        covarianceTrace = (laneSquaredNorm - squaredNorm) / (1 / small - 1 / large)
        guard self.squaredNorm.isFinite, covarianceTrace.isFinite else { return nil }
    }
}

/// The average of the noise over the steps of a run at which it was measured.
///
/// One step's estimates are themselves noisy, and the mean of ratios is not the ratio of means. So, as the paper does, |G|²
/// and tr(Σ) are averaged apart, with weights that decay exponentially into the past, and divided last. Beginning anew where
/// the sequence length changes: other lengths, other gradients.
public struct GradientNoiseAverage: Hashable, Sendable {
    private struct Measurement: Hashable {
        var step: Int
        var sequence: Int
        var noise: GradientNoise
    }

    /// How much an older measurement weighs beside the next one: the average looks back over about 32.
    static let decay = 1 - 1.0 / 32

    private let lanes: Int
    /// In the order of steps; a step that is made again takes its own place.
    private var measurements: [Measurement] = []

    /// No measurement yet, in a job of `lanes` lanes.
    public init(lanes: Int) { self.lanes = lanes }

    /// Takes in a step, whose sequences are `sequence` tokens long.
    public mutating func observe(_ step: StepRecord, sequence: Int) {
        while let last = measurements.last, last.step >= step.step.index { measurements.removeLast() }
        guard let squaredNorm = step.laneGradientSquaredNorm,
            let noise = GradientNoise(
                laneSquaredNorm: squaredNorm, gradientNorm: step.gradientNorm, sequences: step.sequences, lanes: lanes)
        else { return }
        measurements.append(Measurement(step: step.step.index, sequence: sequence, noise: noise))
    }

    /// The average over the steps before `stepsMade` steps were made; nil where none was measured.
    public func noise(after stepsMade: Int) -> GradientNoise? {
        let known = measurements.prefix { $0.step < stepsMade }
        guard let sequence = known.last?.sequence else { return nil }
        var sum = GradientNoise(squaredNorm: 0, covarianceTrace: 0)
        var weight = 0.0
        for measurement in known.drop(while: { $0.sequence != sequence }) {
            sum.squaredNorm = Self.decay * sum.squaredNorm + measurement.noise.squaredNorm
            sum.covarianceTrace = Self.decay * sum.covarianceTrace + measurement.noise.covarianceTrace
            weight = Self.decay * weight + 1
        }
        return GradientNoise(
            squaredNorm: sum.squaredNorm / weight, covarianceTrace: sum.covarianceTrace / weight)
    }
}
