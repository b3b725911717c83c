import BERT
import Jobs

/// Sums over one fixed chunk of held-out text.
public struct EvaluationChunk: Hashable, Sendable, Codable {
    /// The chunk's number.
    public var index: Int
    /// Sums over its examples.
    public var losses: LaneLosses

    /// A chunk's sums.
    public init(index: Int, losses: LaneLosses) {
        self.index = index
        self.losses = losses
    }
}

/// Quality on held-out text; equal to the bit whoever measured which chunk.
public struct EvaluationSummary: Hashable, Sendable, Codable {
    /// Sums over all chunks, added in chunk order.
    public let losses: LaneLosses

    /// The summary of `chunks`, each once, in any order.
    public init(_ chunks: [EvaluationChunk]) {
        var losses = LaneLosses()
        for chunk in chunks.sorted(by: { $0.index < $1.index }) { losses += chunk.losses }
        self.losses = losses
    }

    /// Mean cross-entropy over the masked tokens, in nats.
    public var maskedLoss: Double { losses.maskedLoss }
    /// Share of masked tokens predicted right.
    public var maskedAccuracy: Double {
        losses.maskedCount == 0 ? 0 : Double(losses.maskedCorrect) / Double(losses.maskedCount)
    }
    /// Mean cross-entropy over the sentence pairs, in nats.
    public var nextSentenceLoss: Double { losses.nextSentenceLoss }
    /// Share of sentence pairs told right.
    public var nextSentenceAccuracy: Double {
        losses.sequences == 0 ? 0 : Double(losses.nextSentenceCorrect) / Double(losses.sequences)
    }
}
