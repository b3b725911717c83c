/// One parameter tensor and where it lies in the flat buffer.
public struct ParameterTensor: Hashable, Sendable {
    /// The name in Hugging Face's `BertForPreTraining`, e.g. `bert.encoder.layer.0.attention.self.query.weight`.
    public let name: String
    /// Row-major shape, `[out, in]` for a dense layer's weight.
    public let shape: [Int]
    /// Elements of the flat buffer; the start is a multiple of 16.
    public let range: Range<Int>
    /// Whether weight decay applies: not to biases, nor to layer norms.
    public let decays: Bool
}

/// Where every parameter, its gradient and its optimizer state lie in one flat buffer.
///
/// Tensors lie in the order in which the backward pass completes their gradients, so that a prefix of the buffer can be
/// sent while the rest is still being computed: first the heads, then the encoder layers from the last to the first, then
/// the embeddings. The word embedding is tied to the decoder, is stored once, and is complete last. Elements between two
/// tensors are padding and stay zero.
public struct ParameterLayout: Sendable {
    /// The shape that this layout is for.
    public let configuration: BERTConfiguration
    /// All tensors, by ascending range.
    public let tensors: [ParameterTensor]
    /// Elements of the flat buffer, padding included; a multiple of 16.
    public let elementCount: Int
    /// Ranges that the engine addresses directly.
    let heads: HeadRanges
    let layers: [LayerRanges]
    let embeddings: EmbeddingRanges

    /// Parameters proper, without padding.
    public var parameterCount: Int { tensors.reduce(0) { $0 + $1.range.count } }

    /// The tensor called `name`, or nil.
    public func tensor(named name: String) -> ParameterTensor? { tensors.first { $0.name == name } }

    /// Lays out the parameters of `configuration`; throws `BERTError.configuration`.
    public init(configuration: BERTConfiguration) throws {
        try configuration.validate()
        self.configuration = configuration
        var builder = LayoutBuilder()
        let hidden = configuration.hidden
        let wide = configuration.intermediate

        let decoderBias = builder.add("cls.predictions.bias", [configuration.vocabularySize], decays: false)
        let transformNorm = builder.addNorm("cls.predictions.transform.LayerNorm", hidden)
        let transform = builder.addDense("cls.predictions.transform.dense", out: hidden, in: hidden)
        var nextSentence: HeadRanges.NextSentence?
        if configuration.nextSentence {
            nextSentence = HeadRanges.NextSentence(
                classifier: builder.addDense("cls.seq_relationship", out: 2, in: hidden),
                pooler: builder.addDense("bert.pooler.dense", out: hidden, in: hidden))
        }
        heads = HeadRanges(
            decoderBias: decoderBias, transformNorm: transformNorm, transform: transform, nextSentence: nextSentence)

        var layers: [LayerRanges] = []
        for layer in (0..<configuration.layers).reversed() {
            let prefix = "bert.encoder.layer.\(layer)"
            let outputNorm = builder.addNorm("\(prefix).output.LayerNorm", hidden)
            let output = builder.addDense("\(prefix).output.dense", out: hidden, in: wide)
            let intermediate = builder.addDense("\(prefix).intermediate.dense", out: wide, in: hidden)
            let attentionNorm = builder.addNorm("\(prefix).attention.output.LayerNorm", hidden)
            let attentionOutput = builder.addDense("\(prefix).attention.output.dense", out: hidden, in: hidden)
            // Q, K and V follow each other without padding (hidden is a multiple of 16), so one GEMM computes all three.
            let weights = ["query", "key", "value"].map {
                builder.add("\(prefix).attention.self.\($0).weight", [hidden, hidden], decays: true)
            }
            let biases = ["query", "key", "value"].map {
                builder.add("\(prefix).attention.self.\($0).bias", [hidden], decays: false)
            }
            layers.append(
                LayerRanges(
                    outputNorm: outputNorm, output: output, intermediate: intermediate, attentionNorm: attentionNorm,
                    attentionOutput: attentionOutput,
                    queryKeyValue: DenseRanges(
                        weight: weights[0].lowerBound..<weights[2].upperBound,
                        bias: biases[0].lowerBound..<biases[2].upperBound)))
        }
        self.layers = layers.reversed()

        embeddings = EmbeddingRanges(
            norm: builder.addNorm("bert.embeddings.LayerNorm", hidden),
            position: builder.add(
                "bert.embeddings.position_embeddings.weight", [configuration.positions, hidden], decays: true),
            type: builder.add(
                "bert.embeddings.token_type_embeddings.weight", [configuration.typeVocabulary, hidden], decays: true),
            word: builder.add(
                "bert.embeddings.word_embeddings.weight", [configuration.vocabularySize, hidden], decays: true))
        tensors = builder.tensors
        elementCount = builder.end
    }
}

/// A dense layer's `[out, in]` weight and `[out]` bias.
struct DenseRanges: Sendable {
    let weight: Range<Int>
    let bias: Range<Int>
}

/// A layer norm's scale and shift, both `[hidden]`.
struct NormRanges: Sendable {
    let weight: Range<Int>
    let bias: Range<Int>
}

/// The heads' parameters.
struct HeadRanges: Sendable {
    struct NextSentence: Sendable {
        let classifier: DenseRanges
        let pooler: DenseRanges
    }
    let decoderBias: Range<Int>
    let transformNorm: NormRanges
    let transform: DenseRanges
    let nextSentence: NextSentence?
}

/// One encoder layer's parameters.
struct LayerRanges: Sendable {
    let outputNorm: NormRanges
    let output: DenseRanges
    let intermediate: DenseRanges
    let attentionNorm: NormRanges
    let attentionOutput: DenseRanges
    /// Query, key and value: weight `[3 * hidden, hidden]`, bias `[3 * hidden]`.
    let queryKeyValue: DenseRanges
}

/// The embeddings' parameters.
struct EmbeddingRanges: Sendable {
    let norm: NormRanges
    let position: Range<Int>
    let type: Range<Int>
    let word: Range<Int>
}

/// Places tensors one after the other, each at a multiple of 16 elements (a cache line).
private struct LayoutBuilder {
    var tensors: [ParameterTensor] = []
    var end = 0

    mutating func add(_ name: String, _ shape: [Int], decays: Bool) -> Range<Int> {
        let range = end..<end + shape.reduce(1, *)
        tensors.append(ParameterTensor(name: name, shape: shape, range: range, decays: decays))
        end = (range.upperBound + 15) / 16 * 16
        return range
    }

    mutating func addNorm(_ prefix: String, _ width: Int) -> NormRanges {
        NormRanges(
            weight: add("\(prefix).weight", [width], decays: false),
            bias: add("\(prefix).bias", [width], decays: false))
    }

    mutating func addDense(_ prefix: String, out: Int, in width: Int) -> DenseRanges {
        DenseRanges(
            weight: add("\(prefix).weight", [out, width], decays: true),
            bias: add("\(prefix).bias", [out], decays: false))
    }
}
