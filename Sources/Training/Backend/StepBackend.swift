import Jobs

/// One process's way to make an optimizer step: alone on a wafer, or with peers in a cluster. Everything around the step
/// (examples, evaluation, checkpoints) is the `Trainer`'s and the same for both.
public protocol StepBackend {
    /// The process's share of the run.
    var trainer: Trainer { get }

    /// Makes `step`: reads its examples, computes and sums the gradient, applies it.
    ///
    /// - Throws: `TrainingError`; on a cluster also what its exchange and `observer` throw. The weights are then those of
    ///   before the step.
    func makeStep(_ step: StepNumber, observer: any StepObserver) throws -> StepOutcome

    /// All processes of the run have made no step until `instant`, to evaluate: whoever keeps a clock of the machine that it
    /// stands for lets it stand still until then.
    func stoodStill(until instant: MonotonicInstant)
}

extension StepBackend {
    /// Nothing, where there is no clock but the host's.
    public func stoodStill(until instant: MonotonicInstant) {}
}

/// Whom a step tells how far it is while it is made, on the computing thread.
public protocol StepObserver {
    /// The own lanes' losses and gradients are there; the sum with the peers' is not.
    func computed(_ lanes: [LaneResult], of step: StepNumber)
    /// Called once the sum is there and before it is applied, where peers have a part in it: returns when it may be.
    func awaitCommit(of step: StepNumber) throws
    /// The step has come to `point`.
    func reached(_ point: StepPoint, of step: StepNumber) throws
}

/// The points of a step at which its process does something else than before.
public enum StepPoint: String, Hashable, Sendable, CaseIterable {
    /// Its examples are about to be read.
    case input
    /// Forward and backward passes begin.
    case forward
    /// A part of the sum over the own lanes is final, and has not left yet.
    case sum
    /// The backward pass of the last own lane has made a first part of the gradient, which is on its way.
    case backward
    /// Nothing is left to do but to exchange gradients.
    case exchange
    /// The sum may be applied.
    case apply
}

/// What a process knows of a step that it has made.
public struct StepOutcome: Sendable {
    /// The losses of the lanes that this process computed.
    public var lanes: [LaneResult]
    /// The learning rate, and the gradient's norm before clipping.
    public var optimizer: OptimizerResult
    /// Where the time went.
    public var timings: StepTimings
    /// Gradient bytes sent to peers, and what they would have been as f32.
    public var sent: Bytes
    public var uncompressed: Bytes
    /// How the step went on the device that this process stands for; nil where it stands for none.
    public var emulated: EmulatedTimings?

    /// An outcome of the given parts.
    public init(
        lanes: [LaneResult], optimizer: OptimizerResult, timings: StepTimings, sent: Bytes, uncompressed: Bytes,
        emulated: EmulatedTimings? = nil
    ) {
        self.lanes = lanes
        self.optimizer = optimizer
        self.timings = timings
        self.sent = sent
        self.uncompressed = uncompressed
        self.emulated = emulated
    }
}

/// How a step went on an emulated device. All times are the host's.
public struct EmulatedTimings: Sendable, Hashable {
    /// The factor by which the device was slowed; 0 where it was not, to measure the host.
    public var dilation: Double
    /// From the step's start until the emulated device was done with it.
    public var dilated = HostSeconds.zero
    /// What the process really computed: passes over its lanes, and the optimizer.
    public var compute = HostSeconds.zero
    public var optimizer = HostSeconds.zero
    /// The most by which something was done later than the emulated machine would have done it.
    public var lateness = HostSeconds.zero

    /// No time yet on a device that is slowed by `dilation`.
    public init(dilation: Double) { self.dilation = dilation }
}

/// Where a step's host time went in one process. The parts follow each other and add up to the whole.
public struct StepTimings: Sendable, Hashable {
    /// Waiting for examples.
    public var input = HostSeconds.zero
    /// Forward and backward passes, and summing own lanes.
    public var compute = HostSeconds.zero
    /// Exchanging gradients with nothing else left to do.
    public var exposedCommunication = HostSeconds.zero
    /// Waiting for a peer that had not yet computed its gradient.
    public var waiting = HostSeconds.zero
    /// Clipping and applying the gradient.
    public var optimizer = HostSeconds.zero
    /// The step's start, and when its parts began.
    public var started: MonotonicInstant
    public var starts = PartStarts()

    /// No time in any part of a step that begins with `stopwatch`.
    public init(from stopwatch: Stopwatch) { started = stopwatch.started }
}

/// Cuts a step's time into parts: each call of `lap` gives the time since the one before.
public struct Stopwatch: Sendable {
    /// When it was started.
    public let started: MonotonicInstant
    private var last: MonotonicInstant

    /// A stopwatch that starts at `instant`.
    public init(from instant: MonotonicInstant = .now()) { (started, last) = (instant, instant) }

    /// The host time from the start to the last lap.
    public var lapped: HostSeconds { last.elapsed(since: started) }

    /// The host time since the last lap, or since the start.
    public mutating func lap() -> HostSeconds {
        let now = MonotonicInstant.now()
        defer { last = now }
        return now.elapsed(since: last)
    }
}
