import Kernels

/// How much a lane engine can compute at once: what its arena is laid out for.
public struct LaneCapacity: Hashable, Sendable {
    /// Real tokens of a batch.
    public var tokens: Int
    /// Sequences of a batch.
    public var sequences: Int
    /// Tokens of the longest sequence.
    public var sequenceLength: Int
    /// Masked positions of a batch.
    public var maskedPositions: Int

    /// A capacity.
    public init(tokens: Int, sequences: Int, sequenceLength: Int, maskedPositions: Int) {
        self.tokens = tokens
        self.sequences = sequences
        self.sequenceLength = sequenceLength
        self.maskedPositions = maskedPositions
    }

    /// The capacity for `sequences` full sequences with `maskedPositions` masked tokens each.
    public init(sequences: Int, sequenceLength: Int, maskedPositionsEach: Int) {
        self.init(
            tokens: sequences * sequenceLength, sequences: sequences, sequenceLength: sequenceLength,
            maskedPositions: sequences * maskedPositionsEach)
    }
}

/// What one encoder layer keeps from its forward pass for its backward pass. From `logSum` on, and in its queries, the
/// last layer has reads for tokens.
struct LayerActivations {
    /// Biases not yet added: `[tokens, hidden]` queries, `[tokens, 2 * hidden]` keys and values; columns of one matrix in
    /// all layers but the last.
    let projections: Projections
    /// `[tokens, heads]` log of each softmax's denominator; heads-major within a sequence.
    let logSum: Floats
    /// `[tokens, hidden]` attention's output before its dense layer.
    let context: Matrix
    /// `[tokens, hidden]` what the attention's layer norm normalises, and its result.
    let attentionSum: Matrix
    let attentionOutput: Matrix
    let attentionMean: Floats
    let attentionDeviation: Floats
    /// `[tokens, intermediate]` before GELU; the backward pass turns it into GELU's result.
    let intermediate: Matrix
    /// `[tokens, hidden]` what the output's layer norm normalises, and its result.
    let outputSum: Matrix
    let output: Matrix
    let outputMean: Floats
    let outputDeviation: Floats

    init(_ planner: inout ArenaPlanner, _ configuration: BERTConfiguration, tokens: Int, reads: Int, isLast: Bool) {
        let (hidden, rows) = (configuration.hidden, isLast ? reads : tokens)
        projections = Projections(&planner, hidden: hidden, tokens: tokens, reads: isLast ? reads : nil)
        logSum = planner.vector(configuration.heads * rows)
        context = planner.matrix(rows, hidden)
        attentionSum = planner.matrix(rows, hidden)
        attentionOutput = planner.matrix(rows, hidden)
        attentionMean = planner.vector(rows)
        attentionDeviation = planner.vector(rows)
        intermediate = planner.matrix(rows, configuration.intermediate)
        outputSum = planner.matrix(rows, hidden)
        output = planner.matrix(rows, hidden)
        outputMean = planner.vector(rows)
        outputDeviation = planner.vector(rows)
    }
}

/// A layer's queries, keys and values, or their gradients.
struct Projections {
    /// `[tokens, hidden]`, in the last layer `[reads, hidden]`.
    let query: Matrix
    /// `[tokens, 2 * hidden]`.
    let keyValue: Matrix
    /// `[tokens, 3 * hidden]`: both; not in the last layer.
    let fused: Matrix?

    /// Columns of one matrix, or a matrix each where queries have rows of their own.
    init(_ planner: inout ArenaPlanner, hidden: Int, tokens: Int, reads: Int?) {
        if let reads {
            query = planner.matrix(reads, hidden)
            keyValue = planner.matrix(tokens, 2 * hidden)
            fused = nil
        } else {
            let fused = planner.matrix(tokens, 3 * hidden)
            query = fused.columns(0..<hidden)
            keyValue = fused.columns(hidden..<3 * hidden)
            self.fused = fused
        }
    }
}

/// All of an engine's memory: one allocation, laid out once.
struct Activations {
    let memory: FloatBuffer
    let embedding: EmbeddingActivations
    let layers: [LayerActivations]
    let scratch: ScratchActivations
    let head: HeadActivations

    init(_ configuration: BERTConfiguration, _ capacity: LaneCapacity) {
        var measure = ArenaPlanner(start: nil)
        _ = Parts(&measure, configuration, capacity)
        memory = FloatBuffer(count: measure.end)
        var planner = ArenaPlanner(start: memory.pointer)
        let parts = Parts(&planner, configuration, capacity)
        (embedding, layers, scratch, head) = (parts.embedding, parts.layers, parts.scratch, parts.head)
    }

    private struct Parts {
        let embedding: EmbeddingActivations
        let layers: [LayerActivations]
        let scratch: ScratchActivations
        let head: HeadActivations

        init(_ planner: inout ArenaPlanner, _ configuration: BERTConfiguration, _ capacity: LaneCapacity) {
            let reads = min(capacity.tokens, capacity.maskedPositions + capacity.sequences)
            embedding = EmbeddingActivations(&planner, configuration, tokens: capacity.tokens)
            layers = (0..<configuration.layers).map { layer in
                LayerActivations(
                    &planner, configuration, tokens: capacity.tokens, reads: reads,
                    isLast: layer == configuration.layers - 1)
            }
            scratch = ScratchActivations(&planner, configuration, capacity, reads: reads)
            head = HeadActivations(&planner, configuration, capacity)
        }
    }
}

