import CKernels
import Kernels

/// A sparse matrix as the kernels read it: the pattern of its entries, and their values.
///
/// `@unchecked Sendable`: written by one thread at a time, between steps; only read while engines compute.
package final class PackedMatrix: @unchecked Sendable {
    /// Outputs and inputs of the product.
    package let rows: Int
    package let columns: Int
    /// Kept weights.
    package let count: Int
    let values: FloatBuffer
    private let starts: UnsafeMutablePointer<UInt32>
    private let indices: UnsafeMutablePointer<UInt8>

    /// The pattern of the mask `[rows, columns]` at `mask`; values are zero.
    init(rows: Int, columns: Int, mask: UnsafePointer<UInt64>) {
        self.rows = rows
        self.columns = columns
        let words = MaskLayout.words(of: columns)
        count = wm_mask_count(rows * words, mask)
        values = FloatBuffer(count: count)
        starts = .allocate(capacity: rows * words + 1)
        indices = .allocate(capacity: max(count, 1))
        wm_sparse_pattern(rows, columns, mask, starts, indices)
    }

    /// What is not zero of `values [rows, columns]`, whose rows are `stride` floats apart.
    package convenience init(nonZeros values: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int) {
        var mask = [UInt64](repeating: 0, count: rows * MaskLayout.words(of: columns))
        wm_mask_of(rows, columns, stride, values, &mask)
        self.init(rows: rows, columns: columns, mask: mask)
        gather(values, rowStride: stride, columnStride: 1)
    }

    deinit {
        starts.deallocate()
        indices.deallocate()
    }

    /// Floats of scratch that its products need.
    package var scratchCount: Int { wm_sparse_scratch(rows, columns) }

    /// The kernels' view, valid as long as this object lives.
    private var pattern: wm_sparse {
        wm_sparse(rows: rows, columns: columns, starts: starts, columns_in_block: indices)
    }

    /// Takes the values from the dense matrix whose element (r, c) is `dense[r * rowStride + c * columnStride]`.
    func gather(_ dense: UnsafePointer<Float>, rowStride: Int, columnStride: Int) {
        var pattern = pattern
        wm_sparse_gather(&pattern, dense, rowStride, columnStride, values.pointer)
    }

    /// `y [tokens, rows] = x [tokens, columns] W^T`, or added to what is there; rows of `x` and `y` are `stride`s apart.
    package func multiply(
        _ kernels: wm_kernels, tokens: Int, _ x: UnsafePointer<Float>, stride xStride: Int, accumulate: Bool = false,
        into y: UnsafeMutablePointer<Float>, stride yStride: Int, scratch: UnsafeMutablePointer<Float>
    ) {
        var pattern = pattern
        kernels.sparse_product(
            &pattern, values.pointer, tokens, x, xStride, accumulate ? 1 : 0, y, yStride, scratch)
    }

    /// `gradient [rows, columns] = slopes^T x` at the kept weights and 0 elsewhere, or added to what is there.
    ///
    /// - Parameter entries: scratch of `count` floats.
    package func gradient(
        _ kernels: wm_kernels, tokens: Int, slopes: UnsafePointer<Float>, stride slopeStride: Int,
        _ x: UnsafePointer<Float>, stride xStride: Int, accumulate: Bool = false,
        into gradient: UnsafeMutablePointer<Float>, entries: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        var pattern = pattern
        Vector.zero(entries, count: count)
        kernels.sparse_gradient(&pattern, tokens, slopes, slopeStride, x, xStride, entries, scratch)
        wm_sparse_scatter(&pattern, entries, accumulate ? 1 : 0, gradient)
    }
}

/// A weight `W [outputs, inputs]` packed for all of its three products.
package struct PackedWeight: Sendable {
    /// `W`, for outputs and for its gradient.
    package let forward: PackedMatrix
    /// `W^T`, for the inputs' gradient.
    package let backward: PackedMatrix

    /// The pattern of the mask `[rows, columns]` at `mask`; values are zero.
    package init(rows: Int, columns: Int, mask: UnsafePointer<UInt64>) {
        forward = PackedMatrix(rows: rows, columns: columns, mask: mask)
        let words = columns * MaskLayout.words(of: rows)
        backward = withUnsafeTemporaryAllocation(of: UInt64.self, capacity: words) { transposed in
            guard let start = transposed.baseAddress else { preconditionFailure("a matrix without rows") }
            wm_mask_transpose(rows, columns, mask, start)
            return PackedMatrix(rows: columns, columns: rows, mask: start)
        }
    }

    /// Takes the values of `W`, row-major without gaps.
    package func gather(_ weight: UnsafePointer<Float>) {
        forward.gather(weight, rowStride: forward.columns, columnStride: 1)
        backward.gather(weight, rowStride: 1, columnStride: forward.columns)
    }
}
