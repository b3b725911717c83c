import Foundation
import Jobs
import Training
import Wire

/// A worker's part in one membership, from its first step to the run's last, on the thread that computes.
///
/// Between two steps lies a boundary, where held-out text is measured and checkpoints are written where they are due. A
/// membership begins at a boundary; what was done there already comes with the assignment.
struct WorkerLoop {
    let assignment: Assignment
    private let backend: any StepBackend
    private let vocabulary: [String]
    private let link: CoordinatorLink
    private let progress: WorkerProgress
    private let faults: FaultInjector?
    private var target: TargetTracker
    /// What `target` was when no lane held anything back for the last time.
    private var wholeTarget: TargetTracker

    /// A loop for `assignment`, whose steps `backend` makes; the model is exported with `vocabulary`.
    ///
    /// - Throws: `DecodingError` where the assignment's target is none.
    init(
        assignment: Assignment, backend: any StepBackend, vocabulary: [String], link: CoordinatorLink,
        progress: WorkerProgress, faults: FaultInjector?
    ) throws {
        self.assignment = assignment
        self.backend = backend
        self.vocabulary = vocabulary
        self.link = link
        self.progress = progress
        self.faults = faults
        target =
            assignment.target.isEmpty
            ? TargetTracker(target: backend.trainer.plan.job.target)
            : try JSONDecoder().decode(TargetTracker.self, from: Data(assignment.target))
        wholeTarget = target
    }

    private var trainer: Trainer { backend.trainer }

    /// Runs until this worker has nothing left to do.
    ///
    /// - Throws: what the backend throws; `WorkerEnd` where the coordinator asks to end or says nothing; `MembershipOver`
    ///   where another membership is being formed.
    mutating func run() throws {
        var known = assignment.verdict
        while true {
            let stepsMade = trainer.stepsMade
            try link.check(stepsMade: stepsMade)
            if trainer.plan.evaluates(stepsMade: stepsMade) {
                let verdict = try known ?? evaluate(after: stepsMade)
                if verdict.isFinish { break }
            }
            known = nil
            if trainer.plan.job.isWhole(after: stepsMade) { wholeTarget = target }
            if trainer.plan.checkpoints(stepsMade: stepsMade) { try checkpoint(after: stepsMade) }
            try makeStep(StepNumber(stepsMade))
        }
        try finish(after: trainer.stepsMade)
    }

    /// Writes the checkpoint that the run can go on from: where this worker stands, or at the last point before at which no
    /// lane held anything back.
    ///
    /// - Throws: `ModelFileError`.
    func saveForLater() throws {
        let point = trainer.plan.job.wholePoint(before: trainer.stepsMade)
        if trainer.canGoBack(to: point) { try trainer.goBack(to: point) }
        try save(wholeTarget)
    }

    /// Writes a checkpoint where this worker stands.
    private func save(_ target: TargetTracker) throws {
        progress.enter(.checkpointing, step: StepNumber(trainer.stepsMade))
        try faults?.pass(.checkpoint, worker: assignment.rank, step: StepNumber(trainer.stepsMade))
        var stopwatch = Stopwatch()
        let store = CheckpointStore(directory: assignment.runDirectory + "/checkpoints")
        let folder = try trainer.writeCheckpoint(to: store, target: target)
        try faults?.pass(.checkpointed, worker: assignment.rank, step: StepNumber(trainer.stepsMade))
        link.send(
            .checkpointReport(
                CheckpointReport(stepsMade: trainer.stepsMade, path: folder.path, duration: stopwatch.lap())))
    }

    private func makeStep(_ step: StepNumber) throws {
        progress.enter(.forwardBackward, step: step)
        let line = StepLine(
            assignment: assignment, link: link, progress: progress, faults: faults, trainer: trainer)
        let outcome = try backend.makeStep(step, observer: line)
        try faults?.pass(.applied, worker: assignment.rank, step: step)
        link.send(.stepReport(StepReport(step: step, outcome: outcome, ended: .now())))
    }

    /// Measures this worker's share and waits for the verdict.
    private mutating func evaluate(after stepsMade: Int) throws -> Verdict {
        progress.enter(.evaluating, step: StepNumber(stepsMade))
        try faults?.pass(.evaluate, worker: assignment.rank, step: StepNumber(stepsMade))
        let own = (0..<trainer.plan.evaluationChunkCount(stepsMade: stepsMade)).filter {
            $0 % assignment.peers.count == assignment.place
        }
        let chunks = try trainer.evaluate(chunks: own)
        link.send(.evaluationReport(EvaluationReport(stepsMade: stepsMade, chunks: chunks, ended: .now())))
        progress.enter(.waiting)
        let verdict = try link.verdict(after: stepsMade, within: assignment.exchangeDeadline)
        target.observe(maskedAccuracy: verdict.maskedAccuracy, maskedLoss: verdict.maskedLoss)
        backend.stoodStill(until: MonotonicInstant(nanoseconds: verdict.endedNanoseconds))
        return verdict
    }

