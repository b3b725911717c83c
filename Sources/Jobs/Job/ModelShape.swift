/// The shape of a BERT encoder. The vocabulary is the corpus's affair.
public struct ModelShape: Hashable, Sendable, Codable {
    /// What the feed-forward layer and the masked-language head apply between their matrices.
    public enum Activation: String, Hashable, Sendable, Codable, CaseIterable {
        /// The exact one, as published.
        case gelu
        /// Zero for about half of all inputs at first, and for more after training.
        case relu
    }

    /// Encoder layers.
    public var layers: Int
    /// Width of the residual stream.
    public var hidden: Int
    /// Attention heads; they divide `hidden`.
    public var heads: Int
    /// Width of the feed-forward layer.
    public var intermediate: Int
    /// Learned positions: the longest sequence.
    public var positions: Int
    /// Dropout probability after embeddings, attention output and feed-forward.
    public var hiddenDropout: Float
    /// Dropout probability of attention weights.
    public var attentionDropout: Float
    /// The activation function.
    public var activation: Activation

    /// A shape; the feed-forward layer is four times as wide as the residual stream unless given.
    public init(
        layers: Int, hidden: Int, heads: Int, intermediate: Int? = nil, positions: Int = 512,
        hiddenDropout: Float = 0.1, attentionDropout: Float = 0.1, activation: Activation = .gelu
    ) {
        self.layers = layers
        self.hidden = hidden
        self.heads = heads
        self.intermediate = intermediate ?? 4 * hidden
        self.positions = positions
        self.hiddenDropout = hiddenDropout
        self.attentionDropout = attentionDropout
        self.activation = activation
    }

    /// The sizes that have names (Devlin et al. 2019, Turc et al. 2019), smallest first.
    public static let named: [(name: String, shape: ModelShape)] = [
        ("tiny", ModelShape(layers: 2, hidden: 128, heads: 2)),
        ("mini", ModelShape(layers: 4, hidden: 256, heads: 4)),
        ("small", ModelShape(layers: 4, hidden: 512, heads: 8)),
        ("medium", ModelShape(layers: 8, hidden: 512, heads: 8)),
        ("base", ModelShape(layers: 12, hidden: 768, heads: 12)),
        ("large", ModelShape(layers: 24, hidden: 1024, heads: 16)),
    ]

    /// The shape that `name` stands for, or nil.
    public static func named(_ name: String) -> ModelShape? {
        named.first { $0.name == name }?.shape
    }

    /// The name of this shape's layers, width, heads and feed-forward width, if it has one.
    public var name: String? {
        Self.named.first {
            $0.shape.layers == layers && $0.shape.hidden == hidden && $0.shape.heads == heads
                && $0.shape.intermediate == intermediate
        }?.name
    }
}

// Written out because jobs that were stored before there was a choice say nothing of the activation.
extension ModelShape {
    private enum CodingKeys: CodingKey {
        case layers, hidden, heads, intermediate, positions, hiddenDropout, attentionDropout, activation
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            layers: try values.decode(Int.self, forKey: .layers), hidden: try values.decode(Int.self, forKey: .hidden),
            heads: try values.decode(Int.self, forKey: .heads),
            intermediate: try values.decode(Int.self, forKey: .intermediate),
            positions: try values.decode(Int.self, forKey: .positions),
            hiddenDropout: try values.decode(Float.self, forKey: .hiddenDropout),
            attentionDropout: try values.decode(Float.self, forKey: .attentionDropout),
            activation: try values.decodeIfPresent(Activation.self, forKey: .activation) ?? .gelu)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(layers, forKey: .layers)
        try values.encode(hidden, forKey: .hidden)
        try values.encode(heads, forKey: .heads)
        try values.encode(intermediate, forKey: .intermediate)
        try values.encode(positions, forKey: .positions)
        try values.encode(hiddenDropout, forKey: .hiddenDropout)
        try values.encode(attentionDropout, forKey: .attentionDropout)
        if activation != .gelu { try values.encode(activation, forKey: .activation) }
    }
}
