/// What is appended to a run's record in one transaction: all of it is kept, or none.
///
/// A step, worker step or evaluation that is there already is replaced: a step in flight when a worker died is made
/// again, and the record says how it went the last time. Events are only ever added.
public struct RunAdditions: Hashable, Sendable {
    /// Optimizer steps.
    public var steps: [StepRecord]
    /// Where workers' time went.
    public var workerSteps: [WorkerStepRecord]
    /// Quality on held-out text.
    public var evaluations: [EvaluationRecord]
    /// What happened.
    public var events: [RunEvent]

    /// Additions of the given parts.
    public init(
        steps: [StepRecord] = [], workerSteps: [WorkerStepRecord] = [], evaluations: [EvaluationRecord] = [],
        events: [RunEvent] = []
    ) {
        self.steps = steps
        self.workerSteps = workerSteps
        self.evaluations = evaluations
        self.events = events
    }

    /// Whether there is nothing to append.
    public var isEmpty: Bool { steps.isEmpty && workerSteps.isEmpty && evaluations.isEmpty && events.isEmpty }
}
