import Foundation
import Jobs

/// All that is known of one run: what was asked for, how it stands, and its series.
public struct RunRecord: Hashable, Sendable, Codable {
    /// What was asked for and how it stands.
    public var run: Run
    /// Optimizer steps, in order.
    public var steps: [StepRecord]
    /// Where each worker's time went, ordered by step and then by rank.
    public var workerSteps: [WorkerStepRecord]
    /// Quality on held-out text, in order of steps made.
    public var evaluations: [EvaluationRecord]
    /// What happened, oldest first.
    public var events: [RunEvent]

    /// A record of the given parts.
    public init(
        run: Run, steps: [StepRecord] = [], workerSteps: [WorkerStepRecord] = [],
        evaluations: [EvaluationRecord] = [], events: [RunEvent] = []
    ) {
        self.run = run
        self.steps = steps
        self.workerSteps = workerSteps
        self.evaluations = evaluations
        self.events = events
    }

    /// What the workers report of the newest step that they report on; empty where they report on none.
    public var newestWorkerSteps: [WorkerStepRecord] {
        let newest = workerSteps.last?.step
        return workerSteps.filter { $0.step == newest }
    }
}

/// One line of a list of runs: what can be told without reading the whole job.
public struct RunSummary: Hashable, Sendable, Codable, Identifiable {
    /// The run's name.
    public var id: RunID
    /// The job's name.
    public var jobName: String
    /// What trains it.
    public var backend: Backend
    /// Worker processes; 1 on the wafer.
    public var workers: Int
    /// The hardware profile's name, if one was chosen.
    public var hardware: String?
    /// Where it stands.
    public var state: RunState
    /// When it was submitted, by the wall clock.
    public var submitted: Date
    /// When its processes were started, by the wall clock.
    public var started: Date?
    /// When it reached a final state, by the wall clock.
    public var ended: Date?
    /// Steps made so far.
    public var stepsMade: Int
    /// Steps that the job has.
    public var stepsPlanned: Int
    /// Host time from the start of the first step to the end of the last, once it finished.
    public var trainingTime: HostSeconds?
    /// Host time until the target was met, if it was.
    public var timeToTarget: HostSeconds?
    /// Whether it is kept when room is made.
    public var isPinned: Bool

    /// A line of the given parts.
    public init(
        id: RunID, jobName: String, backend: Backend, workers: Int, hardware: String?, state: RunState,
        submitted: Date, started: Date?, ended: Date?, stepsMade: Int, stepsPlanned: Int,
        trainingTime: HostSeconds?, timeToTarget: HostSeconds?, isPinned: Bool = false
    ) {
        self.id = id
        self.jobName = jobName
        self.backend = backend
        self.workers = workers
        self.hardware = hardware
        self.state = state
        self.submitted = submitted
        self.started = started
        self.ended = ended
        self.stepsMade = stepsMade
        self.stepsPlanned = stepsPlanned
        self.trainingTime = trainingTime
        self.timeToTarget = timeToTarget
        self.isPinned = isPinned
    }

    /// The line that `record` makes.
    public init(_ record: RunRecord) {
        self.init(
            id: record.run.id, jobName: record.run.job.name, backend: record.run.backend, workers: record.run.workers,
            hardware: record.run.hardware, state: record.run.state, submitted: record.run.submitted,
            started: record.run.started, ended: record.run.ended,
            stepsMade: (record.steps.last?.step.index).map { $0 + 1 } ?? 0,
            stepsPlanned: record.run.job.totalSteps, trainingTime: record.run.outcome?.trainingTime,
            timeToTarget: record.run.outcome?.timeToTarget)
    }
}
