/// What a lane computes at once: sequences of tokens, some of them masked, and what should be predicted.
public struct TokenBatch: Hashable, Sendable {
    /// Number of sequences.
    public var sequences: Int
    /// Room for tokens in each sequence; shorter ones are padded with 0.
    public var sequenceLength: Int
    /// `[sequences * sequenceLength]` word-piece numbers.
    public var inputIDs: [Int32]
    /// `[sequences * sequenceLength]` 0 for sentence A, 1 for sentence B.
    public var tokenTypes: [UInt8]
    /// `[sequences]` real tokens of each sequence, at its beginning; at least 1.
    public var lengths: [Int32]
    /// Ascending flat indices (sequence * sequenceLength + position) of the tokens to predict.
    public var maskedPositions: [Int32]
    /// The word-piece number that belongs at each masked position.
    public var maskedLabels: [Int32]
    /// `[sequences]` 0 where sentence B follows A, 1 where it is a random one; empty without next-sentence head.
    public var nextSentenceLabels: [Int32]
    /// The sum, modulo 2^64, of a hash of each training example; nothing is computed with it.
    public var examplesChecksum: UInt64 = 0

    /// A batch; it is checked when an engine computes it.
    public init(
        sequences: Int, sequenceLength: Int, inputIDs: [Int32], tokenTypes: [UInt8], lengths: [Int32],
        maskedPositions: [Int32], maskedLabels: [Int32], nextSentenceLabels: [Int32]
    ) {
        self.sequences = sequences
        self.sequenceLength = sequenceLength
        self.inputIDs = inputIDs
        self.tokenTypes = tokenTypes
        self.lengths = lengths
        self.maskedPositions = maskedPositions
        self.maskedLabels = maskedLabels
        self.nextSentenceLabels = nextSentenceLabels
    }

    /// Real tokens, padding left out.
    public var tokenCount: Int { lengths.reduce(0) { $0 + Int($1) } }
}

/// What a lane's loss is a mean over: the counts of the whole lane, where it is computed in several micro-batches.
public struct LossNormaliser: Hashable, Sendable {
    /// Masked positions of the lane.
    public var maskedCount: Int
    /// Sequences of the lane.
    public var sequences: Int

    /// The lane's counts.
    public init(maskedCount: Int, sequences: Int) {
        self.maskedCount = maskedCount
        self.sequences = sequences
    }
}

/// Sums over a batch from which losses and accuracies are computed; sums of several batches add up.
public struct LaneLosses: Hashable, Sendable, Codable {
    /// Sum of the masked tokens' cross-entropies, in nats.
    public var maskedLossSum: Double
    /// Masked tokens.
    public var maskedCount: Int
    /// Masked tokens whose most probable prediction was right.
    public var maskedCorrect: Int
    /// Sum of the sequences' next-sentence cross-entropies, in nats.
    public var nextSentenceLossSum: Double
    /// Sequences whose next-sentence prediction was right.
    public var nextSentenceCorrect: Int
    /// Sequences.
    public var sequences: Int
    /// Real tokens.
    public var tokens: Int
    /// What ReLU made of inner activations.
    public var activations: ActivationCounts

    /// Sums, zero unless given.
    public init(
        maskedLossSum: Double = 0, maskedCount: Int = 0, maskedCorrect: Int = 0, nextSentenceLossSum: Double = 0,
        nextSentenceCorrect: Int = 0, sequences: Int = 0, tokens: Int = 0,
        activations: ActivationCounts = ActivationCounts()
    ) {
        self.maskedLossSum = maskedLossSum
        self.maskedCount = maskedCount
        self.maskedCorrect = maskedCorrect
        self.nextSentenceLossSum = nextSentenceLossSum
        self.nextSentenceCorrect = nextSentenceCorrect
        self.sequences = sequences
        self.tokens = tokens
        self.activations = activations
    }

    /// Mean cross-entropy of a masked token, in nats; 0 where there is none.
    public var maskedLoss: Double { maskedCount == 0 ? 0 : maskedLossSum / Double(maskedCount) }

    /// Mean cross-entropy of a next-sentence prediction, in nats; 0 where there is none.
    public var nextSentenceLoss: Double { sequences == 0 ? 0 : nextSentenceLossSum / Double(sequences) }

    /// Adds the sums of `other`.
    public static func += (sums: inout LaneLosses, other: LaneLosses) {
        sums.maskedLossSum += other.maskedLossSum
        sums.maskedCount += other.maskedCount
        sums.maskedCorrect += other.maskedCorrect
        sums.nextSentenceLossSum += other.nextSentenceLossSum
        sums.nextSentenceCorrect += other.nextSentenceCorrect
        sums.sequences += other.sequences
        sums.tokens += other.tokens
        sums.activations += other.activations
    }
}

/// Inner activations of feed-forward layers, of all layers and the tokens that they compute. They are counted where the model
/// has ReLU and the layer's matrices are dense; elsewhere there are none.
public struct ActivationCounts: Hashable, Sendable, Codable {
    /// Those that were computed.
    public var computed: Int
    /// Those of them that ReLU made zero.
    public var zero: Int
    /// Those of the zeros that lay where so many are zero that products leave them out.
    public var skipped: Int

    /// Counts, zero unless given.
    public init(computed: Int = 0, zero: Int = 0, skipped: Int = 0) {
        self.computed = computed
        self.zero = zero
        self.skipped = skipped
    }

    /// Adds the counts of `other`.
    public static func += (sums: inout ActivationCounts, other: ActivationCounts) {
        sums.computed += other.computed
        sums.zero += other.zero
        sums.skipped += other.skipped
    }
}

/// The address of a step's dropout masks. A mask is a pure function of this key, the example's number in the global
/// batch, the layer, the site in it and the element: never of the worker, the micro-batch or the padding.
public struct DropoutKey: Hashable, Sendable {
    /// Philox key, drawn from the job's seed for the purpose of dropout.
    public var key: SIMD2<UInt32>
    /// The training step; below 2^48.
    public var step: UInt64
    /// The number that the batch's first example has in the global batch; the others follow.
    public var laneFirstExample: UInt32

    /// A key.
    public init(key: SIMD2<UInt32>, step: UInt64, laneFirstExample: UInt32) {
        self.key = key
        self.step = step
        self.laneFirstExample = laneFirstExample
    }
}
