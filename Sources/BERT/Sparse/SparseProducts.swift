import Kernels

/// An engine's scratch memory for products with sparse matrices.
struct SparseScratch {
    /// Panels of activations.
    let panels: FloatBuffer
    /// The gradient of one matrix's entries.
    let entries: FloatBuffer

    init(_ count: (panels: Int, entries: Int)) {
        panels = FloatBuffer(count: count.panels)
        entries = FloatBuffer(count: count.entries)
    }

    func suffices(for count: (panels: Int, entries: Int)) -> Bool {
        panels.count >= count.panels && entries.count >= count.entries
    }
}

// A dense layer's three products where its weight is sparse.
extension LanePass {
    /// `y [rows, out] = x [rows, in] W^T`.
    func sparseDense(_ weight: PackedWeight, rows: Int, _ x: Matrix, into y: Matrix) {
        multiply(weight.forward, rows: rows, x, into: y, accumulate: false)
    }

    /// `dx [rows, in] = dy [rows, out] W`, or added to what is there.
    func sparseDenseBackward(_ weight: PackedWeight, rows: Int, _ dy: Matrix, into dx: Matrix, accumulate: Bool) {
        multiply(weight.backward, rows: rows, dy, into: dx, accumulate: accumulate)
    }

    /// The gradient of the kept weights, zero elsewhere: `dW [out, in] = dy^T x`, added where gradients accumulate.
    func sparseWeightGradient(
        _ weight: PackedWeight, rows: Int, _ dy: Matrix, _ x: Matrix, into gradient: Floats, accumulate: Bool
    ) {
        let scratch = scratch
        measureProduct(weight.forward, rows: rows) {
            weight.forward.gradient(
                kernels, tokens: rows, slopes: wm_dense(dy.start, stride: dy.stride),
                wm_dense(x.start, stride: x.stride), accumulate: accumulate, into: gradient,
                entries: scratch.entries.pointer, scratch: scratch.panels.pointer)
        }
    }

    private func multiply(_ matrix: PackedMatrix, rows: Int, _ x: Matrix, into y: Matrix, accumulate: Bool) {
        let scratch = scratch
        measureProduct(matrix, rows: rows) {
            matrix.multiply(
                kernels, tokens: rows, wm_dense(x.start, stride: x.stride), accumulate: accumulate,
                into: wm_dense(y.start, stride: y.stride), scratch: scratch.panels.pointer)
        }
    }

    private func measureProduct(_ matrix: PackedMatrix, rows: Int, _ body: () -> Void) {
        engine.measure(
            .sparseProducts, floats: rows * (matrix.rows + matrix.columns) + matrix.count,
            operations: 2 * rows * matrix.count, skipped: 2 * rows * (matrix.rows * matrix.columns - matrix.count), body
        )
    }

    private var scratch: SparseScratch {
        guard let scratch = engine.sparseScratch else { preconditionFailure("a sparse pass without scratch") }
        return scratch
    }
}
