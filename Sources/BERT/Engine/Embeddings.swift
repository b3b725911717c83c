import Kernels

extension LanePass {
    private var embeddingMask: wm_dropout {
        mask(.embedding, layer: 0, probability: configuration.hiddenDropout)
    }

    /// Word, position and type embedding, layer norm, dropout.
    func embed() throws {
        let ranges = layout.embeddings
        engine.measure(.embedding, floats: 3 * packed.tokenCount * configuration.hidden) {
            kernels.embed(
                tokens, configuration.hidden, packed.ids, packed.types, parameters + ranges.word.lowerBound,
                parameters + ranges.position.lowerBound, parameters + ranges.type.lowerBound,
                parameters + ranges.norm.weight.lowerBound, parameters + ranges.norm.bias.lowerBound,
                configuration.layerNormEpsilon, embeddingMask, memory.embeddingSum, memory.embeddingOutput,
                memory.embeddingMean, memory.embeddingDeviation)
        }
    }

    /// The embeddings' gradients; the word embedding's already holds the decoder's share.
    func embedBackward(_ target: GradientTarget) throws {
        let ranges = layout.embeddings
        engine.measure(.embeddingBackward, floats: 6 * packed.tokenCount * configuration.hidden) {
            kernels.embed_backward(
                tokens, configuration.hidden, memory.gradient, memory.embeddingSum,
                parameters + ranges.norm.weight.lowerBound, memory.embeddingMean, memory.embeddingDeviation,
                embeddingMask, target.sum(ranges.norm.weight), target.sum(ranges.norm.bias))
            kernels.embed_scatter(
                tokens, configuration.hidden, packed.ids, packed.types, memory.gradient,
                target.product(ranges.word), target.sum(ranges.position), target.sum(ranges.type))
        }
    }
}
