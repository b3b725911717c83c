import Jobs
import Runs

/// Watches evaluations for the quality that ends a run.
struct TargetWatch: Sendable {
    private let target: Target?
    private var inARow = 0
    /// The host time of the evaluation that reached the target, once one did.
    private(set) var reachedAt: HostSeconds?

    /// A watch for `target`; none is never reached.
    init(target: Target?) { self.target = target }

    /// Takes in an evaluation and says whether the target is now reached: met by enough evaluations in a row.
    mutating func take(_ record: EvaluationRecord) -> Bool {
        guard let target else { return false }
        let isMet = target.isMet(maskedAccuracy: record.maskedAccuracy, maskedLoss: record.maskedLoss)
        inARow = isMet ? inARow + 1 : 0
        guard inARow >= target.consecutive else { return false }
        if reachedAt == nil { reachedAt = record.elapsed }
        return true
    }
}
