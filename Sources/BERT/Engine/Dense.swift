import Kernels

// A dense layer's three products. Weights lie as [out, in], so y = x W^T.
extension LanePass {
    /// `into [rows, out] = x [rows, in] W^T`; the bias is for the kernel that follows.
    func dense(
        _ ranges: DenseRanges, rows: Int, in width: Int, out: Int, _ x: UnsafePointer<Float>, into: Floats,
        kernel: StepKernel = .encoderProducts
    ) throws {
        try engine.multiply(
            kernel, transposeB: true, m: rows, n: out, k: width, a: x, b: parameters + ranges.weight.lowerBound,
            c: into)
    }

    /// `into [rows, in] = dy [rows, out] W + beta * into`.
    func denseBackward(
        _ ranges: DenseRanges, rows: Int, in width: Int, out: Int, _ dy: UnsafePointer<Float>, into: Floats,
        beta: Float, kernel: StepKernel = .encoderProducts
    ) throws {
        try engine.multiply(
            kernel, m: rows, n: width, k: out, a: dy, b: parameters + ranges.weight.lowerBound, beta: beta, c: into)
    }

    /// The weight's gradient: `dW [out, in] = dy^T x`, added where gradients accumulate.
    func weightGradient(
        _ ranges: DenseRanges, rows: Int, in width: Int, out: Int, _ dy: UnsafePointer<Float>,
        _ x: UnsafePointer<Float>, _ target: GradientTarget, kernel: StepKernel = .encoderProducts
    ) throws {
        try engine.multiply(
            kernel, transposeA: true, m: out, n: width, k: rows, a: dy, b: x, beta: target.beta,
            c: target.product(ranges.weight))
    }
}
