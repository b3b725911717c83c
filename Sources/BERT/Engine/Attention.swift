import Kernels

// Multi-head self-attention between a layer's input and its output's dense layer. Queries, keys and values are the columns
// of one product with the three weights, except in the last layer, where only the rows that the heads read have queries.
extension LanePass {
    /// Where queries, keys and values of a layer lie, or their gradients.
    private struct Projections {
        let query: Floats
        let queryStride: Int
        let keyValue: Floats
        let keyValueStride: Int

        init(_ fused: Floats, hidden: Int, reads: Int?) {
            if let reads {
                (query, queryStride) = (fused, hidden)
                (keyValue, keyValueStride) = (fused + reads * hidden, 2 * hidden)
            } else {
                (query, queryStride) = (fused, 3 * hidden)
                (keyValue, keyValueStride) = (fused + hidden, 3 * hidden)
            }
        }
    }

    private func projections(_ layer: Int, _ fused: Floats) -> Projections {
        Projections(
            fused, hidden: configuration.hidden,
            reads: layer == configuration.layers - 1 ? packed.reads.count : nil)
    }

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
        let projected = projections(layer, kept.queryKeyValue)
        if layer == configuration.layers - 1 {
            for (index, row) in packed.reads.enumerated() {
                Vector.copy(into: memory.readInput + index * hidden, from: x + row * hidden, count: hidden)
            }
            try dense(
                part(ranges, 0..<1), rows: packed.reads.count, in: hidden, out: hidden, memory.readInput,
                into: projected.query)
            try dense(part(ranges, 1..<3), rows: count, in: hidden, out: 2 * hidden, x, into: projected.keyValue)
        } else {
            try dense(ranges, rows: count, in: hidden, out: 3 * hidden, x, into: projected.query)
        }
        engine.measure(
            .attention, floats: attentionFloats(layer), operations: 2 * attentionOperations(layer)
        ) {
            forEachHead(layer, projected) { head in
                kernels.attention(
                    head.shape, head.mask, projected.query + head.query, projected.keyValue + head.keyValue,
                    projected.keyValue + head.keyValue + hidden, head.bias, head.bias + hidden, head.bias + 2 * hidden,
                    kept.context + head.context, kept.logSum + head.logSum)
            }
        }
    }

    /// From the gradient of the context to those of queries, keys and values, and of their weights and biases.
    func attendBackward(_ layer: Int, _ target: GradientTarget) throws {
        let (hidden, count) = (configuration.hidden, packed.tokenCount)
        let (ranges, kept, x) = (layout.layers[layer].queryKeyValue, memory.layers[layer], input(of: layer))
        let projected = projections(layer, kept.queryKeyValue)
        let slopes = projections(layer, memory.queryKeyValueGradient)
        // Four products; a fifth computes the scores again.
        engine.measure(
            .attentionBackward, floats: 2 * attentionFloats(layer), operations: 4 * attentionOperations(layer)
        ) {
            forEachHead(layer, projected) { head in
                kernels.attention_backward(
                    head.shape, head.mask, projected.query + head.query, projected.keyValue + head.keyValue,
                    projected.keyValue + head.keyValue + hidden, head.bias, head.bias + hidden, head.bias + 2 * hidden,
                    kept.context + head.context, memory.contextGradient + head.context, kept.logSum + head.logSum,
                    slopes.query + head.query, slopes.keyValue + head.keyValue, slopes.keyValue + head.keyValue + hidden
                )
            }
            let bias = target.sum(ranges.bias)
            if layer == configuration.layers - 1 {
                kernels.column_sum(packed.reads.count, hidden, slopes.query, bias)
                kernels.column_sum(count, 2 * hidden, slopes.keyValue, bias + hidden)
            } else {
                kernels.column_sum(count, 3 * hidden, slopes.query, bias)
            }
        }
        if layer == configuration.layers - 1 {
            try weightGradient(
                part(ranges, 0..<1), rows: packed.reads.count, in: hidden, out: hidden, slopes.query, memory.readInput,
                target)
            try weightGradient(
                part(ranges, 1..<3), rows: count, in: hidden, out: 2 * hidden, slopes.keyValue, x, target)
        } else {
            try weightGradient(ranges, rows: count, in: hidden, out: 3 * hidden, slopes.query, x, target)
        }
    }

    /// From the gradients of queries, keys and values, and of the residual in `memory.gradient`, to that of the input.
    func attentionInputBackward(_ layer: Int) throws {
        let (hidden, count) = (configuration.hidden, packed.tokenCount)
        let ranges = layout.layers[layer].queryKeyValue
        let slopes = projections(layer, memory.queryKeyValueGradient)
        guard layer == configuration.layers - 1 else {
            return try denseBackward(
                ranges, rows: count, in: hidden, out: 3 * hidden, slopes.query, into: memory.gradient, beta: 1)
        }
        let atReads = memory.contextGradient
        Vector.copy(into: atReads, from: memory.gradient, count: packed.reads.count * hidden)
        try denseBackward(
            part(ranges, 0..<1), rows: packed.reads.count, in: hidden, out: hidden, slopes.query, into: atReads, beta: 1
        )
        try denseBackward(
            part(ranges, 1..<3), rows: count, in: hidden, out: 2 * hidden, slopes.keyValue, into: memory.gradient,
            beta: 0)
        for (index, row) in packed.reads.enumerated() {
            Vector.add(into: memory.gradient + row * hidden, from: atReads + index * hidden, count: hidden)
        }
    }

    /// Operations of one of attention's products over all heads and sequences: scores, or weights times values.
    private func attentionOperations(_ layer: Int) -> Int {
        (0..<packed.sequences).reduce(0) { sum, sequence in
            let length = packed.starts[sequence + 1] - packed.starts[sequence]
            let reads = packed.readStarts[sequence + 1] - packed.readStarts[sequence]
            return sum + 2 * length * (layer == configuration.layers - 1 ? reads : length) * configuration.hidden
        }
    }

    private func attentionFloats(_ layer: Int) -> Int {
        let queries = layer == configuration.layers - 1 ? packed.reads.count : packed.tokenCount
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

    private func forEachHead(_ layer: Int, _ projected: Projections, _ body: (Head) -> Void) {
        let (hidden, width) = (configuration.hidden, configuration.headWidth)
        let isLast = layer == configuration.layers - 1
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
                    query_stride: projected.queryStride, stride: projected.keyValueStride, context_stride: hidden,
                    example: packed.examples[tokensFrom], head: UInt32(head),
                    row_groups: UInt32((configuration.positions + 127) / 128),
                    positions: UInt32(configuration.positions), scale: 1 / Float(width).squareRoot(),
                    scratch: memory.attentionScratch)
                body(
                    Head(
                        shape: shape, mask: mask, query: queriesFrom * projected.queryStride + column,
                        keyValue: tokensFrom * projected.keyValueStride + column,
                        context: queriesFrom * hidden + column,
                        logSum: queriesFrom * configuration.heads + head * queries, bias: bias + column))
            }
        }
    }
}