/// What the embeddings keep for their backward pass.
struct EmbeddingActivations {
    /// `[tokens, hidden]` what the layer norm normalises, and its result after dropout.
    let sum: Matrix
    let output: Matrix
    let mean: Floats
    let deviation: Floats

    init(_ planner: inout ArenaPlanner, _ configuration: BERTConfiguration, tokens: Int) {
        output = planner.matrix(tokens, configuration.hidden)
        sum = planner.matrix(tokens, configuration.hidden)
        mean = planner.vector(tokens)
        deviation = planner.vector(tokens)
    }
}

/// What no layer keeps.
struct ScratchActivations {
    /// `[tokens, intermediate]` GELU's result, then its gradient.
    let wide: Matrix
    /// `[tokens, hidden]` gradient of the residual stream, and of what a dense layer put into it.
    let gradient: Matrix
    let inner: Matrix
    /// `[tokens, hidden]` gradient of the attention context.
    let contextGradient: Matrix
    /// Gradients of queries, keys and values: of all layers but the last, and, in the same memory, of the last.
    let projections: Projections
    let lastProjections: Projections
    let attention: Floats
    /// `[reads, hidden]` the last layer's input where the heads read.
    let readInput: Matrix

    init(_ planner: inout ArenaPlanner, _ configuration: BERTConfiguration, _ capacity: LaneCapacity, reads: Int) {
        let (hidden, tokens) = (configuration.hidden, capacity.tokens)
        wide = planner.matrix(tokens, configuration.intermediate)
        gradient = planner.matrix(tokens, hidden)
        inner = planner.matrix(tokens, hidden)
        contextGradient = planner.matrix(tokens, hidden)
        var last = planner
        projections = Projections(&planner, hidden: hidden, tokens: tokens, reads: nil)
        lastProjections = Projections(&last, hidden: hidden, tokens: tokens, reads: reads)
        planner.end = max(planner.end, last.end)
        attention = planner.vector(
            FusedKernels.attentionScratch(length: capacity.sequenceLength, width: configuration.headWidth))
        readInput = planner.matrix(reads, hidden)
    }
}

/// Memory of the heads over the masked tokens and over the sequences' first tokens.
struct HeadActivations {
    /// Columns of a vocabulary tile, and their number.
    let tileWidth: Int
    let tiles: Int
    /// `[masked, hidden]` gathered rows; the transform before and after GELU; the normalised transform.
    let rows: Matrix
    let transform: Matrix
    let activation: Matrix
    let normalised: Matrix
    let mean: Floats
    let deviation: Floats
    /// `[tiles * masked, tile width]` exponentials of logits, tile after tile.
    let exponentials: Matrix
    /// `[tiles, masked]` the maximum that each tile's exponentials are relative to.
    let tileMaximum: Floats
    /// `[masked]`.
    let maximum: Floats
    let sum: Floats
    let labelLogit: Floats
    let logSum: Floats
    /// `[masked, hidden]` gradient scratch.
    let gradient: Matrix
    /// `[sequences, hidden]` first tokens, pooled, gradient.
    let first: Matrix
    let pooled: Matrix
    let pooledGradient: Matrix
    /// `[sequences, 2]` next-sentence logits, then their gradient.
    let nextSentence: Matrix

    // A tile of some 300 masked tokens stays in a second-level cache of 1 MiB between the GEMM and the exponentials. A
    // constant, because sums over the vocabulary go tile by tile and must not depend on an engine's capacity.
    private static let columns = 512

    init(_ planner: inout ArenaPlanner, _ configuration: BERTConfiguration, _ capacity: LaneCapacity) {
        let (masked, hidden) = (capacity.maskedPositions, configuration.hidden)
        tileWidth = min(Self.columns, configuration.vocabularySize)
        tiles = (configuration.vocabularySize + tileWidth - 1) / tileWidth
        rows = planner.matrix(masked, hidden)
        transform = planner.matrix(masked, hidden)
        activation = planner.matrix(masked, hidden)
        normalised = planner.matrix(masked, hidden)
        mean = planner.vector(masked)
        deviation = planner.vector(masked)
        exponentials = planner.matrix(tiles * masked, tileWidth)
        tileMaximum = planner.vector(tiles * masked)
        maximum = planner.vector(masked)
        sum = planner.vector(masked)
        labelLogit = planner.vector(masked)
        logSum = planner.vector(masked)
        gradient = planner.matrix(masked, hidden)
        first = planner.matrix(capacity.sequences, hidden)
        pooled = planner.matrix(capacity.sequences, hidden)
        pooledGradient = planner.matrix(capacity.sequences, hidden)
        nextSentence = planner.matrix(capacity.sequences, 2)
    }
}

/// Lays parts of an arena out one after the other, each at a multiple of 64 bytes. Without a start it only measures: what
/// it lays out must not be used.
struct ArenaPlanner {
    private let start: Floats?
    /// Floats up to here are taken.
    var end = 0

    init(start: Floats?) { self.start = start }

    /// `count` floats.
    mutating func vector(_ count: Int) -> Floats {
        defer { end = (end + count + 15) / 16 * 16 }
        return (start ?? Self.nowhere) + end
    }

    /// `rows` rows of `width` floats.
    mutating func matrix(_ rows: Int, _ width: Int) -> Matrix {
        Matrix(vector(rows * Matrix.stride(of: width)), width: width)
    }

    private static var nowhere: Floats { Floats(bitPattern: 64).unsafelyUnwrapped }
}
