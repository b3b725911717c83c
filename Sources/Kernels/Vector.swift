import CKernels

/// Operations over plain vectors of floats. Each result depends on the operands alone, not on who computes it.
public enum Vector {
    /// Elements of a block of `squaredNorm(block:)`: norms are sums of blocks in order, so that blocks can be computed
    /// by different threads or workers to the same bits.
    public static let normBlock = 1 << 14

    /// `into[i] += from[i]`, rounded to `half` where that is given.
    public static func add(
        into: UnsafeMutablePointer<Float>, from: UnsafePointer<Float>, count: Int, roundedTo half: Half? = nil
    ) {
        switch half {
        case nil: kernels.pointee.add(count, from, into)
        case .bfloat16?: kernels.pointee.add_bf16(count, from, into)
        case .float16(let scale)?: kernels.pointee.add_f16(count, scale, from, into)
        }
    }

    /// `into[i] = left[i] + right[i]`, rounded to `half` where that is given.
    public static func sum(
        into: UnsafeMutablePointer<Float>, left: UnsafePointer<Float>, right: UnsafePointer<Float>, count: Int,
        roundedTo half: Half? = nil
    ) {
        switch half {
        case nil: kernels.pointee.sum(count, left, right, into)
        case .bfloat16?: kernels.pointee.sum_bf16(count, left, right, into)
        case .float16(let scale)?: kernels.pointee.sum_f16(count, scale, left, right, into)
        }
    }

    /// `values[i] *= factor`.
    public static func scale(_ values: UnsafeMutablePointer<Float>, by factor: Float, count: Int) {
        kernels.pointee.scale(count, factor, values)
    }

    /// `into[i] = from[i]`.
    public static func copy(into: UnsafeMutablePointer<Float>, from: UnsafePointer<Float>, count: Int) {
        into.update(from: from, count: count)
    }

    /// `values[i] = 0`.
    public static func zero(_ values: UnsafeMutablePointer<Float>, count: Int) {
        values.update(repeating: 0, count: count)
    }

    /// Sum of squares of one block (at most `normBlock` elements), in double.
    public static func squaredNorm(block: UnsafeBufferPointer<Float>) -> Double {
        guard let start = block.baseAddress else { return 0 }
        return kernels.pointee.squared_norm(block.count, start)
    }

    /// Sum of squares: the sum, in order, of the squared norms of blocks of `normBlock` elements.
    public static func squaredNorm(_ values: UnsafeBufferPointer<Float>) -> Double {
        var total = 0.0
        var start = 0
        while start < values.count {
            let end = min(start + normBlock, values.count)
            total += squaredNorm(block: UnsafeBufferPointer(rebasing: values[start..<end]))
            start = end
        }
        return total
    }

    static var kernels: UnsafePointer<wm_kernels> { FusedKernels.active.table }
}
