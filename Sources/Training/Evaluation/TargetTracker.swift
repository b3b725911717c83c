import Jobs

/// Follows a run's evaluations until its target has been met often enough in a row.
public struct TargetTracker: Hashable, Sendable, Codable {
    /// What is to be met; nil where the job has no target, which then is never reached.
    public let target: Target?
    /// Evaluations in a row, up to the last, that met it.
    public private(set) var met = 0
    /// Whether it has been met `target.consecutive` times in a row. Stays true.
    public private(set) var isReached = false

    /// Begins with no evaluation seen.
    public init(target: Target?) { self.target = target }

    /// Takes note of an evaluation.
    ///
    /// - Returns: whether this very evaluation reached the target. A quality that is no number meets none.
    @discardableResult
    public mutating func observe(maskedAccuracy: Double, maskedLoss: Double) -> Bool {
        guard let target, !isReached else { return false }
        met = target.isMet(maskedAccuracy: maskedAccuracy, maskedLoss: maskedLoss) ? met + 1 : 0
        isReached = met >= max(1, target.consecutive)
        return isReached
    }
}
