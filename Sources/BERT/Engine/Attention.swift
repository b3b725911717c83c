import Kernels

// Multi-head self-attention between a layer's input and its output's dense layer. Queries, keys and values are the columns
// of one product with the three weights, except in the last layer, where only the rows that the heads read have queries.
extension LanePass {
    /// The query's part of the fused dense layer, or the key's and value's.
    private func part(_ ranges: DenseRanges, _ blocks: Range<Int>) -> DenseRanges {
        let hidden = configuration.hidden
        let (weight, bias) = (ranges.weight.lowerBound, ranges.bias.lowerBound)
        return DenseRanges(
            weight: weight + blocks.lowerBound * hidden * hidden..<weight + blocks.upperBound * hidden * hidden,
            bias: bias + blocks.lowerBound * hidden..<bias + blocks.upperBound * hidden)
    }

    /// From the input of `layer` to the context of its attention.
    func attend(_ layer: Int) throws {
        let (hidden, count) = (configuration.hidden, packed.tokenCount)
        let (ranges, kept, x) = (layout.layers[layer].queryKeyValue, memory.layers[layer], input(of: layer))
        let projected = kept.projections
        if let fused = projected.fused {
            try dense(ranges, rows: count, x, into: fused)
        } else {
            let atReads = memory.scratch.readInput
            for (index, row) in packed.reads.enumerated() { atReads.copyRow(index, from: x, row) }
            try dense(part(ranges, 0..<1), rows: packed.reads.count, atReads, into: projected.query)
            try dense(part(ranges, 1..<3), rows: count, x, into: projected.keyValue)
        }
        engine.measure(
            .attention, floats: attentionFloats(layer), operations: 2 * attentionOperations(layer)
        ) {
            forEachHead(layer) { head in
                let (query, key) = (projected.query.start + head.query, projected.keyValue.start + head.keyValue)
                kernels.attention(
                    head.shape, head.mask, query, key, key + hidden, head.bias, head.bias + hidden,
                    head.bias + 2 * hidden, kept.context.start + head.context, kept.logSum + head.logSum)
            }
        }
    }

    /// From the gradient of the context to those of queries, keys and values, and of their weights and biases.
    func attendBackward(_ layer: Int, _ target: GradientTarget) throws {
        let (hidden, count) = (configuration.hidden, packed.tokenCount)
        let (ranges, kept, x) = (layout.layers[layer].queryKeyValue, memory.layers[layer], input(of: layer))
        let (projected, slopes) = (kept.projections, slopes(layer))
        // Four products; a fifth computes the scores again.
        engine.measure(
            .attentionBackward, floats: 2 * attentionFloats(layer), operations: 4 * attentionOperations(layer)
        ) {
            forEachHead(layer) { head in
                let (query, key) = (projected.query.start + head.query, projected.keyValue.start + head.keyValue)
                let keySlope = slopes.keyValue.start + head.keyValue
                kernels.attention_backward(
                    head.shape, head.mask, query, key, key + hidden, head.bias, head.bias + hidden,
                    head.bias + 2 * hidden, kept.context.start + head.context,
                    memory.scratch.contextGradient.start + head.context, kept.logSum + head.logSum,
                    slopes.query.start + head.query, keySlope, keySlope + hidden)
            }
            let bias = target.sum(ranges.bias)
            let (query, keyValue) = (slopes.query, slopes.keyValue)
            kernels.column_sum(isLast(layer) ? packed.reads.count : count, hidden, query.stride, query.start, bias)
            kernels.column_sum(count, 2 * hidden, keyValue.stride, keyValue.start, bias + hidden)
        }
        if let fused = slopes.fused {
            try weightGradient(ranges, rows: count, fused, x, target)
        } else {
            try weightGradient(
                part(ranges, 0..<1), rows: packed.reads.count, slopes.query, memory.scratch.readInput, target)
            try weightGradient(part(ranges, 1..<3), rows: count, slopes.keyValue, x, target)
        }
    }

