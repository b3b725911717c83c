import Jobs

/// Why training can't go on, or a checkpoint can't be used.
public enum TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A loss or gradient became NaN or infinite. `lane` is nil where another worker's lane must be at fault.
    case nonFinite(step: StepNumber, lane: Int?, tensor: String)
    /// A gradient became larger than the largest number that the job's compression has. `lane` is nil where it was a sum of
    /// lanes, or another worker's lane.
    case overflow(step: StepNumber, lane: Int?, tensor: String, largest: Float)
    /// A step that the job doesn't have was asked for.
    case noSuchStep(step: StepNumber, totalSteps: Int)
    /// A step was asked for out of turn.
    case outOfTurn(step: StepNumber, found: String, allowed: String)
    /// A job that can't be trained as it stands.
    case plan(field: String, found: String, allowed: String)
    /// A checkpoint that is not what it should be.
    case checkpoint(path: String, found: String, allowed: String)
    /// A file of examples that is not what it should be.
    case batchFile(path: String, field: String, found: String, allowed: String)

    /// One line: where, what was found, what is allowed.
    public var description: String {
        switch self {
        case .nonFinite(let step, let lane?, let tensor):
            "step \(step), lane \(lane): '\(tensor)' is not finite; lower the learning rate, warm up longer or clip gradients"
        case .nonFinite(let step, nil, let tensor):
            "step \(step): the sum over all lanes of '\(tensor)' is not finite, though that of every own lane is; "
                + "see the other workers, or lower the learning rate"
        case .overflow(let step, let lane?, let tensor, let largest):
            "step \(step), lane \(lane): '\(tensor)' is beyond \(largest), the largest number of the job's compression; "
                + "use bf16 or none, or lower the learning rate"
        case .overflow(let step, nil, let tensor, let largest):
            "step \(step): the sum over all lanes of '\(tensor)' is not finite, or beyond \(largest), the largest number "
                + "of the job's compression, though that of every own lane is not; use bf16 or none, or lower the learning "
                + "rate"
        case .noSuchStep(let step, let totalSteps):
            "step \(step) was asked for; allowed: 0 to \(totalSteps - 1)"
        case .outOfTurn(let step, let found, let allowed):
            "step \(step): found \(found); allowed: \(allowed)"
        case .plan(let field, let found, let allowed):
            "job: '\(field)': found \(found); allowed: \(allowed)"
        case .checkpoint(let path, let found, let allowed):
            "checkpoint \(path): found \(found); allowed: \(allowed)"
        case .batchFile(let path, let field, let found, let allowed):
            "\(path): '\(field)': found \(found); allowed: \(allowed)"
        }
    }
}
