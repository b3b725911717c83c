import Jobs
import Training

/// The data-parallel backend: this process owns some of the lanes, and the sum over all lanes is made with its peers while
/// the backward pass of its last lane still runs.
public struct ClusterBackend: StepBackend {
    public let trainer: Trainer
    private let exchange: any GradientExchange
    private let deadline: HostSeconds

    /// - Parameters:
    ///   - trainer: owns this worker's lanes.
    ///   - exchange: sums with the peers; its memory is the trainer's gradient and partial sums.
    ///   - deadline: how long a step's exchange may take once this worker has nothing else to do.
    public init(trainer: Trainer, exchange: any GradientExchange, deadline: HostSeconds) {
        self.trainer = trainer
        self.exchange = exchange
        self.deadline = deadline
    }

    /// The sum is applied only once `observer` allows it: what any worker has applied must never be lost (see
    /// `RunMachine`).
    public func makeStep(_ step: StepNumber, observer: any StepObserver) throws -> StepOutcome {
        var timings = StepTimings()
        var stopwatch = Stopwatch()
        try observer.reached(.input, of: step)
        try trainer.loadStep(step)
        timings.input = stopwatch.lap()
        try exchange.begin(step)
        try observer.reached(.forward, of: step)
        let lanes = try trainer.computeGradients(step) { range in
            try observer.reached(.sum, of: step)
            try exchange.contribute(range)
            try observer.reached(.backward, of: step)
        }
        timings.compute = stopwatch.lap()
        observer.computed(lanes, of: step)
        try observer.reached(.exchange, of: step)
        let exchanged = try exchange.finish(within: deadline)
        let blocked = stopwatch.lap()
        try observer.awaitCommit(of: step)
        timings.waiting = min(blocked, exchanged.waiting) + stopwatch.lap()
        timings.exposedCommunication = blocked - min(blocked, exchanged.waiting)
        try observer.reached(.apply, of: step)
        let optimizer = try trainer.applyOptimizer(step)
        timings.optimizer = stopwatch.lap()
        return StepOutcome(
            lanes: lanes, optimizer: optimizer, timings: timings, sent: exchanged.sent,
            uncompressed: exchanged.uncompressed)
    }
}
