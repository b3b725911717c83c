import Kernels

/// Computes losses and gradients of one lane.
///
/// An engine is confined to one thread at a time and owns one arena, laid out when it is made; a step allocates next to
/// nothing. Results are a pure function of batch, parameters, dropout key and the machine's kernels: not of what runs
/// beside the engine, of what it computed before, of its capacity, or of where anything lies in memory.
public final class LaneEngine {
    /// The model's shape.
    public let configuration: BERTConfiguration
    /// Where parameters and gradients lie.
    public let layout: ParameterLayout
    /// What the arena has room for.
    public let capacity: LaneCapacity
    /// The arena: all memory that the engine has.
    public var arena: FloatBuffer { activations.memory }
    /// Where time is booked, where measuring was asked for.
    public var profile: KernelProfile?

    let activations: Activations
    let kernels = FusedKernels.active.table
    /// Memory for products with sparse matrices, from the first pass that has some.
    private(set) var sparseScratch: SparseScratch?
    /// What ReLU leaves, from the first pass of a model that has it.
    private(set) lazy var packedActivations = PackedActivations(
        tokens: capacity.tokens, width: configuration.intermediate)

    /// An engine for `layout`'s model; throws `BERTError.configuration`.
    public init(layout: ParameterLayout, capacity: LaneCapacity) throws {
        configuration = layout.configuration
        self.layout = layout
        self.capacity = capacity
        guard capacity.tokens >= 1, capacity.sequences >= 1, capacity.sequenceLength >= 1, capacity.maskedPositions >= 0
        else {
            throw BERTError.configuration(field: "capacity", found: "\(capacity)", allowed: "at least 1 of each")
        }
        activations = Activations(configuration, capacity)
    }

    /// Losses of `batch` without dropout, as for evaluation.
    ///
    /// - Parameters:
    ///   - parameters: the flat buffer of `layout.elementCount` elements; only read.
    ///   - sparse: which matrices are multiplied by their kept weights alone; nil for none.
    /// - Throws: `BERTError.batch` for a batch that contradicts itself, the model or the capacity.
    public func forward(
        batch: TokenBatch, parameters: UnsafePointer<Float>, sparse: SparsePass? = nil
    ) throws -> LaneLosses {
        try withPass(batch, parameters, dropout: nil, sparse: sparse) { pass in
            var losses = LaneLosses(sequences: batch.sequences, tokens: pass.packed.tokenCount)
            try pass.embed()
            for layer in 0..<configuration.layers { try pass.encode(layer, &losses) }
            try pass.maskedForward(batch, &losses)
            try pass.nextSentenceForward(batch, &losses)
            return losses
        }
    }

    /// Losses of `batch`, and the gradient of `scale * (mean masked loss + mean next-sentence loss)`.
    ///
    /// - Parameters:
    ///   - parameters: the flat buffer of `layout.elementCount` elements; only read.
    ///   - gradients: the flat buffer of gradients. Padding between tensors is left alone and should be zero.
    ///   - accumulate: whether gradients are added to what is there or replace it.
    ///   - scale: what the loss is multiplied by.
    ///   - normaliser: what the means are over; the batch's own counts where nil.
    ///   - dropout: the masks' address; nil turns dropout off.
    ///   - sparse: which matrices are multiplied by their kept weights alone; nil for none. Its values are `parameters`'.
    ///   - gradientReady: called as soon as a range of `gradients` is final, ranges ascending, adjoining, covering all.
    /// - Throws: `BERTError.batch`, and whatever `gradientReady` throws; gradients are then undefined.
    public func forwardBackward(
        batch: TokenBatch, parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>,
        accumulate: Bool = false, scale: Float = 1, normaliser: LossNormaliser? = nil, dropout: DropoutKey? = nil,
        sparse: SparsePass? = nil, gradientReady: ((Range<Int>) throws -> Void)? = nil
    ) throws -> LaneLosses {
        try withPass(batch, parameters, dropout: dropout, sparse: sparse) { pass in
            var report = GradientReport(gradientReady)
            let target = GradientTarget(pointer: gradients, accumulate: accumulate)
            let counts =
                normaliser ?? LossNormaliser(maskedCount: batch.maskedPositions.count, sequences: batch.sequences)
            var losses = LaneLosses(sequences: batch.sequences, tokens: pass.packed.tokenCount)
            try pass.embed()
            for layer in 0..<configuration.layers { try pass.encode(layer, &losses) }
            try pass.maskedForward(batch, &losses)
            try pass.nextSentenceForward(batch, &losses)

            // Where the heads read, the residual stream's gradient begins at zero; elsewhere it has none yet.
            let gradient = activations.scratch.gradient
            Vector.zero(gradient.start, count: pass.packed.reads.count * gradient.stride)
            try pass.maskedBackward(batch, target, scale: scale, count: counts.maskedCount)
            try report(upTo: layout.heads.transform.bias.upperBound)
            try pass.nextSentenceBackward(batch, target, scale: scale, count: counts.sequences)
            try report(upTo: layout.layers[configuration.layers - 1].outputNorm.weight.lowerBound)
            for layer in (0..<configuration.layers).reversed() {
                try pass.encodeBackward(layer, target, &report)
            }
            try pass.embedBackward(target)
            try report(upTo: layout.elementCount)
            return losses
        }
    }