    /// The first worker of the membership writes for all: they hold the same. What a checkpoint has seen must be on record
    /// before it is written, so that a run that goes on from it has no gap.
    private func checkpoint(after stepsMade: Int) throws {
        guard assignment.place == 0 else { return }
        progress.enter(.waiting, step: StepNumber(stepsMade))
        try link.recorded(stepsMade, within: assignment.exchangeDeadline)
        try save(target)
    }

    private func finish(after stepsMade: Int) throws {
        progress.enter(.checkpointing, step: StepNumber(stepsMade))
        try faults?.pass(.finish, worker: assignment.rank, step: nil)
        var model: String?
        if assignment.place == 0 {
            try save(target)
            let directory = assignment.runDirectory + "/model"
            // One that is there is whole, and has the same bits: another worker wrote it and was lost.
            if !FileManager.default.fileExists(atPath: directory) {
                try trainer.exportModel(to: directory, vocabulary: vocabulary)
            }
            model = directory
        }
        link.send(
            .finished(
                WorkerFinished(steps: stepsMade, weightsDigest: trainer.weightsDigest(), modelDirectory: model)))
        progress.enter(.finished)
        try faults?.pass(.finished, worker: assignment.rank, step: nil)
    }
}

/// Tells the coordinator of a step while it is made.
private struct StepLine: StepObserver {
    let assignment: Assignment
    let link: CoordinatorLink
    let progress: WorkerProgress
    let faults: FaultInjector?
    let trainer: Trainer

    func computed(_ lanes: [LaneResult], of step: StepNumber) {
        link.send(
            .laneResults(
                step: step,
                lanes.map { result in
                    LaneReport(
                        lane: result.lane, maskedLossSum: result.losses.maskedLossSum,
                        maskedCount: result.losses.maskedCount, maskedCorrect: result.losses.maskedCorrect,
                        nextSentenceLossSum: result.losses.nextSentenceLossSum,
                        nextSentenceCorrect: result.losses.nextSentenceCorrect, sequences: result.losses.sequences,
                        tokens: result.losses.tokens, examplesChecksum: result.examplesChecksum,
                        gradientSquaredNorm: result.gradientSquaredNorm,
                        countedActivations: result.losses.activations.computed,
                        zeroActivations: result.losses.activations.zero,
                        skippedActivations: result.losses.activations.skipped)
                }))
    }

    func awaitCommit(of step: StepNumber) throws {
        progress.enter(.waiting)
        try link.commit(of: step, within: assignment.exchangeDeadline)
    }

    func reached(_ point: StepPoint, of step: StepNumber) throws {
        switch point {
        case .input, .forward, .sum, .backward: break
        case .exchange: progress.enter(.exchanging)
        case .apply: progress.enter(.applying)
        }
        guard let faults else { return }
        let place: FaultPlan.Point =
            switch point {
            case .input: .input
            case .forward: .forward
            case .sum: .sum
            case .backward: .backward
            case .exchange: .exchange
            case .apply: .apply
            }
        // Before the exchange, what this worker adds; after it, what it applies.
        let gradient = point == .sum ? trainer.cover.first.map(trainer.partialSum) : trainer.gradient
        try faults.pass(place, worker: assignment.rank, step: step, gradient: gradient)
    }
}

extension StepReport {
    fileprivate init(step: StepNumber, outcome: StepOutcome, ended: MonotonicInstant) {
        self.init(
            step: step, learningRate: outcome.optimizer.learningRate, gradientNorm: outcome.optimizer.gradientNorm,
            timings: Timings(
                input: outcome.timings.input, compute: outcome.timings.compute,
                exposedCommunication: outcome.timings.exposedCommunication, waiting: outcome.timings.waiting,
                optimizer: outcome.timings.optimizer),
            starts: outcome.timings.starts, startedNanoseconds: outcome.timings.started.nanoseconds,
            endedNanoseconds: ended.nanoseconds, sent: outcome.sent, uncompressed: outcome.uncompressed,
            emulated: outcome.emulated.map {
                EmulatedStepReport(
                    dilation: $0.dilation, dilated: $0.dilated, compute: $0.compute, optimizer: $0.optimizer,
                    lateness: $0.lateness)
            })
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
