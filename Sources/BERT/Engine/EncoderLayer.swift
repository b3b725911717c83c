import Kernels

// One post-layer-norm encoder layer (Devlin et al. 2019), forward and backward. x is [tokens, hidden]:
//   a = norm(x + dropout(attention(x) Wo + bo));   y = norm(a + dropout(f(a W1 + b1) W2 + b2)), f GELU or ReLU
// From its queries on, the last layer has only the rows that the heads read.
extension LanePass {
    func isLast(_ layer: Int) -> Bool { layer == configuration.layers - 1 }

    /// The rows that `layer` computes an output for.
    private func rows(_ layer: Int) -> wm_tokens { isLast(layer) ? reads : tokens }

    /// Input of `layer`, `[tokens, hidden]`.
    func input(of layer: Int) -> Matrix {
        layer == 0 ? memory.embedding.output : memory.layers[layer - 1].output
    }

    /// Output of the last layer, `[reads, hidden]`.
    var encoded: Matrix { memory.layers[configuration.layers - 1].output }

    /// Runs `layer` forward.
    func encode(_ layer: Int, _ losses: inout LaneLosses) throws {
        let hidden = configuration.hidden
        let (ranges, kept, rows) = (layout.layers[layer], memory.layers[layer], rows(layer))
        let residual = isLast(layer) ? memory.scratch.readInput : input(of: layer)

        try attend(layer)
        try dense(ranges.attentionOutput, rows: rows.count, kept.context, into: kept.attentionSum)
        engine.measure(.residualNorm, floats: 4 * rows.count * hidden) {
            kernels.residual_norm(
                rows, hidden, residual.stride, parameters + ranges.attentionOutput.bias.lowerBound, residual.start,
                parameters + ranges.attentionNorm.weight.lowerBound, parameters + ranges.attentionNorm.bias.lowerBound,
                configuration.layerNormEpsilon, hiddenMask(.attentionOutput, layer), kept.attentionSum.start,
                kept.attentionOutput.start, kept.attentionMean, kept.attentionDeviation)
        }
        try feedForward(layer, rows: rows.count, &losses)
        engine.measure(.residualNorm, floats: 4 * rows.count * hidden) {
            kernels.residual_norm(
                rows, hidden, kept.output.stride, parameters + ranges.output.bias.lowerBound,
                kept.attentionOutput.start, parameters + ranges.outputNorm.weight.lowerBound,
                parameters + ranges.outputNorm.bias.lowerBound, configuration.layerNormEpsilon,
                hiddenMask(.output, layer), kept.outputSum.start, kept.output.start, kept.outputMean,
                kept.outputDeviation)
        }
    }

    /// Runs `layer` backward: `memory.scratch.gradient` holds the gradient of its output, then of its input.
    func encodeBackward(_ layer: Int, _ target: GradientTarget, _ report: inout GradientReport) throws {
        let (ranges, kept, rows) = (layout.layers[layer], memory.layers[layer], rows(layer))
        let (hidden, count, scratch) = (configuration.hidden, rows.count, memory.scratch)
        let (gradient, inner) = (scratch.gradient, scratch.inner)

        engine.measure(.residualNormBackward, floats: 4 * count * hidden) {
            kernels.residual_norm_backward(
                rows, hidden, gradient.stride, gradient.start, kept.outputSum.start,
                parameters + ranges.outputNorm.weight.lowerBound, kept.outputMean, kept.outputDeviation,
                hiddenMask(.output, layer), gradient.start, inner.start, target.sum(ranges.outputNorm.weight),
                target.sum(ranges.outputNorm.bias), target.sum(ranges.output.bias))
        }
        engine.countZeros(.droppedGradients, rows: count, inner)
        try feedForwardBackward(layer, rows: count, target, &report)
        engine.measure(.residualNormBackward, floats: 4 * count * hidden) {
            kernels.residual_norm_backward(
                rows, hidden, gradient.stride, gradient.start, kept.attentionSum.start,
                parameters + ranges.attentionNorm.weight.lowerBound, kept.attentionMean, kept.attentionDeviation,
                hiddenMask(.attentionOutput, layer), gradient.start, inner.start,
                target.sum(ranges.attentionNorm.weight), target.sum(ranges.attentionNorm.bias),
                target.sum(ranges.attentionOutput.bias))
        }
        try weightGradient(ranges.attentionOutput, rows: count, inner, kept.context, target)
        try report(upTo: ranges.queryKeyValue.weight.lowerBound)
        try denseBackward(ranges.attentionOutput, rows: count, inner, into: scratch.contextGradient, beta: 0)
        try attendBackward(layer, target)
        try report(upTo: ranges.queryKeyValue.bias.upperBound)
        try attentionInputBackward(layer)
    }

    private func hiddenMask(_ site: DropoutSite, _ layer: Int) -> wm_dropout {
        mask(site, layer: layer + 1, probability: configuration.hiddenDropout)
    }
}
