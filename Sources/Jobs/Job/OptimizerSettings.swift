/// How gradients change weights.
public struct OptimizerSettings: Hashable, Sendable, Codable {
    /// The rule.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// Loshchilov and Hutter 2019, as `torch.optim.AdamW`.
        case adamw
        /// You et al. 2020, with bias correction.
        case lamb
    }

    /// The rule.
    public var kind: Kind
    /// Decay of the first moment.
    public var beta1: Float
    /// Decay of the second moment.
    public var beta2: Float
    /// Added to the root of the second moment.
    public var epsilon: Float
    /// Decoupled weight decay; biases and layer norms are spared.
    public var weightDecay: Float
    /// The global gradient norm above which gradients are scaled down; nil for none.
    public var clipNorm: Float?

    /// A rule of the given parts.
    public init(
        kind: Kind, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-6, weightDecay: Float = 0.01,
        clipNorm: Float? = 1
    ) {
        self.kind = kind
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.clipNorm = clipNorm
    }
}
