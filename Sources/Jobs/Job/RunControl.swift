/// When quality on held-out text is measured, and on how much of it.
public struct EvaluationSettings: Hashable, Sendable, Codable {
    /// Steps between evaluations; the last step is always evaluated.
    public var everySteps: Int
    /// Held-out sequences of one evaluation.
    public var sequences: Int

    /// Settings of the given parts.
    public init(everySteps: Int, sequences: Int) {
        self.everySteps = everySteps
        self.sequences = sequences
    }
}

/// The quality that ends a run.
public struct Target: Hashable, Sendable, Codable {
    /// What is measured.
    public enum Quality: Hashable, Sendable, Codable {
        /// Share of masked tokens of held-out text that are predicted right, at least.
        case maskedAccuracy(Double)
        /// Mean cross-entropy in nats over masked tokens of held-out text, at most.
        case maskedLoss(Double)
    }

    /// The threshold.
    public var quality: Quality
    /// Evaluations in a row that must meet it.
    public var consecutive: Int

    /// A target of the given parts.
    public init(quality: Quality, consecutive: Int = 1) {
        self.quality = quality
        self.consecutive = consecutive
    }

    /// Whether an evaluation meets the threshold.
    public func isMet(maskedAccuracy: Double, maskedLoss: Double) -> Bool {
        switch quality {
        case .maskedAccuracy(let least): maskedAccuracy >= least
        case .maskedLoss(let most): maskedLoss <= most
        }
    }
}

/// When checkpoints are written, and which are kept.
public struct CheckpointSettings: Hashable, Sendable, Codable {
    /// What makes a checkpoint the best one.
    public enum Measure: String, Hashable, Sendable, Codable, CaseIterable {
        /// The highest share of masked tokens of held-out text that are predicted right.
        case maskedAccuracy = "mlm_accuracy"
        /// The lowest mean cross-entropy over masked tokens of held-out text.
        case maskedLoss = "mlm_loss"
    }

    /// Steps between checkpoints; nil for one at the end alone.
    public var everySteps: Int?
    /// How many of the newest are kept.
    public var keepLast: Int
    /// By what the best one is kept too, among those written right after an evaluation; nil keeps none for its quality.
    public var keepBest: Measure?

    /// Settings of the given parts.
    public init(everySteps: Int? = nil, keepLast: Int = 2, keepBest: Measure? = nil) {
        self.everySteps = everySteps
        self.keepLast = keepLast
        self.keepBest = keepBest
    }
}
