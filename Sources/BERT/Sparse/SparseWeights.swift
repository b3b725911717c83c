import Kernels
import Synchronization

/// A model's sparse matrices, packed for the kernels that multiply no zero. Engines of all threads read them.
///
/// `@unchecked Sendable`: changed between steps alone, by the threads of one crew, each its own matrices.
public final class SparseWeights: @unchecked Sendable {
    /// Which weights are kept.
    public let masks: WeightMasks
    private var packed: [PackedWeight] = []
    private var places: [Range<Int>: Int] = [:]

    /// Weights whose masks `masks` are still to be set.
    public init(masks: WeightMasks) { self.masks = masks }

    /// Whether `rebuild` has run.
    public var isBuilt: Bool { !packed.isEmpty }

    /// Takes the patterns from the masks, after they have changed. Values follow with `refresh`.
    public func rebuild(crew: ThreadCrew) throws {
        masks.clearPadding()
        let products = masks.layout.products
        let built = Mutex([Int: PackedWeight]())
        try crew.run { [masks] thread in
            for index in stride(from: thread, to: products.count, by: crew.count) {
                let product = products[index]
                let weight = PackedWeight(
                    rows: product.rows, columns: product.columns, mask: masks.words + product.words.lowerBound)
                built.withLock { $0[index] = weight }
            }
        }
        let weights = built.withLock { $0 }
        packed = products.indices.compactMap { weights[$0] }
        places = Dictionary(uniqueKeysWithValues: products.enumerated().map { ($1.weight, $0) })
    }

    /// Takes the values from `parameters`, after they have changed.
    public func refresh(from parameters: UnsafePointer<Float>, crew: ThreadCrew) throws {
        let source = ReadOnly(parameters)
        let products = masks.layout.products
        try crew.run { [packed] thread in
            for index in stride(from: thread, to: products.count, by: crew.count) {
                packed[index].gather(source.pointer + products[index].weight.lowerBound)
            }
        }
    }

    /// The matrix whose weights are the elements `weight` of the flat buffer; nil where it is dense.
    func matrix(_ weight: Range<Int>) -> PackedWeight? { places[weight].map { packed[$0] } }

    /// Floats of scratch that a product needs, and entries of the largest matrix.
    var scratchCount: (panels: Int, entries: Int) {
        let panels = packed.map(\.forward.scratchCount).max() ?? 0
        return (panels, packed.map(\.forward.count).max() ?? 0)
    }

    /// `@unchecked Sendable`: parameters that nobody writes while a crew reads them.
    private struct ReadOnly: @unchecked Sendable {
        let pointer: UnsafePointer<Float>
        init(_ pointer: UnsafePointer<Float>) { self.pointer = pointer }
    }
}

/// How an engine multiplies with a model's sparse matrices in one pass.
public struct SparsePass: Sendable {
    /// The packed matrices.
    public let weights: SparseWeights
    /// Whether the gradients of all weights are computed, not of the kept ones alone: for choosing which to regrow.
    public let givesAllGradients: Bool

    /// A pass of the given parts.
    public init(weights: SparseWeights, givesAllGradients: Bool = false) {
        self.weights = weights
        self.givesAllGradients = givesAllGradients
    }
}
