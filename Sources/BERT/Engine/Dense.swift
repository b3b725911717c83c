import Kernels

// A dense layer's three products, by oneDNN or, where the weight is sparse, by kernels that multiply no zero. Weights lie
// as [out, in], so y = x W^T; matrices say how wide they are.
extension LanePass {
    /// `into [rows, out] = x [rows, in] W^T`; the bias is for the kernel that follows.
    func dense(
        _ ranges: DenseRanges, rows: Int, _ x: Matrix, into y: Matrix, kernel: StepKernel? = nil
    ) throws {
        if let weight = sparse?.weights.matrix(ranges.weight) {
            return sparseDense(weight, rows: rows, x, into: y)
        }
        try engine.multiply(
            kernel ?? encoderProducts(rows: rows), transposeB: true, m: rows, n: y.width, k: x.width, a: x.start,
            lda: x.stride, b: parameters + ranges.weight.lowerBound, ldb: x.width, c: y.start, ldc: y.stride)
    }

    /// `into [rows, in] = dy [rows, out] W + beta * into`, where `beta` is 0 or 1.
    func denseBackward(
        _ ranges: DenseRanges, rows: Int, _ dy: Matrix, into dx: Matrix, beta: Float,
        kernel: StepKernel? = nil
    ) throws {
        if let weight = sparse?.weights.matrix(ranges.weight) {
            return sparseDenseBackward(weight, rows: rows, dy, into: dx, accumulate: beta != 0)
        }
        try engine.multiply(
            kernel ?? encoderProducts(rows: rows), m: rows, n: dx.width, k: dy.width, a: dy.start, lda: dy.stride,
            b: parameters + ranges.weight.lowerBound, ldb: dx.width, beta: beta, c: dx.start, ldc: dx.stride)
    }

    /// The weight's gradient: `dW [out, in] = dy^T x`, added where gradients accumulate.
    func weightGradient(
        _ ranges: DenseRanges, rows: Int, _ dy: Matrix, _ x: Matrix, _ target: GradientTarget,
        kernel: StepKernel? = nil
    ) throws {
        if let sparse, !sparse.givesAllGradients, let weight = sparse.weights.matrix(ranges.weight) {
            return sparseWeightGradient(
                weight, rows: rows, dy, x, into: target.product(ranges.weight), accumulate: target.accumulate)
        }
        try engine.multiply(
            kernel ?? encoderProducts(rows: rows), transposeA: true, m: dy.width, n: x.width, k: rows, a: dy.start,
            lda: dy.stride, b: x.start, ldb: x.stride, beta: target.beta, c: target.product(ranges.weight),
            ldc: x.width)
    }

    /// What an encoder layer's product with `rows` rows is booked under.
    private func encoderProducts(rows: Int) -> StepKernel {
        rows < packed.tokenCount ? .lastLayerProducts : .encoderProducts
    }
}
