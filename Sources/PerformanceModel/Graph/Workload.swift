import Jobs

/// What one rank computes between two updates: all that a graph depends on.
public struct Workload: Hashable, Sendable, Codable {
    /// The network.
    public var model: ModelShape
    /// Entries of the vocabulary.
    public var vocabularySize: Int
    /// Tokens of a sequence, padding included.
    public var sequence: Int
    /// Masked positions of a sequence.
    public var maskedPositions: Int
    /// Sequences of a micro-batch on one rank.
    public var microBatch: Int
    /// Whether next-sentence prediction is trained.
    public var nextSentence: Bool
    /// The update rule.
    public var optimizer: OptimizerSettings.Kind

    /// A workload of the given parts.
    public init(
        model: ModelShape, vocabularySize: Int, sequence: Int, maskedPositions: Int, microBatch: Int,
        nextSentence: Bool = true, optimizer: OptimizerSettings.Kind
    ) {
        self.model = model
        self.vocabularySize = vocabularySize
        self.sequence = sequence
        self.maskedPositions = maskedPositions
        self.microBatch = microBatch
        self.nextSentence = nextSentence
        self.optimizer = optimizer
    }
}
