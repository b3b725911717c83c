import Jobs

/// A training step with each kind of block once: what the model computes times from, since all layers are alike.
/// `OperatorGraph` is the same with every layer written out.
public struct StepTemplate: Hashable, Sendable {
    /// The shape that the template was built for.
    public var workload: Workload
    /// Lookup of the embeddings.
    public var embeddingsForward: Operator
    /// One encoder layer, forward.
    public var layerForward: [Operator]
    /// The masked-token and next-sentence heads, forward and backward.
    public var heads: [Operator]
    /// One encoder layer, backward.
    public var layerBackward: [Operator]
    /// The embeddings' gradient.
    public var embeddingsBackward: Operator
    /// The optimizer over all parameters.
    public var update: Operator
    /// Parameters of the heads, without the tied decoder matrix.
    public var headParameters: Int
    /// Parameters of one encoder layer.
    public var layerParameters: Int
    /// Parameters of the embeddings, the tied decoder matrix among them.
    public var embeddingParameters: Int

    /// Parameters in all.
    public var parameterCount: Int {
        headParameters + workload.model.layers * layerParameters + embeddingParameters
    }

    /// Parameter tensors: 16 of a layer, 5 of the embeddings, up to 9 of the heads.
    public var tensorCount: Int { 16 * workload.model.layers + 5 + (workload.nextSentence ? 9 : 5) }

    /// Floating-point operations of a micro-batch's matrix products.
    public var matrixFlops: Double {
        func flops(_ block: [Operator]) -> Double {
            block.reduce(0) { $0 + ($1.isMatrixProduct ? $1.flops : 0) }
        }
        return Double(workload.model.layers) * (flops(layerForward) + flops(layerBackward)) + flops(heads)
    }
}
