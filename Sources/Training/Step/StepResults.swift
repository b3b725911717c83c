import BERT
import Jobs

/// What one lane's forward pass of one step amounted to.
public struct LaneResult: Hashable, Sendable, Codable {
    /// The lane.
    public var lane: Int
    /// Sums over its examples.
    public var losses: LaneLosses
    /// The sum of `ExampleChecksum` over its examples.
    public var examplesChecksum: UInt64
    /// The squared norm of the gradient of its mean loss; nil at steps at which that is not measured.
    public var gradientSquaredNorm: Double?

    /// A lane's result.
    public init(lane: Int, losses: LaneLosses, examplesChecksum: UInt64 = 0, gradientSquaredNorm: Double? = nil) {
        self.lane = lane
        self.losses = losses
        self.examplesChecksum = examplesChecksum
        self.gradientSquaredNorm = gradientSquaredNorm
    }

    /// The lane's training loss: mean MLM cross-entropy plus mean NSP cross-entropy, in nats.
    public var loss: Double { losses.maskedLoss + losses.nextSentenceLoss }
}

/// What a step amounted to over all lanes; equal to the bit whoever computed which lane.
public struct StepSummary: Hashable, Sendable, Codable {
    /// MLM loss plus NSP loss: the mean over lanes.
    public let loss: Double
    /// Sums over all examples, added in lane order.
    public let losses: LaneLosses

    /// The summary of a step whose lanes gave `results`, each once, in any order.
    public init(_ results: [LaneResult]) {
        let ordered = results.sorted { $0.lane < $1.lane }
        var losses = LaneLosses()
        var loss = 0.0
        for result in ordered {
            losses += result.losses
            loss += result.loss
        }
        self.losses = losses
        self.loss = ordered.isEmpty ? 0 : loss / Double(ordered.count)
    }

    /// Mean cross-entropy over the masked tokens, in nats.
    public var maskedLoss: Double { losses.maskedLoss }
    /// Mean cross-entropy over the sequences, in nats.
    public var nextSentenceLoss: Double { losses.nextSentenceLoss }
    /// Share of masked tokens predicted right, with dropout on.
    public var maskedAccuracy: Double {
        losses.maskedCount == 0 ? 0 : Double(losses.maskedCorrect) / Double(losses.maskedCount)
    }
}

/// What the optimizer did at a step.
public struct OptimizerResult: Hashable, Sendable, Codable {
    /// The learning rate used.
    public var learningRate: Double
    /// The global norm of the mean gradient over lanes, before clipping.
    public var gradientNorm: Double

    /// A step's result.
    public init(learningRate: Double, gradientNorm: Double) {
        self.learningRate = learningRate
        self.gradientNorm = gradientNorm
    }
}
