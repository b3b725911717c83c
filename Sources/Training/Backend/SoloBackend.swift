import Jobs

/// Makes steps in a process that owns every lane, so that the sum of its lanes is the whole gradient and nothing is
/// exchanged: the wafer's host run, and a cluster of one.
public struct SoloBackend: StepBackend {
    public let trainer: Trainer

    /// A backend around a trainer that owns every lane of its job.
    public init(trainer: Trainer) {
        precondition(trainer.lanes.count == trainer.plan.lanes, "a process alone owns every lane")
        self.trainer = trainer
    }

    public func makeStep(_ step: StepNumber, observer: any StepObserver) throws -> StepOutcome {
        var stopwatch = Stopwatch()
        var timings = StepTimings(from: stopwatch)
        try observer.reached(.input, of: step)
        try trainer.loadStep(step)
        timings.input = stopwatch.lap()
        let read = stopwatch.lapped
        try observer.reached(.forward, of: step)
        let lanes = try trainer.computeGradients(step)
        timings.compute = stopwatch.lap()
        let computed = stopwatch.lapped
        timings.starts = PartStarts(
            compute: read, waiting: computed, exposedCommunication: computed, commit: computed,
            optimizer: computed)
        observer.computed(lanes, of: step)
        try observer.reached(.apply, of: step)
        let optimizer = try trainer.applyOptimizer(step)
        timings.optimizer = stopwatch.lap()
        return StepOutcome(lanes: lanes, optimizer: optimizer, timings: timings, sent: Bytes(0), uncompressed: Bytes(0))
    }
}
