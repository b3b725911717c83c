import Jobs

/// A training step of one rank as a graph: the operators of one micro-batch in the order in which they run, the gradient
/// buckets that they complete, and the optimizer. Built from shapes alone; a run's trace has the same operators, timed.
///
/// Dependencies: each forward or backward operator follows the one before it; a bucket may be sent once the operator
/// that completes it has run in the last micro-batch; the update follows the last operator and the last bucket.
public struct OperatorGraph: Hashable, Sendable, Codable {
    /// Parameters whose gradients become final together.
    public struct Bucket: Hashable, Sendable, Codable {
        /// `embeddings`, `layer N` or `heads`.
        public var name: String
        /// Elements of the gradient.
        public var elements: Int
        /// The index in `operators` of the operator that completes it.
        public var completedBy: Int
    }

    /// The shape that the graph was built for.
    public var workload: Workload
    /// One micro-batch, forward then backward.
    public var operators: [Operator]
    /// In the order of completion.
    public var buckets: [Bucket]
    /// The optimizer's operators, once a step.
    public var update: [Operator]

    /// Parameters in all.
    public var parameterCount: Int { buckets.reduce(0) { $0 + $1.elements } }

    /// Floating-point operations of the matrix products of one micro-batch, forward and backward.
    public var matrixFlops: Double {
        operators.reduce(0) { sum, next in
            if case .matrixProduct = next.work { sum + next.flops } else { sum }
        }
    }
}

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
