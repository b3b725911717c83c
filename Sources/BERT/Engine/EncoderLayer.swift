import Kernels

// One post-layer-norm encoder layer (Devlin et al. 2019), forward and backward. x is [tokens, hidden]:
//   a = norm(x + dropout(attention(x) Wo + bo));   y = norm(a + dropout(gelu(a W1 + b1) W2 + b2))
extension LanePass {
    private func input(of layer: Int) -> Floats {
        layer == 0 ? memory.embeddingOutput : memory.layers[layer - 1].output
    }

    /// Output of the last layer, `[tokens, hidden]`.
    var encoded: Floats { input(of: configuration.layers) }

    /// Runs `layer` forward.
    func encode(_ layer: Int) throws {
        let (hidden, wide, count) = (configuration.hidden, configuration.intermediate, packed.tokenCount)
        let ranges = layout.layers[layer]
        let kept = memory.layers[layer]
        let x = input(of: layer)

        try dense(ranges.queryKeyValue, rows: count, in: hidden, out: 3 * hidden, x, into: kept.queryKeyValue)
        engine.measure(.attention) {
            forEachHead(layer) { shape, offset, sums in
                kernels.attention(
                    shape, attentionMask(layer), kept.queryKeyValue + offset.rows,
                    kept.queryKeyValue + offset.rows + hidden, kept.queryKeyValue + offset.rows + 2 * hidden,
                    bias(ranges, 0, offset), bias(ranges, 1, offset), bias(ranges, 2, offset),
                    kept.context + offset.context, kept.logSum + sums)
            }
        }
        try dense(ranges.attentionOutput, rows: count, in: hidden, out: hidden, kept.context, into: kept.attentionSum)
        engine.measure(.layerNorm) {
            kernels.residual_norm(
                tokens, hidden, parameters + ranges.attentionOutput.bias.lowerBound, x,
                parameters + ranges.attentionNorm.weight.lowerBound, parameters + ranges.attentionNorm.bias.lowerBound,
                configuration.layerNormEpsilon, hiddenMask(.attentionOutput, layer), kept.attentionSum,
                kept.attentionOutput, kept.attentionMean, kept.attentionDeviation)
        }
        try dense(
            ranges.intermediate, rows: count, in: hidden, out: wide, kept.attentionOutput, into: kept.intermediate)
        engine.measure(.gelu) {
            kernels.bias_gelu(
                count, wide, parameters + ranges.intermediate.bias.lowerBound, kept.intermediate, memory.wide)
        }
        try dense(ranges.output, rows: count, in: wide, out: hidden, memory.wide, into: kept.outputSum)
        engine.measure(.layerNorm) {
            kernels.residual_norm(
                tokens, hidden, parameters + ranges.output.bias.lowerBound, kept.attentionOutput,
                parameters + ranges.outputNorm.weight.lowerBound, parameters + ranges.outputNorm.bias.lowerBound,
                configuration.layerNormEpsilon, hiddenMask(.output, layer), kept.outputSum, kept.output,
                kept.outputMean, kept.outputDeviation)
        }
    }

    /// Runs `layer` backward: `memory.gradient` holds the gradient of its output, then of its input.
    func encodeBackward(_ layer: Int, _ target: GradientTarget, _ report: inout GradientReport) throws {
        let (hidden, wide, count) = (configuration.hidden, configuration.intermediate, packed.tokenCount)
        let ranges = layout.layers[layer]
        let kept = memory.layers[layer]

        engine.measure(.layerNorm) {
            kernels.residual_norm_backward(
                tokens, hidden, memory.gradient, kept.outputSum, parameters + ranges.outputNorm.weight.lowerBound,
                kept.outputMean, kept.outputDeviation, hiddenMask(.output, layer), memory.gradient, memory.inner,
                target.sum(ranges.outputNorm.weight), target.sum(ranges.outputNorm.bias), target.sum(ranges.output.bias)
            )
        }
        try denseBackward(ranges.output, rows: count, in: wide, out: hidden, memory.inner, into: memory.wide, beta: 0)
        engine.measure(.gelu) {
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
        engine.measure(.layerNorm) {
            kernels.residual_norm_backward(
                tokens, hidden, memory.gradient, kept.attentionSum,
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
        engine.measure(.attention) {
            let slopes = memory.queryKeyValueGradient
            forEachHead(layer) { shape, offset, sums in
                kernels.attention_backward(
                    shape, attentionMask(layer), kept.queryKeyValue + offset.rows,
                    kept.queryKeyValue + offset.rows + hidden, kept.queryKeyValue + offset.rows + 2 * hidden,
                    bias(ranges, 0, offset), bias(ranges, 1, offset), bias(ranges, 2, offset),
                    kept.context + offset.context, memory.contextGradient + offset.context, kept.logSum + sums,
                    slopes + offset.rows, slopes + offset.rows + hidden, slopes + offset.rows + 2 * hidden)
            }
            kernels.column_sum(count, 3 * hidden, slopes, target.sum(ranges.queryKeyValue.bias))
        }
        try weightGradient(
            ranges.queryKeyValue, rows: count, in: hidden, out: 3 * hidden, memory.queryKeyValueGradient,
            input(of: layer), target)
        try report(upTo: ranges.queryKeyValue.bias.upperBound)
        try denseBackward(
            ranges.queryKeyValue, rows: count, in: hidden, out: 3 * hidden, memory.queryKeyValueGradient,
            into: memory.gradient, beta: 1)
    }

    // MARK: Attention's heads

    /// Where a head's columns begin in the fused rows, in the context, and among the heads.
    private struct HeadOffset {
        let rows: Int
        let context: Int
        let column: Int
    }

    private func forEachHead(_ layer: Int, _ body: (wm_attention, HeadOffset, Int) -> Void) {
        let (hidden, width) = (configuration.hidden, configuration.headWidth)
        for sequence in 0..<packed.sequences {
            let start = packed.starts[sequence]
            let length = packed.starts[sequence + 1] - start
            for head in 0..<configuration.heads {
                let shape = wm_attention(
                    length: length, width: width, stride: 3 * hidden, context_stride: hidden,
                    example: packed.examples[start], head: UInt32(head),
                    row_groups: UInt32((configuration.positions + 127) / 128),
                    positions: UInt32(configuration.positions), scale: 1 / Float(width).squareRoot(),
                    scratch: memory.attentionScratch)
                let column = head * width
                body(
                    shape,
                    HeadOffset(rows: start * 3 * hidden + column, context: start * hidden + column, column: column),
                    start * configuration.heads + head * length)
            }
        }
    }

    private func bias(_ ranges: LayerRanges, _ part: Int, _ offset: HeadOffset) -> UnsafePointer<Float> {
        parameters + ranges.queryKeyValue.bias.lowerBound + part * configuration.hidden + offset.column
    }

    private func attentionMask(_ layer: Int) -> wm_dropout {
        mask(.attentionWeights, layer: layer + 1, probability: configuration.attentionDropout)
    }

    private func hiddenMask(_ site: DropoutSite, _ layer: Int) -> wm_dropout {
        mask(site, layer: layer + 1, probability: configuration.hiddenDropout)
    }
}
