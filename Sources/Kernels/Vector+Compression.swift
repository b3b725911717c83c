import CKernels

extension Vector {
    /// A format of 16 bits whose numbers are kept in memory of f32.
    ///
    /// Rounding is to nearest, ties to even; infinity and NaN stay what they are.
    public enum Half: Hashable, Sendable {
        /// The exponents of f32 and 8 bits of precision: relative errors up to 2^-9, from 1e-38 to 3e38.
        case bfloat16
        /// IEEE binary16 numbers over `scale`, a power of two: 11 bits of precision from 2^-14 to 65504 over `scale`,
        /// multiples of 2^-24 over it below. What is larger becomes infinity.
        case float16(scale: Float)

        /// The largest finite number.
        public var largest: Float {
            switch self {
            case .bfloat16: Float(bitPattern: 0x7f7f_0000)
            case .float16(let scale): 65_504 / scale
            }
        }
    }

    /// Rounds `values` to `half`.
    public static func round(_ values: UnsafeMutablePointer<Float>, count: Int, to half: Half) {
        switch half {
        case .bfloat16: kernels.pointee.round_bf16(count, values)
        case .float16(let scale): kernels.pointee.round_f16(count, scale, values)
        }
    }

    /// Puts numbers that have been rounded to `half` into 16 bits each.
    public static func pack(
        into: UnsafeMutablePointer<UInt16>, from: UnsafePointer<Float>, count: Int, as half: Half
    ) {
        switch half {
        case .bfloat16: kernels.pointee.pack_bf16(count, from, into)
        case .float16(let scale): kernels.pointee.pack_f16(count, scale, from, into)
        }
    }

    /// Takes numbers of `half` out of 16 bits each.
    public static func unpack(
        into: UnsafeMutablePointer<Float>, from: UnsafePointer<UInt16>, count: Int, as half: Half
    ) {
        switch half {
        case .bfloat16: kernels.pointee.unpack_bf16(count, from, into)
        case .float16(let scale): kernels.pointee.unpack_f16(count, scale, from, into)
        }
    }

    /// The most numbers of a block of `keepLargest`: with its residual it fits the first-level cache.
    public static let largestBlock = 1_024

    /// Adds `residual` to `gradient`; then of each block of `largestBlock` numbers the share `density` that is largest by
    /// magnitude (one at least) stays in `gradient`, and all others in `residual`, each zero in the other.
    ///
    /// Of equal magnitudes the first are kept. Infinity and NaN count as larger than every number, so that they stay in the
    /// gradient.
    ///
    /// - Parameter density: in (0, 1].
    public static func keepLargest(
        _ gradient: UnsafeMutablePointer<Float>, residual: UnsafeMutablePointer<Float>, count: Int, density: Double
    ) {
        for start in stride(from: 0, to: count, by: largestBlock) {
            let size = min(largestBlock, count - start)
            let kept = min(size, max(1, Int((density * Double(size)).rounded(.up))))
            kernels.pointee.keep_largest(size, kept, gradient + start, residual + start)
        }
    }

    /// Puts `values` into `packed` without their zeros, in fewer bytes than they take as f32.
    ///
    /// - Parameter packed: as many bytes as the values take.
    /// - Returns: the bytes used; nil where leaving out the zeros saves nothing.
    public static func packNonZeros(
        of values: UnsafePointer<Float>, count: Int, into packed: UnsafeMutableRawPointer
    ) -> Int? {
        let used = kernels.pointee.pack_nonzero(count, values, count * MemoryLayout<Float>.stride - 1, packed)
        return used > 0 ? used : nil
    }

    /// Puts back what `packNonZeros` has packed; false where `packed` is no packing of `count` numbers.
    public static func unpackNonZeros(
        _ packed: UnsafeRawBufferPointer, into values: UnsafeMutablePointer<Float>, count: Int
    ) -> Bool {
        guard let start = packed.baseAddress else { return false }
        return kernels.pointee.unpack_nonzero(count, start, packed.count, values) != 0
    }
}
