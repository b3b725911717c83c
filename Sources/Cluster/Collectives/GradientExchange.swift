import Foundation
import Jobs

/// Sums gradients over all lanes of a job, with the peers that own the other lanes. An exchange belongs to the thread that
/// computes; what it does beside that, it does on a thread of its own.
///
/// Whose the memory is: from `contribute` to the end of `finish`, what was contributed is the exchange's to read, and from
/// `begin` to the end of `finish` the gradient is its to write. Once `finish` has returned both are the caller's
/// again, whatever the network still does.
public protocol GradientExchange: AnyObject {
    /// Makes ready for `step`, which begins at `instant`: now, or when an emulated device began it.
    func begin(_ step: StepNumber, at instant: MonotonicInstant) throws
    /// Says that the elements of `range` are final in every partial sum of this worker, since `instant`: now, or when an
    /// emulated device was done with them. Ranges come in ascending order.
    func contribute(_ range: Range<Int>, at instant: MonotonicInstant) throws
    /// Returns once the sum over all lanes is in the gradient and nothing uses its memory or that of the partial sums.
    ///
    /// - Throws: `ExchangeError.deadline` or `.unsent`, naming whom it waited for; `.interrupted`.
    func finish(within deadline: HostSeconds) throws -> ExchangeResult
}

extension GradientExchange {
    /// Makes ready for `step`, which begins now.
    public func begin(_ step: StepNumber) throws { try begin(step, at: .now()) }

    /// Says that the elements of `range` are final now.
    public func contribute(_ range: Range<Int>) throws { try contribute(range, at: .now()) }
}

/// What a finished exchange cost.
public struct ExchangeResult: Hashable, Sendable {
    /// The part of the time in `finish` before the last peer's own gradient had arrived.
    public var waiting: HostSeconds
    /// Gradient bytes sent to peers, or read by them in this worker's memory.
    public var sent: Bytes
    /// What they would have been as f32.
    public var uncompressed: Bytes
    /// Frames refused so far: they came from no peer of this membership, or had no place in it.
    public var refusals: Refusals
    /// The most by which a sum came after it was sent, or after an emulated network would have delivered it.
    public var lateness: HostSeconds
    /// When the last part of the sum was there on an emulated machine; nil where none is emulated.
    public var completed: MonotonicInstant?

    /// A result of the given parts.
    public init(
        waiting: HostSeconds, sent: Bytes, uncompressed: Bytes, refusals: Refusals, lateness: HostSeconds = .zero,
        completed: MonotonicInstant? = nil
    ) {
        self.waiting = waiting
        self.sent = sent
        self.uncompressed = uncompressed
        self.refusals = refusals
        self.lateness = lateness
        self.completed = completed
    }
}

/// Why gradients could not be summed.
public enum ExchangeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not all arrived in time.
    case deadline(step: StepNumber, seconds: Double, bucket: Int, ranks: [Int], refusals: Refusals)
    /// All arrived, but peers did not take in time what they need.
    case unsent(step: StepNumber, seconds: Double, ranks: [Int])
    /// Peers and gradient don't fit each other.
    case setup(reason: String)
    /// The exchange's thread ended.
    case ended(reason: String)
    /// The membership is over: the step will be made again, by another one.
    case interrupted

    public var description: String {
        switch self {
        case .deadline(let step, let seconds, let bucket, let ranks, let refusals):
            "the gradients of step \(step) were not summed within \(seconds.formatted()) s; bucket \(bucket) still awaits "
                + (ranks.isEmpty ? "this worker's own" : Self.workers(ranks))
                + (refusals.count == 0 ? "" : "; \(refusals)")
        case .unsent(let step, let seconds, let ranks):
            "the gradients of step \(step) were summed, but not taken within \(seconds.formatted()) s by "
                + Self.workers(ranks)
        case .setup(let reason): "no gradient exchange can be made: \(reason)"
        case .ended(let reason): "the gradient exchange has ended: \(reason)"
        case .interrupted: "the gradient exchange was interrupted: the membership is over"
        }
    }

    static func workers(_ ranks: [Int]) -> String { ranks.map { "worker \($0)" }.joined(separator: ", ") }
}
