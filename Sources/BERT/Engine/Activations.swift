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

/// Memory of a matrix or vector in the arena.
typealias Floats = UnsafeMutablePointer<Float>

/// What one encoder layer keeps from its forward pass for its backward pass.
struct LayerActivations {
    /// Biases not yet added: `[tokens, 3 * hidden]` queries, keys and values; in the last layer `[reads, hidden]` queries,
    /// then `[tokens, 2 * hidden]` keys and values.
    let queryKeyValue: Floats
    /// `[tokens, heads]` log of each softmax's denominator; heads-major within a sequence. From here on the last layer has
    /// reads for tokens.
    let logSum: Floats
    /// `[tokens, hidden]` attention's output before its dense layer.
    let context: Floats
    /// `[tokens, hidden]` what the attention's layer norm normalises, and its result.
    let attentionSum: Floats
    let attentionOutput: Floats
    let attentionMean: Floats
    let attentionDeviation: Floats
    /// `[tokens, intermediate]` before GELU; the backward pass turns it into GELU's result.
    let intermediate: Floats
    /// `[tokens, hidden]` what the output's layer norm normalises, and its result.
    let outputSum: Floats
    let output: Floats
    let outputMean: Floats
    let outputDeviation: Floats
}

/// All of an engine's memory: one allocation, laid out once.
struct Activations {
    let memory: FloatBuffer
    let embeddingSum: Floats
    let embeddingOutput: Floats
    let embeddingMean: Floats
    let embeddingDeviation: Floats
    let layers: [LayerActivations]

    /// `[tokens, intermediate]` GELU's result, then its gradient.
    let wide: Floats
    /// `[tokens, hidden]` gradient of the residual stream, and of what a dense layer put into it.
    let gradient: Floats
    let inner: Floats
    /// `[tokens, hidden]` gradient of the attention context.
    let contextGradient: Floats
    /// `[tokens, 3 * hidden]`.
    let queryKeyValueGradient: Floats
    let attentionScratch: Floats

    /// `[reads, hidden]` the last layer's input where the heads read.
    let readInput: Floats

    let head: HeadActivations

    init(_ configuration: BERTConfiguration, _ capacity: LaneCapacity) {
        var planner = ArenaPlanner()
        let tokens = capacity.tokens
        let hidden = configuration.hidden
        let wide = configuration.intermediate
        let rows = planner.reserve(tokens * hidden)
        let sum = planner.reserve(tokens * hidden)
        let mean = planner.reserve(tokens)
        let deviation = planner.reserve(tokens)
        let reads = min(tokens, capacity.maskedPositions + capacity.sequences)
        let layerOffsets = (0..<configuration.layers).map { layer in
            let rows = layer == configuration.layers - 1 ? reads : tokens
            return [
                2 * hidden * tokens + hidden * rows, configuration.heads * rows, hidden * rows, hidden * rows,
                hidden * rows, rows, rows, wide * rows, hidden * rows, hidden * rows, rows, rows,
            ].map { planner.reserve($0) }
        }
        let scratch = [
            wide * tokens, hidden * tokens, hidden * tokens, hidden * tokens, 3 * hidden * tokens,
            FusedKernels.attentionScratch(length: capacity.sequenceLength, width: configuration.headWidth),
            hidden * reads,
        ].map { planner.reserve($0) }
        let headOffsets = HeadActivations.sizes(configuration, capacity).map { planner.reserve($0) }

        let memory = FloatBuffer(count: planner.end)
        func at(_ offset: Int) -> Floats { memory.pointer + offset }
        self.memory = memory
        embeddingOutput = at(rows)
        embeddingSum = at(sum)
        embeddingMean = at(mean)
        embeddingDeviation = at(deviation)
        layers = layerOffsets.map { offsets in
            LayerActivations(
                queryKeyValue: at(offsets[0]), logSum: at(offsets[1]), context: at(offsets[2]),
                attentionSum: at(offsets[3]), attentionOutput: at(offsets[4]), attentionMean: at(offsets[5]),
                attentionDeviation: at(offsets[6]), intermediate: at(offsets[7]), outputSum: at(offsets[8]),
                output: at(offsets[9]), outputMean: at(offsets[10]), outputDeviation: at(offsets[11]))
        }
        self.wide = at(scratch[0])
        gradient = at(scratch[1])
        inner = at(scratch[2])
        contextGradient = at(scratch[3])
        queryKeyValueGradient = at(scratch[4])
        attentionScratch = at(scratch[5])
        readInput = at(scratch[6])
        head = HeadActivations(headOffsets.map(at), configuration, capacity)
    }
}

/// Memory of the heads over the masked tokens and over the sequences' first tokens.
struct HeadActivations {
    /// Columns of a vocabulary tile, and their number.
    let tileWidth: Int
    let tiles: Int
    /// `[masked, hidden]` gathered rows; the transform before and after GELU; the normalised transform.
    let rows: Floats
    let transform: Floats
    let activation: Floats
    let normalised: Floats
    let mean: Floats
    let deviation: Floats
    /// `[tiles][masked, tile width]` exponentials of logits, tile after tile.
    let exponentials: Floats
    /// `[tiles, masked]` the maximum that each tile's exponentials are relative to.
    let tileMaximum: Floats
    /// `[masked]`.
    let maximum: Floats
    let sum: Floats
    let labelLogit: Floats
    let logSum: Floats
    /// `[masked]` gradient scratch.
    let gradient: Floats
    /// `[sequences, hidden]` first tokens, pooled, gradient.
    let first: Floats
    let pooled: Floats
    let pooledGradient: Floats
    /// `[sequences, 2]` next-sentence logits, then their gradient.
    let nextSentence: Floats

    // A tile of some 300 masked tokens stays in a second-level cache of 1 MiB between the GEMM and the exponentials. A
    // constant, because sums over the vocabulary go tile by tile and must not depend on an engine's capacity.
    private static let columns = 512

    static func sizes(_ configuration: BERTConfiguration, _ capacity: LaneCapacity) -> [Int] {
        let masked = capacity.maskedPositions
        let hidden = configuration.hidden
        let width = min(columns, configuration.vocabularySize)
        let tiles = (configuration.vocabularySize + width - 1) / width
        return Array(repeating: masked * hidden, count: 4) + [masked, masked]
            + [masked * width * tiles, tiles * masked] + Array(repeating: masked, count: 4) + [masked * hidden]
            + Array(repeating: capacity.sequences * hidden, count: 3) + [2 * capacity.sequences]
    }

    init(_ parts: [Floats], _ configuration: BERTConfiguration, _ capacity: LaneCapacity) {
        tileWidth = min(Self.columns, configuration.vocabularySize)
        tiles = (configuration.vocabularySize + tileWidth - 1) / tileWidth
        rows = parts[0]
        transform = parts[1]
        activation = parts[2]
        normalised = parts[3]
        mean = parts[4]
        deviation = parts[5]
        exponentials = parts[6]
        tileMaximum = parts[7]
        maximum = parts[8]
        sum = parts[9]
        labelLogit = parts[10]
        logSum = parts[11]
        gradient = parts[12]
        first = parts[13]
        pooled = parts[14]
        pooledGradient = parts[15]
        nextSentence = parts[16]
    }
}

/// Lays parts of an arena out one after the other, each at a multiple of 64 bytes.
private struct ArenaPlanner {
    var end = 0

    mutating func reserve(_ count: Int) -> Int {
        defer { end = (end + count + 15) / 16 * 16 }
        return end
    }
}
