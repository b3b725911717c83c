import Kernels

// One post-layer-norm encoder layer (Devlin et al. 2019), forward and backward. x is [tokens, hidden]:
//   a = norm(x + dropout(attention(x) Wo + bo));   y = norm(a + dropout(gelu(a W1 + b1) W2 + b2))
// From its queries on, the last layer has only the rows that the heads read.
extension LanePass {
    private func isLast(_ layer: Int) -> Bool { layer == configuration.layers - 1 }

    /// The rows that `layer` computes an output for.
    private func rows(_ layer: Int) -> wm_tokens { isLast(layer) ? reads : tokens }

    /// Input of `layer`, `[tokens, hidden]`.
    func input(of layer: Int) -> Floats {
        layer == 0 ? memory.embeddingOutput : memory.layers[layer - 1].output
    }

    /// Output of the last layer, `[reads, hidden]`.
    var encoded: Floats { memory.layers[configuration.layers - 1].output }

    /// Runs `layer` forward.
    func encode(_ layer: Int) throws {
        let (hidden, wide) = (configuration.hidden, configuration.intermediate)
        let (ranges, kept, rows) = (layout.layers[layer], memory.layers[layer], rows(layer))
        let residual = isLast(layer) ? memory.readInput : input(of: layer)

        try attend(layer)
        try dense(
            ranges.attentionOutput, rows: rows.count, in: hidden, out: hidden, kept.context, into: kept.attentionSum)
        engine.measure(.residualNorm, floats: 4 * rows.count * hidden) {
            kernels.residual_norm(
                rows, hidden, parameters + ranges.attentionOutput.bias.lowerBound, residual,
                parameters + ranges.attentionNorm.weight.lowerBound, parameters + ranges.attentionNorm.bias.lowerBound,
                configuration.layerNormEpsilon, hiddenMask(.attentionOutput, layer), kept.attentionSum,
                kept.attentionOutput, kept.attentionMean, kept.attentionDeviation)
        }
        try dense(
            ranges.intermediate, rows: rows.count, in: hidden, out: wide, kept.attentionOutput, into: kept.intermediate)
        engine.measure(.gelu, floats: 3 * rows.count * wide) {
            kernels.bias_gelu(
                rows.count, wide, parameters + ranges.intermediate.bias.lowerBound, kept.intermediate, memory.wide)
        }
        try dense(ranges.output, rows: rows.count, in: wide, out: hidden, memory.wide, into: kept.outputSum)
        engine.measure(.residualNorm, floats: 4 * rows.count * hidden) {
            kernels.residual_norm(
                rows, hidden, parameters + ranges.output.bias.lowerBound, kept.attentionOutput,
                parameters + ranges.outputNorm.weight.lowerBound, parameters + ranges.outputNorm.bias.lowerBound,
                configuration.layerNormEpsilon, hiddenMask(.output, layer), kept.outputSum, kept.output,
                kept.outputMean, kept.outputDeviation)
        }
    }

    /// Runs `layer` backward: `memory.gradient` holds the gradient of its output, then of its input.
    func encodeBackward(_ layer: Int, _ target: GradientTarget, _ report: inout GradientReport) throws {
        let (hidden, wide) = (configuration.hidden, configuration.intermediate)
        let (ranges, kept, rows) = (layout.layers[layer], memory.layers[layer], rows(layer))
        let count = rows.count

        engine.measure(.residualNormBackward, floats: 4 * count * hidden) {
            kernels.residual_norm_backward(
                rows, hidden, memory.gradient, kept.outputSum, parameters + ranges.outputNorm.weight.lowerBound,
                kept.outputMean, kept.outputDeviation, hiddenMask(.output, layer), memory.gradient, memory.inner,
                target.sum(ranges.outputNorm.weight), target.sum(ranges.outputNorm.bias), target.sum(ranges.output.bias)
            )
        }
        try denseBackward(ranges.output, rows: count, in: wide, out: hidden, memory.inner, into: memory.wide, beta: 0)
        engine.measure(.geluBackward, floats: 4 * count * wide) {
            kernels.gelu_backward(
                count, wide, kept.intermediate, memory.wide, target.sum(ranges.intermediate.bias))
        }
        try weightGradient(
            ranges.output, rows: count, in: wide, out: hidden, memory.inner, kept.intermediate, target)
        try report(upTo: ranges.intermediate.weight.lowerBound)

        try weightGradient(
            ranges.intermediate, rows: count, in: hidden, out: wide, memory.wide, kept.attentionOutput, target)
        try report(upTo: ranges.attentionNorm.weight.lowerBound)
        try denseBackward(
            ranges.intermediate, rows: count, in: hidden, out: wide, memory.wide, into: memory.gradient, beta: 1)
        engine.measure(.residualNormBackward, floats: 4 * count * hidden) {
            kernels.residual_norm_backward(
                rows, hidden, memory.gradient, kept.attentionSum,
                parameters + ranges.attentionNorm.weight.lowerBound, kept.attentionMean, kept.attentionDeviation,
                hiddenMask(.attentionOutput, layer), memory.gradient, memory.inner,
                target.sum(ranges.attentionNorm.weight), target.sum(ranges.attentionNorm.bias),
                target.sum(ranges.attentionOutput.bias))
        }
        try weightGradient(
            ranges.attentionOutput, rows: count, in: hidden, out: hidden, memory.inner, kept.context, target)
        try report(upTo: ranges.queryKeyValue.weight.lowerBound)
        try denseBackward(
            ranges.attentionOutput, rows: count, in: hidden, out: hidden, memory.inner, into: memory.contextGradient,
            beta: 0)
        try attendBackward(layer, target)
        try report(upTo: ranges.queryKeyValue.bias.upperBound)
        try attentionInputBackward(layer)
    }

    private func hiddenMask(_ site: DropoutSite, _ layer: Int) -> wm_dropout {
        mask(site, layer: layer + 1, probability: configuration.hiddenDropout)
    }
}
