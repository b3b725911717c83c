import Jobs
import Training
import Wire

/// A worker's run from its first step to its last, on the thread that computes. What it learns goes out through `link`;
/// what it must be told (go on, or finish) it waits for there.
struct WorkerLoop {
    private let assignment: Assignment
    private let backend: any StepBackend
    private let link: any CoordinatorLink
    private let progress: WorkerProgress

    /// A loop for `assignment`, whose steps `backend` makes.
    init(
        assignment: Assignment, backend: any StepBackend, link: any CoordinatorLink, progress: WorkerProgress
    ) {
        self.assignment = assignment
        self.backend = backend
        self.link = link
        self.progress = progress
    }

    /// Runs until the coordinator says that the run is complete.
    ///
    /// - Throws: what the backend or the link throws; `WorkerStopped` where the coordinator asks to stop.
    func run() throws {
        let job = assignment.job
        var step = assignment.firstStep
        while true {
            try makeStep(step)
            step = step.next
            let isLast = step.index >= job.totalSteps
            if let every = job.checkpoints.everySteps, step.index % every == 0, !isLast { try checkpoint(after: step) }
            if isLast || step.index % job.evaluation.everySteps == 0, try evaluate(after: step) == .finish { break }
        }
        try finish(after: step)
    }

    private func makeStep(_ step: StepNumber) throws {
        try link.checkForStop()
        progress.enter(.forwardBackward, step: step)
        let started = MonotonicInstant.now()
        let outcome = try backend.makeStep(step)
        let ended = MonotonicInstant.now()
        link.send(
            .stepReport(
                StepReport(
                    step: step, epoch: assignment.epoch, outcome: outcome, started: started, ended: ended)))
    }

    private func evaluate(after step: StepNumber) throws -> Verdict.Decision {
        progress.enter(.evaluating, step: step)
        let trainer = backend.trainer
        let own = (0..<trainer.plan.evaluationChunkCount).filter {
            $0 % assignment.workerCount == assignment.rank.index
        }
        let chunks = try trainer.evaluate(chunks: own)
        link.send(
            .evaluationReport(
                EvaluationReport(stepsMade: step.index, chunks: chunks, ended: MonotonicInstant.now())))
        progress.enter(.waiting, step: step)
        return try link.verdict(after: step.index)
    }

    private func checkpoint(after step: StepNumber) throws {
        guard assignment.rank.index == 0 else { return }
        progress.enter(.checkpointing, step: step)
        var stopwatch = Stopwatch()
        let path = try backend.trainer.writeCheckpoint(
            in: assignment.runDirectory + "/checkpoints", after: step)
        link.send(.checkpointReport(CheckpointReport(step: step, path: path, seconds: stopwatch.lap())))
    }

    private func finish(after step: StepNumber) throws {
        progress.enter(.checkpointing, step: step)
        let digest = try backend.trainer.weightsDigest()
        var model: String?
        if assignment.rank.index == 0 {
            try checkpoint(after: step)
            let directory = assignment.runDirectory + "/model"
            try backend.trainer.exportModel(to: directory)
            model = directory
        }
        link.send(.finished(WorkerFinished(steps: step.index, weightsDigest: digest, modelDirectory: model)))
    }
}
