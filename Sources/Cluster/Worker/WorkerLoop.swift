import Foundation
import Jobs
import Training
import Wire

/// A worker's run from its first step to its last, on the thread that computes.
struct WorkerLoop {
    private let assignment: Assignment
    private let backend: any StepBackend
    private let vocabulary: [String]
    private let link: CoordinatorLink
    private let progress: WorkerProgress
    private var target: TargetTracker

    /// A loop for `assignment`, whose steps `backend` makes; the model is exported with `vocabulary`.
    init(
        assignment: Assignment, backend: any StepBackend, vocabulary: [String], link: CoordinatorLink,
        progress: WorkerProgress
    ) {
        self.assignment = assignment
        self.backend = backend
        self.vocabulary = vocabulary
        self.link = link
        self.progress = progress
        target = TargetTracker(target: backend.trainer.plan.job.target)
    }

    /// Runs until the coordinator says that the run is complete.
    ///
    /// - Throws: what the backend throws; `WorkerEnd` where the coordinator asks to end or says nothing.
    mutating func run() throws {
        let plan = backend.trainer.plan
        var step = assignment.firstStep
        while true {
            try makeStep(step)
            step = step.next
            let isComplete = try plan.evaluates(stepsMade: step.index) && evaluate(after: step)
            if isComplete { break }
            if plan.checkpoints(stepsMade: step.index) { try checkpoint(after: step) }
        }
        try finish(after: step)
    }

    private func makeStep(_ step: StepNumber) throws {
        try link.checkForEnd()
        progress.enter(.forwardBackward, step: step)
        let started = MonotonicInstant.now()
        let outcome = try backend.makeStep(step)
        link.send(
            .stepReport(
                StepReport(
                    step: step, epoch: assignment.epoch, outcome: outcome, started: started, ended: .now())))
    }

    /// Measures this worker's share and waits for the verdict: true where the run is complete.
    private mutating func evaluate(after step: StepNumber) throws -> Bool {
        progress.enter(.evaluating, step: step)
        let trainer = backend.trainer
        let own = (0..<trainer.plan.evaluationChunkCount(stepsMade: step.index)).filter {
            $0 % assignment.peers.count == assignment.rank.index
        }
        let chunks = try trainer.evaluate(chunks: own)
        link.send(.evaluationReport(EvaluationReport(stepsMade: step.index, chunks: chunks, ended: .now())))
        progress.enter(.waiting, step: step)
        let verdict = try link.verdict(after: step.index, within: assignment.exchangeDeadline)
        target.observe(maskedAccuracy: verdict.maskedAccuracy, maskedLoss: verdict.maskedLoss)
        return verdict.isFinish
    }

    private func checkpoint(after step: StepNumber) throws {
        guard assignment.rank.index == 0 else { return }
        progress.enter(.checkpointing, step: step)
        var stopwatch = Stopwatch()
        let store = CheckpointStore(directory: assignment.runDirectory + "/checkpoints")
        let folder = try backend.trainer.writeCheckpoint(to: store, target: target)
        link.send(
            .checkpointReport(
                CheckpointReport(stepsMade: step.index, path: folder.path, duration: stopwatch.lap())))
    }

    private func finish(after step: StepNumber) throws {
        try checkpoint(after: step)
        progress.enter(.checkpointing, step: step)
        var model: String?
        if assignment.rank.index == 0 {
            let directory = assignment.runDirectory + "/model"
            try backend.trainer.exportModel(to: directory, vocabulary: vocabulary)
            model = directory
        }
        link.send(
            .finished(
                WorkerFinished(
                    steps: step.index, weightsDigest: backend.trainer.weightsDigest(), modelDirectory: model)))
        progress.enter(.finished, step: step)
    }
}

extension StepReport {
    fileprivate init(
        step: StepNumber, epoch: Int, outcome: StepOutcome, started: MonotonicInstant, ended: MonotonicInstant
    ) {
        self.init(
            step: step, epoch: epoch,
            lanes: outcome.lanes.map { result in
                LaneReport(
                    lane: result.lane, maskedLossSum: result.losses.maskedLossSum,
                    maskedCount: result.losses.maskedCount, maskedCorrect: result.losses.maskedCorrect,
                    nextSentenceLossSum: result.losses.nextSentenceLossSum,
                    nextSentenceCorrect: result.losses.nextSentenceCorrect, sequences: result.losses.sequences,
                    tokens: result.losses.tokens)
            },
            learningRate: outcome.optimizer.learningRate, gradientNorm: outcome.optimizer.gradientNorm,
            timings: Timings(
                input: outcome.timings.input, compute: outcome.timings.compute,
                exposedCommunication: outcome.timings.exposedCommunication, waiting: outcome.timings.waiting,
                optimizer: outcome.timings.optimizer),
            startedNanoseconds: started.nanoseconds, endedNanoseconds: ended.nanoseconds, sent: outcome.sent)
    }
}

extension EvaluationReport {
    fileprivate init(stepsMade: Int, chunks: [EvaluationChunk], ended: MonotonicInstant) {
        self.init(
            stepsMade: stepsMade,
            chunks: chunks.map { chunk in
                Chunk(
                    index: chunk.index, maskedLossSum: chunk.losses.maskedLossSum,
                    maskedCount: chunk.losses.maskedCount, maskedCorrect: chunk.losses.maskedCorrect,
                    nextSentenceCorrect: chunk.losses.nextSentenceCorrect, sequences: chunk.losses.sequences)
            }, endedNanoseconds: ended.nanoseconds)
    }
}
