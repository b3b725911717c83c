import Jobs

/// Follows a run's evaluations until its target has been met often enough in a row.
public struct TargetTracker: Hashable, Sendable, Codable {
    /// What is to be met; nil where the job has no target, which then is never reached.
    public let target: Target?
    /// Evaluations in a row, up to the last, that met it.
    public private(set) var met = 0
    /// Whether it has been met `target.consecutive` times in a row. Stays true.
    public private(set) var isReached = false
    /// What the last evaluation measured; nil before the first.
    public private(set) var latest: HeldOutQuality?

    /// Begins with no evaluation seen.
    public init(target: Target?) { self.target = target }

    /// Takes note of an evaluation.
    ///
    /// - Returns: whether this very evaluation reached the target. A quality that is no number meets none.
    @discardableResult
    public mutating func observe(maskedAccuracy: Double, maskedLoss: Double) -> Bool {
        latest = HeldOutQuality(maskedAccuracy: maskedAccuracy, maskedLoss: maskedLoss)
        guard let target, !isReached else { return false }
        met = target.isMet(maskedAccuracy: maskedAccuracy, maskedLoss: maskedLoss) ? met + 1 : 0
        isReached = met >= max(1, target.consecutive)
        return isReached
    }
}

/// Quality on held-out text, as one evaluation measured it.
public struct HeldOutQuality: Hashable, Sendable, Codable {
    /// Share of masked tokens predicted right.
    public let maskedAccuracy: Double
    /// Mean cross-entropy over masked tokens, in nats.
    public let maskedLoss: Double

    /// The quality; nil where either is no finite number, which is none.
    init?(maskedAccuracy: Double, maskedLoss: Double) {
        guard maskedAccuracy.isFinite, maskedLoss.isFinite else { return nil }
        self.maskedAccuracy = maskedAccuracy
        self.maskedLoss = maskedLoss
    }

    /// Whether this is better than `other` by `measure`.
    func isBetter(than other: HeldOutQuality, by measure: CheckpointSettings.Measure) -> Bool {
        switch measure {
        case .maskedAccuracy: maskedAccuracy > other.maskedAccuracy
        case .maskedLoss: maskedLoss < other.maskedLoss
        }
    }
}
