/// The shape of a BERT model (Devlin et al. 2019): a post-layer-norm encoder with learned positions, a masked-language
/// head whose decoder is tied to the word embedding, and, where asked for, a next-sentence head over the pooler.
public struct BERTConfiguration: Hashable, Sendable, Codable {
    /// What the feed-forward layer and the masked-language head apply between their matrices.
    public enum Activation: String, Hashable, Sendable, Codable {
        /// The exact one.
        case gelu
        case relu
    }

    /// Encoder layers.
    public var layers: Int
    /// Width of the residual stream; a multiple of 16 and of `heads`.
    public var hidden: Int
    /// Attention heads.
    public var heads: Int
    /// Width of the feed-forward layer; a multiple of 16.
    public var intermediate: Int
    /// Learned positions: the longest sequence.
    public var positions: Int
    /// Entries of the word embedding.
    public var vocabularySize: Int
    /// Token types (sentence A and sentence B).
    public var typeVocabulary: Int
    /// Dropout probability after embeddings, attention output and feed-forward; in [0, 1).
    public var hiddenDropout: Float
    /// Dropout probability of attention weights; in [0, 1).
    public var attentionDropout: Float
    /// What layer normalisation adds to the variance.
    public var layerNormEpsilon: Float
    /// Whether the model has a pooler and a next-sentence head.
    public var nextSentence: Bool
    /// The activation function.
    public var activation: Activation

    /// A shape; nothing is checked until `validate()`, which `ParameterLayout` and `LaneEngine` call.
    public init(
        layers: Int, hidden: Int, heads: Int, intermediate: Int, positions: Int = 512, vocabularySize: Int,
        typeVocabulary: Int = 2, hiddenDropout: Float = 0.1, attentionDropout: Float = 0.1,
        layerNormEpsilon: Float = 1e-12, nextSentence: Bool = true,
        activation: Activation = .gelu
    ) {
        self.layers = layers
        self.hidden = hidden
        self.heads = heads
        self.intermediate = intermediate
        self.positions = positions
        self.vocabularySize = vocabularySize
        self.typeVocabulary = typeVocabulary
        self.hiddenDropout = hiddenDropout
        self.attentionDropout = attentionDropout
        self.layerNormEpsilon = layerNormEpsilon
        self.nextSentence = nextSentence
        self.activation = activation
    }

    /// Width of one attention head.
    public var headWidth: Int { hidden / heads }

    /// Throws `BERTError.configuration` where the engine could not compute this shape.
    public func validate() throws {
        let atLeastOne: [(String, Int)] = [
            ("layers", layers), ("hidden", hidden), ("heads", heads), ("intermediate", intermediate),
            ("positions", positions), ("vocabulary_size", vocabularySize), ("type_vocabulary", typeVocabulary),
        ]
        for (field, value) in atLeastOne where value < 1 || value > 1 << 24 {
            throw BERTError.configuration(field: field, found: "\(value)", allowed: "1 to \(1 << 24)")
        }
        for (field, value) in [("hidden", hidden), ("intermediate", intermediate)] where value % 16 != 0 {
            throw BERTError.configuration(field: field, found: "\(value)", allowed: "a multiple of 16")
        }
        // A kernel's row of dropout masks lies on the stack.
        for (field, value) in [("hidden", hidden), ("positions", positions)] where value > 8192 {
            throw BERTError.configuration(field: field, found: "\(value)", allowed: "at most 8192")
        }
        guard hidden % heads == 0 else {
            throw BERTError.configuration(
                field: "hidden", found: "\(hidden) with \(heads) heads", allowed: "a multiple of the number of heads")
        }
        for (field, value) in [("hidden_dropout", hiddenDropout), ("attention_dropout", attentionDropout)]
        where !(value >= 0 && value < 1) {
            throw BERTError.configuration(field: field, found: "\(value)", allowed: "at least 0 and below 1")
        }
        guard layerNormEpsilon > 0, layerNormEpsilon < 1 else {
            throw BERTError.configuration(
                field: "layer_norm_epsilon", found: "\(layerNormEpsilon)", allowed: "above 0 and below 1")
        }
    }
}
