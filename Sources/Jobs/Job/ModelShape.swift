/// The shape of a BERT encoder. The vocabulary is the corpus's affair.
public struct ModelShape: Hashable, Sendable, Codable {
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

    /// A shape; the feed-forward layer is four times as wide as the residual stream unless given.
    public init(
        layers: Int, hidden: Int, heads: Int, intermediate: Int? = nil, positions: Int = 512,
        hiddenDropout: Float = 0.1,
        attentionDropout: Float = 0.1
    ) {
        self.layers = layers
        self.hidden = hidden
        self.heads = heads
        self.intermediate = intermediate ?? 4 * hidden
        self.positions = positions
        self.hiddenDropout = hiddenDropout
        self.attentionDropout = attentionDropout
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