    /// From the gradients of queries, keys and values, and of the residual in `scratch.gradient`, to that of the input.
    func attentionInputBackward(_ layer: Int) throws {
        let (count, gradient) = (packed.tokenCount, memory.scratch.gradient)
        let (ranges, slopes) = (layout.layers[layer].queryKeyValue, slopes(layer))
        if let fused = slopes.fused { return try denseBackward(ranges, rows: count, fused, into: gradient, beta: 1) }
        let atReads = memory.scratch.contextGradient
        Vector.copy(into: atReads.start, from: gradient.start, count: packed.reads.count * gradient.stride)
        try denseBackward(part(ranges, 0..<1), rows: packed.reads.count, slopes.query, into: atReads, beta: 1)
        try denseBackward(part(ranges, 1..<3), rows: count, slopes.keyValue, into: gradient, beta: 0)
        for (index, row) in packed.reads.enumerated() { gradient.addRow(row, from: atReads, index) }
    }

    /// Where the gradients of a layer's queries, keys and values go.
    private func slopes(_ layer: Int) -> Projections {
        isLast(layer) ? memory.scratch.lastProjections : memory.scratch.projections
    }

    /// Operations of one of attention's products over all heads and sequences: scores, or weights times values.
    private func attentionOperations(_ layer: Int) -> Int {
        (0..<packed.sequences).reduce(0) { sum, sequence in
            let length = packed.starts[sequence + 1] - packed.starts[sequence]
            let reads = packed.readStarts[sequence + 1] - packed.readStarts[sequence]
            return sum + 2 * length * (isLast(layer) ? reads : length) * configuration.hidden
        }
    }

    private func attentionFloats(_ layer: Int) -> Int {
        let queries = isLast(layer) ? packed.reads.count : packed.tokenCount
        return 2 * (packed.tokenCount + queries) * configuration.hidden
    }

    // MARK: Heads

    /// One head of one sequence, and where its part of each matrix begins.
    private struct Head {
        let shape: wm_attention
        let mask: wm_dropout
        let query: Int
        let keyValue: Int
        let context: Int
        let logSum: Int
        /// Bias of the queries; those of keys and values are `hidden` and `2 * hidden` further.
        let bias: UnsafePointer<Float>
    }

    private func forEachHead(_ layer: Int, _ body: (Head) -> Void) {
        let (width, isLast, kept) = (configuration.headWidth, isLast(layer), memory.layers[layer])
        let (queryStride, keyValueStride) = (kept.projections.query.stride, kept.projections.keyValue.stride)
        let bias = parameters + layout.layers[layer].queryKeyValue.bias.lowerBound
        let mask = mask(.attentionWeights, layer: layer + 1, probability: configuration.attentionDropout)
        for sequence in 0..<packed.sequences {
            let tokensFrom = packed.starts[sequence]
            let length = packed.starts[sequence + 1] - tokensFrom
            let queriesFrom = isLast ? packed.readStarts[sequence] : tokensFrom
            let queries = isLast ? packed.readStarts[sequence + 1] - queriesFrom : length
            let positions = (isLast ? reads : tokens).position + queriesFrom
            for head in 0..<configuration.heads {
                let column = head * width
                let shape = wm_attention(
                    length: length, queries: queries, positions_of_queries: positions, width: width,
                    query_stride: queryStride, stride: keyValueStride, context_stride: kept.context.stride,
                    example: packed.examples[tokensFrom], head: UInt32(head),
                    row_groups: UInt32((configuration.positions + 127) / 128),
                    positions: UInt32(configuration.positions), scale: 1 / Float(width).squareRoot(),
                    scratch: memory.scratch.attention)
                body(
                    Head(
                        shape: shape, mask: mask, query: queriesFrom * queryStride + column,
                        keyValue: tokensFrom * keyValueStride + column,
                        context: queriesFrom * kept.context.stride + column,
                        logSum: queriesFrom * configuration.heads + head * queries, bias: bias + column))
            }
        }
    }
}
