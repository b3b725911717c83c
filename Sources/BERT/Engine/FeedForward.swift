import Kernels

// A layer's feed-forward part, f(x W1 + b1) W2 without the last bias, forward and backward; f is GELU or ReLU. Where ReLU
// leaves few activations and both matrices are dense, the five products that its zeros take part in leave them out.
extension LanePass {
    /// `outputSum [rows, hidden]` of `layer`, from its attention's output; adds ReLU's zeros to `losses`' counts.
    func feedForward(_ layer: Int, rows: Int, _ losses: inout LaneLosses) throws {
        let (ranges, kept, wide) = (layout.layers[layer], memory.layers[layer], memory.scratch.wide)
        try dense(ranges.intermediate, rows: rows, kept.attentionOutput, into: kept.intermediate)
        activate(rows: rows, bias: ranges.intermediate.bias, kept.intermediate, into: wide)
        let packed = pack(ranges, rows: rows, kept.intermediate)
        if leavesZeros(ranges) {
            let computed = rows * kept.intermediate.width
            let zero = computed - engine.packedActivations.activeCount
            losses.activations += ActivationCounts(computed: computed, zero: zero, skipped: packed == nil ? 0 : zero)
        }
        guard let packed else { return try dense(ranges.output, rows: rows, wide, into: kept.outputSum) }
        measureProduct(packed, rows: rows) {
            packed.output(
                kernels, hidden: configuration.hidden, activations: wide.start, stride: wide.stride,
                weight: parameters + ranges.output.weight.lowerBound, into: kept.outputSum.start,
                yStride: kept.outputSum.stride)
        }
    }

    /// From the gradient of its output in `scratch.inner`, adds that of its input to `scratch.gradient`.
    func feedForwardBackward(_ layer: Int, rows: Int, _ target: GradientTarget, _ report: inout GradientReport) throws {
        let (ranges, kept) = (layout.layers[layer], memory.layers[layer])
        let bias = target.sum(ranges.intermediate.bias)
        let done = (output: ranges.intermediate.weight.lowerBound, input: ranges.attentionNorm.weight.lowerBound)
        let (gradient, inner, wide) = (memory.scratch.gradient, memory.scratch.inner, memory.scratch.wide)
        guard let packed = pack(ranges, rows: rows, kept.intermediate) else {
            try denseBackward(ranges.output, rows: rows, inner, into: wide, beta: 0)
            activateBackward(rows: rows, kept.intermediate, wide, bias: bias)
            try weightGradient(ranges.output, rows: rows, inner, kept.intermediate, target)
            try report(upTo: done.output)
            try weightGradient(ranges.intermediate, rows: rows, wide, kept.attentionOutput, target)
            try report(upTo: done.input)
            return try denseBackward(ranges.intermediate, rows: rows, wide, into: gradient, beta: 1)
        }
        let hidden = configuration.hidden
        measureProduct(packed, rows: rows) {
            packed.slopes(
                kernels, hidden: hidden, outputSlopes: inner.start, outputStride: inner.stride,
                weight: parameters + ranges.output.weight.lowerBound, into: wide.start, stride: wide.stride)
        }
        activateBackward(rows: rows, kept.intermediate, wide, bias: bias)
        measureProduct(packed, rows: rows) {
            packed.outputWeight(
                kernels, hidden: hidden, activations: kept.intermediate.start, stride: kept.intermediate.stride,
                outputSlopes: inner.start, outputStride: inner.stride, accumulate: target.accumulate,
                into: target.product(ranges.output.weight))
        }
        try report(upTo: done.output)
        measureProduct(packed, rows: rows) {
            packed.inputWeight(
                kernels, hidden: hidden, slopes: wide.start, stride: wide.stride, input: kept.attentionOutput.start,
                inputStride: kept.attentionOutput.stride, accumulate: target.accumulate,
                into: target.product(ranges.intermediate.weight))
        }
        try report(upTo: done.input)
        measureProduct(packed, rows: rows) {
            packed.inputSlopes(
                kernels, hidden: hidden, weight: parameters + ranges.intermediate.weight.lowerBound,
                into: gradient.start, xStride: gradient.stride)
        }
    }

    /// Whether the layer's inner activations have zeros that its products may leave out.
    private func leavesZeros(_ ranges: LayerRanges) -> Bool {
        configuration.activation == .relu && sparse?.weights.matrix(ranges.intermediate.weight) == nil
            && sparse?.weights.matrix(ranges.output.weight) == nil
    }

    /// What ReLU leaves of `inner [rows, intermediate]`; nil where that is too much, or the matrices are sparse themselves.
    private func pack(_ ranges: LayerRanges, rows: Int, _ inner: Matrix) -> PackedActivations? {
        guard leavesZeros(ranges) else { return nil }
        let packed = engine.packedActivations
        var isSparse = false
        engine.measure(.activationPacking, floats: rows * inner.width) {
            isSparse = packed.pack(inner.start, tokens: rows, width: inner.width, stride: inner.stride)
        }
        return isSparse ? packed : nil
    }

    private func measureProduct(_ packed: PackedActivations, rows: Int, _ body: () -> Void) {
        let (hidden, inner) = (configuration.hidden, configuration.intermediate)
        engine.measure(
            .sparseProducts, floats: hidden * (rows + inner) + packed.count, operations: 2 * hidden * packed.count,
            skipped: 2 * hidden * (rows * inner - packed.count), body)
    }
}
