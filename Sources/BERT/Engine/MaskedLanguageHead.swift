import Glibc
import Kernels

// The masked-language head over the masked tokens only: t = norm(f(x Wt + bt)), logits = t E^T + b, with E the word
// embedding. Softmax and cross-entropy go through the vocabulary in tiles.
extension LanePass {
    private var noMask: wm_dropout { mask(.embedding, layer: 0, probability: 0) }

    private func forEachTile(_ body: (_ tile: Int, _ columns: Range<Int>, _ exponentials: Matrix) throws -> Void)
        rethrows
    {
        let head = memory.head
        for tile in 0..<head.tiles {
            let first = tile * head.tileWidth
            let end = min(first + head.tileWidth, configuration.vocabularySize)
            let exponentials = head.exponentials.rows(from: tile * packed.maskedReads.count)
            try body(tile, first..<end, exponentials.columns(0..<end - first))
        }
    }

    /// Adds the masked tokens' losses to `losses`.
    func maskedForward(_ batch: TokenBatch, _ losses: inout LaneLosses) throws {
        let count = packed.maskedReads.count
        losses.maskedCount = count
        guard count > 0 else { return }
        let (hidden, head, ranges) = (configuration.hidden, memory.head, layout.heads)
        for (row, read) in packed.maskedReads.enumerated() { head.rows.copyRow(row, from: encoded, read) }
        try dense(ranges.transform, rows: count, head.rows, into: head.transform, kernel: .headProducts)
        activate(rows: count, bias: ranges.transform.bias, head.transform, into: head.activation)
        engine.measure(.residualNorm, floats: 2 * count * hidden) {
            kernels.residual_norm(
                maskedTokens, hidden, head.activation.stride, nil, nil,
                parameters + ranges.transformNorm.weight.lowerBound,
                parameters + ranges.transformNorm.bias.lowerBound, configuration.layerNormEpsilon, noMask,
                head.activation.start, head.normalised.start, head.mean, head.deviation)
        }

        head.maximum.update(repeating: -Float.infinity, count: count)
        Vector.zero(head.sum, count: count)
        var best = [Int32](repeating: 0, count: count)
        let embedding = parameters + layout.embeddings.word.lowerBound
        try forEachTile { tile, columns, exponentials in
            try engine.multiply(
                .headProducts, transposeB: true, m: count, n: columns.count, k: hidden, a: head.normalised.start,
                lda: head.normalised.stride, b: embedding + columns.lowerBound * hidden, ldb: hidden,
                c: exponentials.start, ldc: exponentials.stride)
            engine.measure(.crossEntropy, floats: 2 * count * columns.count) {
                kernels.vocabulary_tile(
                    count, columns.count, exponentials.stride, Int32(columns.lowerBound),
                    parameters + ranges.decoderBias.lowerBound + columns.lowerBound, batch.maskedLabels,
                    exponentials.start, head.tileMaximum + tile * count, head.maximum, head.sum, &best,
                    head.labelLogit)
            }
        }
        for row in 0..<count {
            head.logSum[row] = head.maximum[row] + logf(head.sum[row])
            losses.maskedLossSum += Double(head.logSum[row]) - Double(head.labelLogit[row])
            losses.maskedCorrect += best[row] == batch.maskedLabels[row] ? 1 : 0
        }
    }

    /// The head's gradients, the decoder's share of the word embedding's, and the residual stream's at masked tokens.
    func maskedBackward(_ batch: TokenBatch, _ target: GradientTarget, scale: Float, count lossCount: Int) throws {
        let count = packed.maskedReads.count
        let (hidden, head, ranges) = (configuration.hidden, memory.head, layout.heads)
        guard count > 0 else {
            for range in [
                ranges.decoderBias, ranges.transformNorm.weight, ranges.transformNorm.bias, ranges.transform.weight,
                ranges.transform.bias, layout.embeddings.word,
            ] { _ = target.sum(range) }
            return
        }
        let slope = scale / Float(max(lossCount, 1))
        let embedding = layout.embeddings.word
        let biasGradient = target.sum(ranges.decoderBias)
        try forEachTile { tile, columns, exponentials in
            engine.measure(.crossEntropyBackward, floats: 2 * count * columns.count) {
                kernels.vocabulary_tile_backward(
                    count, columns.count, exponentials.stride, Int32(columns.lowerBound), batch.maskedLabels, slope,
                    head.tileMaximum + tile * count, head.logSum, exponentials.start,
                    biasGradient + columns.lowerBound)
            }
            let rows = columns.lowerBound * hidden..<columns.upperBound * hidden
            try engine.multiply(
                .headProducts, transposeA: true, m: columns.count, n: hidden, k: count, a: exponentials.start,
                lda: exponentials.stride, b: head.normalised.start, ldb: head.normalised.stride, beta: target.beta,
                c: target.pointer + embedding.lowerBound + rows.lowerBound, ldc: hidden)
            try engine.multiply(
                .headProducts, m: count, n: hidden, k: columns.count, a: exponentials.start, lda: exponentials.stride,
                b: parameters + embedding.lowerBound + rows.lowerBound, ldb: hidden, beta: tile == 0 ? 0 : 1,
                c: head.gradient.start, ldc: head.gradient.stride)
        }
        engine.measure(.residualNormBackward, floats: 3 * count * hidden) {
            kernels.residual_norm_backward(
                maskedTokens, hidden, head.gradient.stride, head.gradient.start, head.activation.start,
                parameters + ranges.transformNorm.weight.lowerBound, head.mean, head.deviation, noMask,
                head.gradient.start, nil, target.sum(ranges.transformNorm.weight),
                target.sum(ranges.transformNorm.bias), nil)
        }
        activateBackward(rows: count, head.transform, head.gradient, bias: target.sum(ranges.transform.bias))
        try weightGradient(
            ranges.transform, rows: count, head.gradient, head.rows, target, kernel: .headProducts)
        try denseBackward(
            ranges.transform, rows: count, head.gradient, into: head.rows, beta: 0, kernel: .headProducts)
        for (row, read) in packed.maskedReads.enumerated() {
            memory.scratch.gradient.addRow(read, from: head.rows, row)
        }
    }

    // Norms without dropout look at the number of rows only.
    private var maskedTokens: wm_tokens {
        wm_tokens(count: packed.maskedReads.count, example: tokens.example, position: tokens.position)
    }
}
