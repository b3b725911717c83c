/// When the parts of a step began in one process: host time since the step's own start there, by its monotonic clock.
///
/// Parts follow each other in this order, each until the next one begins; one that did not happen begins where the next one
/// does. Examples are read first, from the step's start on.
public struct PartStarts: Hashable, Sendable, Codable {
    /// Forward and backward passes.
    public var compute: HostSeconds
    /// Nothing was left to do but to exchange gradients, and a peer was still computing.
    public var waiting: HostSeconds
    /// The last peer's own gradient had arrived, the sum was not there yet.
    public var exposedCommunication: HostSeconds
    /// The sum was there; the coordinator had not said yet that it may be applied.
    public var commit: HostSeconds
    /// Clipping and applying the gradient.
    public var optimizer: HostSeconds

    /// Starts of the given parts.
    public init(
        compute: HostSeconds = .zero, waiting: HostSeconds = .zero, exposedCommunication: HostSeconds = .zero,
        commit: HostSeconds = .zero, optimizer: HostSeconds = .zero
    ) {
        self.compute = compute
        self.waiting = waiting
        self.exposedCommunication = exposedCommunication
        self.commit = commit
        self.optimizer = optimizer
    }

    /// All of them, in the order of the parts.
    public var all: [HostSeconds] { [compute, waiting, exposedCommunication, commit, optimizer] }

    /// Whether no part begins before the step or before the part in front of it.
    public var areInOrder: Bool {
        zip([.zero] + all, all).allSatisfy { $0 <= $1 && $1.seconds.isFinite }
    }
}