    private func withPass<Result>(
        _ batch: TokenBatch, _ parameters: UnsafePointer<Float>, dropout: DropoutKey?, sparse: SparsePass?,
        _ body: (LanePass) throws -> Result
    ) throws -> Result {
        KernelLibrary.useOneThreadPerLane()
        let packed = try PackedBatch(
            batch, configuration: configuration, firstExample: dropout?.laneFirstExample ?? 0)
        for (field, found, allowed) in [
            ("tokens", packed.tokenCount, capacity.tokens), ("sequences", packed.sequences, capacity.sequences),
            ("longest sequence", packed.longest, capacity.sequenceLength),
            ("masked positions", packed.maskedReads.count, capacity.maskedPositions),
        ] where found > allowed {
            throw BERTError.batch(field: field, found: "\(found)", allowed: "\(allowed), the engine's capacity")
        }
        if let need = sparse?.weights.scratchCount, sparseScratch?.suffices(for: need) != true {
            sparseScratch = SparseScratch(need)
        }
        return try packed.withTokens { tokens, reads in
            try body(
                LanePass(
                    engine: self, packed: packed, tokens: tokens, reads: reads, parameters: parameters,
                    dropout: dropout,
                    sparse: sparse))
        }
    }
}

/// Where gradients go.
struct GradientTarget {
    let pointer: Floats
    let accumulate: Bool

    /// The GEMMs' beta.
    var beta: Float { accumulate ? 1 : 0 }

    /// The range's first element, for a GEMM with `beta`.
    func product(_ range: Range<Int>) -> Floats { pointer + range.lowerBound }

    /// The range's first element, for a kernel that accumulates.
    func sum(_ range: Range<Int>) -> Floats {
        if !accumulate { Vector.zero(pointer + range.lowerBound, count: range.count) }
        return pointer + range.lowerBound
    }
}

/// Tells the caller how far gradients are final.
struct GradientReport {
    private var done = 0
    private let ready: ((Range<Int>) throws -> Void)?

    init(_ ready: ((Range<Int>) throws -> Void)?) { self.ready = ready }

    mutating func callAsFunction(upTo end: Int) throws {
        guard end > done else { return }
        let range = done..<end
        done = end
        try ready?(range)
    }
}

/// Sites of dropout in a layer; the embeddings count as layer 0, the encoder's layers from 1.
enum DropoutSite: UInt32 {
    case embedding = 0
    case attentionWeights = 1
    case attentionOutput = 2
    case output = 3
}

/// One batch on its way through an engine.
struct LanePass {
    let engine: LaneEngine
    let packed: PackedBatch
    let tokens: wm_tokens
    let reads: wm_tokens
    let parameters: UnsafePointer<Float>
    let dropout: DropoutKey?
    let sparse: SparsePass?

    var configuration: BERTConfiguration { engine.configuration }
    var layout: ParameterLayout { engine.layout }
    var memory: Activations { engine.activations }
    var kernels: wm_kernels { engine.kernels.pointee }

    /// The masks of a site, off where there is no key or no dropout.
    func mask(_ site: DropoutSite, layer: Int, probability: Float) -> wm_dropout {
        guard let dropout, probability > 0 else {
            return wm_dropout(key0: 0, key1: 0, step_low: 0, step_high: 0, site: 0, threshold: 0, scale: 1)
        }
        let threshold = UInt32((probability * 65536).rounded())
        return wm_dropout(
            key0: dropout.key.x, key1: dropout.key.y, step_low: UInt32(truncatingIfNeeded: dropout.step),
            step_high: UInt32(truncatingIfNeeded: dropout.step >> 32), site: UInt32(layer) * 8 + site.rawValue,
            threshold: threshold, scale: Float(65536) / Float(65536 - min(threshold, 65535)))
    }
}
