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
        var stopwatch = Stopwatch()
        var timings = StepTimings(from: stopwatch)
        try observer.reached(.input, of: step)
        try trainer.loadStep(step)
        timings.input = stopwatch.lap()
        timings.starts.compute = stopwatch.lapped
        try exchange.begin(step)
        try observer.reached(.forward, of: step)
        let lanes = try trainer.computeGradients(step) { range in
            try observer.reached(.sum, of: step)
            try exchange.contribute(range)
            try observer.reached(.backward, of: step)
        }
        timings.compute = stopwatch.lap()
        timings.starts.waiting = stopwatch.lapped
        observer.computed(lanes, of: step)
        try observer.reached(.exchange, of: step)
        let exchanged = try exchange.finish(within: deadline)
        let blocked = stopwatch.lap()
        let forPeers = min(blocked, exchanged.waiting)
        timings.starts.commit = stopwatch.lapped
        timings.starts.exposedCommunication = min(timings.starts.waiting + forPeers, timings.starts.commit)
        try observer.awaitCommit(of: step)
        timings.waiting = forPeers + stopwatch.lap()
        timings.exposedCommunication = blocked - forPeers
        timings.starts.optimizer = stopwatch.lapped
        try observer.reached(.apply, of: step)
        let optimizer = try trainer.applyOptimizer(step)
        timings.optimizer = stopwatch.lap()
        return StepOutcome(
            lanes: lanes, optimizer: optimizer, timings: timings, sent: exchanged.sent,
            uncompressed: exchanged.uncompressed)
    }
}
