import Jobs
import Runs

/// What ReLU's zeros amounted to in a run whose feed-forward matrices are dense, over the steps that counted them.
public struct ActivationZeroFigures: Sendable, Encodable {
    /// Inner activations of all layers and the tokens that these compute, those that were zero, and those that were in a
    /// layer whose products left them out.
    public var activations: Int
    public var zeroActivations: Int
    public var skippedActivations: Int
    /// The share of inner activations that were zero.
    public var zeroShare: Double
    /// Multiply-adds with the encoder's weights, as the textbook counts them: forward and both gradients, all layers, every
    /// real token.
    public var denseMultiplyAdds: Double
    /// Those of them that have a factor that is not a zero of ReLU's.
    public var nonZeroMultiplyAdds: Double
    /// Those that were really done.
    public var doneMultiplyAdds: Double
    /// The share of them all that was not done, and that leaving out every such zero would not do.
    public var harvestedShare: Double
    public var zeroMultiplyAddShare: Double

    /// Of a feed-forward layer's six products, those with inner activations or their slopes as a factor: all but the first.
    private static let productsWithZeros = 5.0

    /// The figures of `record`; nil where nothing was counted.
    init?(_ record: RunRecord) {
        let model = record.run.job.model
        let counted = record.steps.filter { $0.activationZeros != nil }
        guard !counted.isEmpty else { return nil }
        let tokens = counted.reduce(0) { $0 + $1.tokens }
        let zeros = counted.compactMap(\.activationZeros)
        activations = zeros.reduce(0) { $0 + $1.counted }
        zeroActivations = zeros.reduce(0) { $0 + $1.zero }
        skippedActivations = zeros.reduce(0) { $0 + $1.skipped }
        zeroShare = Double(zeroActivations) / Double(max(1, activations))
        let perActivation = Self.productsWithZeros * Double(model.hidden)
        denseMultiplyAdds = 3 * Double(tokens) * Double(SparsityFigures.encoderWeights(of: model))
        nonZeroMultiplyAdds = denseMultiplyAdds - perActivation * Double(zeroActivations)
        doneMultiplyAdds = denseMultiplyAdds - perActivation * Double(skippedActivations)
        harvestedShare = 1 - doneMultiplyAdds / max(1, denseMultiplyAdds)
        zeroMultiplyAddShare = 1 - nonZeroMultiplyAdds / max(1, denseMultiplyAdds)
    }

    /// In words, with the JSON Pointer `key` to these figures.
    func phrase(_ key: String) -> Phrase {
        """
        \(zeroShare, .share, key + "/zero_share") of the feed-forward layers’ inner activations were zero. Of the encoder’s \
        multiply-adds \(harvestedShare, .share, key + "/harvested_share") were not done for it; leaving out every such zero \
        would be \(zeroMultiplyAddShare, .share, key + "/zero_multiply_add_share").
        """
    }
}
