import BERT
import Foundation
import Jobs
import Kernels
import Training

/// Jobs and sources that train in a moment.
enum Sample {
    static let vocabularySize = 200

    /// Four lanes of three ragged sequences, in micro-batches of two.
    static func job(
        lanes: Int = 4, perLane: Int = 3, microBatch: Int = 2, steps: Int = 6, seed: UInt64 = 7,
        optimizer: OptimizerSettings = OptimizerSettings(kind: .adamw), nextSentence: Bool = true,
        dropout: Float = 0.1, peak: Float = 1e-3
    ) -> Job {
        Job(
            name: "sample",
            model: ModelShape(
                layers: 2, hidden: 32, heads: 2, intermediate: 64, positions: 32, hiddenDropout: dropout,
                attentionDropout: dropout),
            corpus: CorpusSource(
                text: .synthetic(documents: 10, seed: 1), vocabulary: .trained(size: vocabularySize)),
            examples: ExampleSettings(nextSentence: nextSentence), lanes: lanes, seed: seed,
            phases: [
                Phase(
                    sequence: 24, maskedPositions: 4, globalBatch: lanes * perLane, microBatch: microBatch,
                    steps: steps - steps / 3, schedule: Schedule(peak: peak, warmupSteps: 2, decay: .linear)),
                Phase(
                    sequence: 32, maskedPositions: 5, globalBatch: lanes * perLane, microBatch: microBatch,
                    steps: steps / 3, schedule: Schedule(peak: peak / 2, warmupSteps: 0, decay: .constant)),
            ].filter { $0.steps > 0 },
            optimizer: optimizer, evaluation: EvaluationSettings(everySteps: 2, sequences: 7), target: nil,
            checkpoints: CheckpointSettings())
    }

    static func source(nextSentence: Bool = true) -> RandomStepSource {
        RandomStepSource(vocabularySize: vocabularySize, seed: 3, isRagged: true, nextSentence: nextSentence)
    }

    static func trainer(
        _ job: Job, lanes: Range<Int>? = nil, threads: Int = 1, source: (any StepSource)? = nil
    ) throws -> Trainer {
        try Trainer(
            plan: TrainingPlan(job: job, vocabularySize: vocabularySize),
            source: source ?? Self.source(nextSentence: job.examples.nextSentence), lanes: lanes, threads: threads)
    }
}

/// What a run leaves behind that must not depend on how it was computed.
struct Trace: Equatable {
    var losses: [UInt64] = []
    var norms: [UInt64] = []
    var evaluation: [UInt64] = []
    var digest = ""

    mutating func append(_ results: [LaneResult], _ optimizer: OptimizerResult) {
        losses.append(StepSummary(results).loss.bitPattern)
        norms.append(optimizer.gradientNorm.bitPattern)
    }

    mutating func finish(_ trainer: Trainer) throws {
        let summary = try trainer.evaluate()
        evaluation = [summary.maskedLoss.bitPattern, summary.nextSentenceLoss.bitPattern]
        digest = trainer.weightsDigest()
    }
}

/// Trains by one process from its present step to `end`, or to the job's.
func train(_ trainer: Trainer, to end: Int? = nil) throws -> Trace {
    var trace = Trace()
    while trainer.stepsMade < end ?? trainer.plan.totalSteps {
        let step = StepNumber(trainer.stepsMade)
        try trainer.loadStep(step)
        trace.append(try trainer.computeGradients(step), try trainer.applyOptimizer(step))
    }
    try trace.finish(trainer)
    return trace
}

/// Trains by several processes' trainers, exchanging partial sums as a collective would.
func train(_ trainers: [Trainer], to end: Int? = nil) throws -> [Trace] {
    var traces = trainers.map { _ in Trace() }
    let plan = trainers[0].plan
    for index in trainers[0].stepsMade..<(end ?? plan.totalSteps) {
        let step = StepNumber(index)
        var results: [LaneResult] = []
        var partials: [LaneTree.Node: [Float]] = [:]
        for trainer in trainers {
            try trainer.loadStep(step)
            results += try trainer.computeGradients(step)
            for node in trainer.cover { partials[node] = Array(trainer.partialSum(node)) }
        }
        for join in plan.tree.joins(of: Array(partials.keys)) {
            guard let into = partials[join.into], let from = partials[join.from] else { continue }
            var sum = [Float](repeating: 0, count: into.count)
            Vector.sum(into: &sum, left: into, right: from, count: sum.count, roundedTo: plan.job.gradientHalf)
            partials[join.sum] = sum
        }
        for (rank, trainer) in trainers.enumerated() {
            _ = trainer.gradient.update(fromContentsOf: partials[plan.tree.root] ?? [])
            traces[rank].append(results, try trainer.applyOptimizer(step))
        }
    }
    for (rank, trainer) in trainers.enumerated() { try traces[rank].finish(trainer) }
    return traces
}

/// A folder that is removed with its owner.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "wafermark-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path(percentEncoded: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
