import CKernels
import Kernels

/// A sparse matrix as the kernels read it: the pattern of its entries, and their values.
///
/// `@unchecked Sendable`: written by one thread at a time, between steps or by the engine that owns it; only read while
/// engines of other threads compute.
package final class PackedMatrix: @unchecked Sendable {
    /// Outputs and inputs of the product.
    package private(set) var rows: Int
    package private(set) var columns: Int
    /// Entries.
    package private(set) var count = 0
    let values: FloatBuffer
    private let starts: UnsafeMutablePointer<UInt32>
    private let indices: UnsafeMutablePointer<UInt8>

    /// Room for a matrix `[rows, columns]` of up to `entries` entries, or for a smaller one.
    init(rows: Int, columns: Int, entries: Int) {
        self.rows = rows
        self.columns = columns
        values = FloatBuffer(count: entries)
        starts = .allocate(capacity: rows * MaskLayout.words(of: columns) + 1)
        indices = .allocate(capacity: max(entries, 1))
    }

    /// The pattern of the mask `[rows, columns]` at `mask`; values are zero.
    convenience init(rows: Int, columns: Int, mask: UnsafePointer<UInt64>) {
        let count = wm_mask_count(rows * MaskLayout.words(of: columns), mask)
        self.init(rows: rows, columns: columns, entries: count)
        setPattern(rows: rows, columns: columns, mask: mask, count: count)
    }

    deinit {
        starts.deallocate()
        indices.deallocate()
    }

    /// Takes the pattern of the mask `[rows, columns]` at `mask`, which has `count` entries: no more than there is room for.
    func setPattern(rows: Int, columns: Int, mask: UnsafePointer<UInt64>, count: Int) {
        precondition(count <= values.count, "\(count) entries, room for \(values.count)")
        (self.rows, self.columns, self.count) = (rows, columns, count)
        wm_sparse_pattern(rows, columns, mask, starts, indices)
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

    /// Writes the values into a dense matrix whose rows are `stride` floats apart, zero where there is no entry, or adds them
    /// to what is there.
    func scatter(_ values: UnsafePointer<Float>, accumulate: Bool, into dense: UnsafeMutablePointer<Float>, stride: Int)
    {
        var pattern = pattern
        wm_sparse_scatter(&pattern, values, accumulate ? 1 : 0, dense, stride)
    }

    /// `y [tokens, rows] = x [tokens, columns] W^T`, or added to what is there.
    package func multiply(
        _ kernels: wm_kernels, tokens: Int, _ x: wm_dense, accumulate: Bool = false, into y: wm_dense,
        scratch: UnsafeMutablePointer<Float>
    ) {
        var pattern = pattern
        kernels.sparse_product(&pattern, values.pointer, tokens, x, accumulate ? 1 : 0, y, scratch)
    }

    /// The entries of `slopes^T x`, where slopes is `[tokens, rows]` and x `[tokens, columns]`.
    ///
    /// - Parameter entries: `count` floats, overwritten.
    func products(
        _ kernels: wm_kernels, tokens: Int, slopes: wm_dense, _ x: wm_dense, into entries: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        var pattern = pattern
        Vector.zero(entries, count: count)
        kernels.sparse_gradient(&pattern, tokens, slopes, x, entries, scratch)
    }

    /// `gradient [rows, columns] = slopes^T x` at the entries and 0 elsewhere, or added to what is there.
    ///
    /// - Parameter entries: scratch of `count` floats.
    package func gradient(
        _ kernels: wm_kernels, tokens: Int, slopes: wm_dense, _ x: wm_dense, accumulate: Bool = false,
        into gradient: UnsafeMutablePointer<Float>, entries: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        products(kernels, tokens: tokens, slopes: slopes, x, into: entries, scratch: scratch)
        scatter(entries, accumulate: accumulate, into: gradient, stride: columns)
    }
}

extension wm_dense {
    /// An operand `[n, m]` with rows `stride` floats apart, or, where it `liesTurned`, `[m, n]`.
    package init(_ start: UnsafePointer<Float>, stride: Int, liesTurned: Bool = false) {
        self.init(start: UnsafeMutablePointer(mutating: start), stride: stride, turned: liesTurned ? 1 : 0)
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
