/// One operator of a training step on one rank: what it computes and moves, and nothing of how fast.
public struct Operator: Hashable, Sendable, Codable {
    /// What kind of work, with its shape.
    public enum Work: Hashable, Sendable, Codable {
        /// `batch` products of an `m x k` with a `k x n` matrix.
        case matrixProduct(m: Int, n: Int, k: Int, batch: Int)
        /// Reads and writes of whole tensors around the products: activations, norms, softmax, dropout, transposes.
        case elementwise
        /// Reads of table rows, and the scattered additions of their gradients.
        case gather
        /// The optimizer over all parameters.
        case optimizer
    }

    /// The part of the step.
    public enum Part: String, Hashable, Sendable, Codable, CaseIterable {
        case forward
        case backward
        case update
    }

    /// The name, without the layer: `attention.query` …
    public var name: String
    /// The work.
    public var work: Work
    /// Forward, backward or update.
    public var part: Part
    /// The encoder layer from 0; -1 for the embeddings, the number of layers for the heads.
    public var layer: Int
    /// Floating-point operations; a multiply-add counts two.
    public var flops: Double
    /// Elements that are read or written at least, where everything that can be fused is.
    public var fusedElements: Double
    /// Elements that are read or written where every operation is a kernel of its own.
    public var unfusedElements: Double
    /// Kernels, fused and unfused.
    public var fusedKernels: Int
    /// Kernels where every operation is one of its own.
    public var unfusedKernels: Int
    /// Whether the elements are f32 whatever the precision (optimizer state).
    public var isSinglePrecision: Bool

    /// Whether the work is a matrix product.
    public var isMatrixProduct: Bool {
        if case .matrixProduct = work { true } else { false }
    }

    /// Bytes that are moved at least, at `precision`.
    public func bytes(_ precision: Precision) -> Double {
        fusedElements * Double(isSinglePrecision ? 4 : precision.bytesPerElement)
    }

    /// A batch of matrix products: one kernel that reads both factors and writes the result once.
    static func product(_ name: String, _ part: Part, layer: Int, m: Int, n: Int, k: Int, batch: Int = 1) -> Operator {
        let elements = Double(batch) * (Double(m) * Double(k) + Double(k) * Double(n) + Double(m) * Double(n))
        return Operator(
            name: name, work: .matrixProduct(m: m, n: n, k: k, batch: batch), part: part, layer: layer,
            flops: 2 * Double(batch) * Double(m) * Double(n) * Double(k), fusedElements: elements,
            unfusedElements: elements, fusedKernels: 1, unfusedKernels: 1, isSinglePrecision: false)
    }

    /// Element-wise work that moves `fused` elements at best and `unfused` at worst.
    static func elementwise(
        _ name: String, _ part: Part, layer: Int, fused: Double, unfused: Double, kernels: (fused: Int, unfused: Int),
        work: Work = .elementwise, singlePrecision: Bool = false
    ) -> Operator {
        Operator(
            name: name, work: work, part: part, layer: layer, flops: unfused, fusedElements: fused,
            unfusedElements: unfused, fusedKernels: kernels.fused, unfusedKernels: kernels.unfused,
            isSinglePrecision: singlePrecision)
    }
}
