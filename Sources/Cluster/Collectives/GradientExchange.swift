import Jobs

/// Sums gradients over all lanes of a job, with the peers that own the other lanes. An exchange belongs to the thread that
/// computes; what it does beside that, it does on a thread of its own.
public protocol GradientExchange: AnyObject {
    /// Makes ready for `step`.
    func begin(_ step: StepNumber) throws
    /// Says that the elements of `range` are final in every partial sum of this worker. Ranges come in ascending order.
    func contribute(_ range: Range<Int>) throws
    /// Returns once the sum over all lanes is in the gradient.
    ///
    /// - Throws: `ExchangeError.deadline`, naming what was still awaited.
    func finish(within deadline: HostSeconds) throws -> ExchangeResult
}

/// What a finished exchange cost.
public struct ExchangeResult: Hashable, Sendable {
    /// The part of the time in `finish` before the last peer's own gradient had arrived.
    public var waiting: HostSeconds
    /// Gradient bytes sent to peers.
    public var sent: Bytes

    /// A result of the given parts.
    public init(waiting: HostSeconds, sent: Bytes) {
        self.waiting = waiting
        self.sent = sent
    }
}

/// Why gradients could not be summed.
public enum ExchangeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not all arrived in time.
    case deadline(step: StepNumber, seconds: Double, bucket: Int, ranks: [Int])
    /// A peer sent what it must not.
    case frame(step: StepNumber, reason: String)
    /// The exchange's thread ended.
    case ended(reason: String)

    public var description: String {
        switch self {
        case .deadline(let step, let seconds, let bucket, let ranks):
            "the gradients of step \(step) were not summed within \(Int(seconds)) s; bucket \(bucket) still awaits "
                + (ranks.isEmpty ? "its peers" : ranks.map { "worker \($0)" }.joined(separator: ", "))
        case .frame(let step, let reason): "a gradient frame was refused in step \(step): \(reason)"
        case .ended(let reason): "the gradient exchange has ended: \(reason)"
        }
    }
}
