/// The number format of the matrix multiplications; accumulation and master weights are f32 in all of them.
public enum Precision: String, Hashable, Sendable, Codable, CaseIterable {
    /// f32 throughout.
    case fp32
    /// f32 storage, operands rounded to 10 bits of mantissa for the tensor cores (A100 on).
    case tf32
    /// Mixed precision: activations, weights' copies and gradients in 16 bits.
    case fp16

    /// Bytes of an activation, and of a gradient that is exchanged.
    public var bytesPerElement: Int { self == .fp16 ? 2 : 4 }
}
