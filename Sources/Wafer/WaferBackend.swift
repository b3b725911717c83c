import Jobs
import Training

/// The single-node backend: one process owns every lane, so that the sum of its lanes is the whole gradient and nothing
/// is exchanged.
public struct WaferBackend: StepBackend {
    public let trainer: Trainer

    /// A backend around a trainer that owns every lane of its job.
    public init(trainer: Trainer) {
        self.trainer = trainer
    }

    public func makeStep(_ step: StepNumber) throws -> StepOutcome {
        var timings = StepTimings()
        var stopwatch = Stopwatch()
        try trainer.loadStep(step)
        timings.input = stopwatch.lap()
        let lanes = try trainer.computeGradients(step) { _ in }
        timings.compute = stopwatch.lap()
        let optimizer = try trainer.applyOptimizer(step)
        timings.optimizer = stopwatch.lap()
        return StepOutcome(lanes: lanes, optimizer: optimizer, timings: timings, sent: Bytes(0))
    }
}
