import Kernels

extension LanePass {
    private var embeddingMask: wm_dropout {
        mask(.embedding, layer: 0, probability: configuration.hiddenDropout)
    }

    /// Word, position and type embedding, layer norm, dropout.
    func embed() throws {
        let (ranges, kept) = (layout.embeddings, memory.embedding)
        engine.measure(.embedding, floats: 3 * packed.tokenCount * configuration.hidden) {
            kernels.embed(
                tokens, configuration.hidden, kept.sum.stride, packed.ids, packed.types,
                parameters + ranges.word.lowerBound, parameters + ranges.position.lowerBound,
                parameters + ranges.type.lowerBound, parameters + ranges.norm.weight.lowerBound,
                parameters + ranges.norm.bias.lowerBound, configuration.layerNormEpsilon, embeddingMask,
                kept.sum.start, kept.output.start, kept.mean, kept.deviation)
        }
    }

    /// The embeddings' gradients; the word embedding's already holds the decoder's share.
    func embedBackward(_ target: GradientTarget) throws {
        let (ranges, kept, gradient) = (layout.embeddings, memory.embedding, memory.scratch.gradient)
        engine.measure(.embeddingBackward, floats: 6 * packed.tokenCount * configuration.hidden) {
            kernels.embed_backward(
                tokens, configuration.hidden, gradient.stride, gradient.start, kept.sum.start,
                parameters + ranges.norm.weight.lowerBound, kept.mean, kept.deviation, embeddingMask,
                target.sum(ranges.norm.weight), target.sum(ranges.norm.bias))
            kernels.embed_scatter(
                tokens, configuration.hidden, gradient.stride, packed.ids, packed.types, gradient.start,
                target.product(ranges.word), target.sum(ranges.position), target.sum(ranges.type))
        }
    }
}
