import Jobs
import Runs

/// What a reader wants to know of a run that is under way, worked out from its records.
package struct RunProgress {
    /// The run and what it has recorded so far; of the steps, the newest are enough.
    package var run: Run
    package var steps: [StepRecord]
    /// Steps made, those that `steps` leaves out among them.
    package var stepsMade: Int
    package var evaluations: [EvaluationRecord]
    /// Where each worker's time went in the newest step.
    package var workers: [WorkerStepRecord]
    /// What happened, oldest first.
    package var events: [RunEvent]

    /// What is known of a run.
    ///
    /// - Parameter stepsMade: steps made; nil where `steps` has all of them.
    package init(
        run: Run, steps: [StepRecord], stepsMade: Int? = nil, evaluations: [EvaluationRecord] = [],
        workers: [WorkerStepRecord] = [], events: [RunEvent] = []
    ) {
        self.run = run
        self.steps = steps
        self.stepsMade = stepsMade ?? steps.count
        self.evaluations = evaluations
        self.workers = workers
        self.events = events
    }

    /// Events that whoever watches wants to know of at once: what disturbs the run.
    package var disturbances: [RunEvent] {
        events.filter { event in
            switch event.kind {
            case .straggler, .workerLost, .stalled, .restarted, .warning, .peerRefused: true
            case .stateChanged, .datasetPrepared, .workerStarted, .workerJoined, .workerExited, .membershipChanged,
                .resumed, .checkpointWritten, .targetReached, .imported:
                false
            }
        }
    }

    /// Steps that rates are averaged over: enough to be steady, few enough to be current.
    package static let window = 20

    /// Optimizer steps of the job.
    package var totalSteps: Int { run.job.totalSteps }

    /// The share of steps that are made.
    package var fraction: Double { totalSteps > 0 ? Double(stepsMade) / Double(totalSteps) : 0 }

    /// Host time since the start of the first step.
    package var elapsed: HostSeconds { max(steps.last?.elapsed ?? .zero, evaluations.last?.elapsed ?? .zero) }

    /// Sequences a second of host time over the newest steps, evaluations left out.
    package var sequencesPerSecond: Double? {
        let recent = steps.suffix(Self.window)
        let seconds = recent.reduce(0) { $0 + $1.duration.seconds }
        guard seconds > 0 else { return nil }
        return Double(recent.reduce(0) { $0 + $1.sequences }) / seconds
    }

    /// Host time of a step, averaged over the newest steps.
    package var stepTime: HostSeconds? {
        let recent = steps.suffix(Self.window)
        guard !recent.isEmpty else { return nil }
        return HostSeconds(recent.reduce(0) { $0 + $1.duration.seconds } / Double(recent.count))
    }

    /// Host time until the last step at the present pace, evaluations included; nil before there is a pace.
    package var remaining: HostSeconds? {
        let recent = steps.suffix(Self.window + 1)
        guard let first = recent.first, let last = recent.last, recent.count > 1 else { return nil }
        let pace = (last.elapsed.seconds - first.elapsed.seconds) / Double(recent.count - 1)
        return HostSeconds(pace * Double(max(0, totalSteps - stepsMade)))
    }

    /// The shares of the workers' time in the newest step; together one, but for what belongs to no part.
    package var shares: [(name: String, share: Double)] {
        let total = workers.reduce(0) { $0 + $1.duration.seconds }
        guard total > 0 else { return [] }
        func share(_ part: (WorkerStepRecord) -> HostSeconds) -> Double {
            workers.reduce(0) { $0 + part($1).seconds } / total
        }
        return [
            ("compute", share(\.compute)), ("exchange", share(\.exposedCommunication)), ("wait", share(\.waiting)),
            ("update", share(\.optimizer)), ("input", share(\.input)),
        ]
    }
}
