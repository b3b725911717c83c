import Foundation
import Jobs
import Runs
import Wire

/// What workers would say, and a run for them to say it of.
enum Reports {
    static func run(
        workers: Int = 2, lanes: Int = 4, steps: Int = 4, target: Target? = nil, backend: Backend = .cluster
    ) throws -> Run {
        let job = Job(
            name: "small", model: ModelShape(layers: 2, hidden: 64, heads: 2),
            corpus: CorpusSource(text: .synthetic(documents: 300, seed: 5), vocabulary: .trained(size: 600)),
            examples: ExampleSettings(), lanes: lanes, seed: 11,
            phases: [
                Phase(
                    sequence: 64, maskedPositions: 10, globalBatch: 16, microBatch: 4, steps: steps,
                    schedule: Schedule(peak: 1e-3, warmupSteps: 2, decay: .linear))
            ], optimizer: OptimizerSettings(kind: .adamw),
            evaluation: EvaluationSettings(everySteps: 2, sequences: 32), target: target,
            checkpoints: CheckpointSettings())
        guard let id = RunID("0123abcd") else { throw CocoaError(.coderInvalidValue) }
        return Run(
            id: id, job: job, backend: backend, workers: workers, hardware: nil,
            submitted: Date(timeIntervalSince1970: 1_795_000_000))
    }

    /// A lane whose masked loss is `loss` a token.
    static func lane(_ lane: Int, loss: Double = 2, masked: Int = 10, correct: Int = 1) -> LaneReport {
        LaneReport(
            lane: lane, maskedLossSum: loss * Double(masked), maskedCount: masked, maskedCorrect: correct,
            nextSentenceLossSum: 4 * 0.5, nextSentenceCorrect: 2, sequences: 4, tokens: 100)
    }

    /// A step from `start` to `end`, in milliseconds of the worker's clock, of which `compute` are accounted for.
    static func step(
        _ step: Int, start: UInt64 = 0, end: UInt64 = 10, compute: Double = 0.008, gradientNorm: Double = 1.5
    ) -> StepReport {
        StepReport(
            step: StepNumber(step), learningRate: 1e-3, gradientNorm: gradientNorm,
            timings: StepReport.Timings(
                input: .zero, compute: HostSeconds(compute), exposedCommunication: HostSeconds(0.001),
                waiting: .zero, optimizer: .zero),
            startedNanoseconds: start * 1_000_000, endedNanoseconds: end * 1_000_000, sent: Bytes(8))
    }

    /// An evaluation of which `chunks` were measured here; chunk i has 10 masked tokens and i of them right.
    static func evaluation(after steps: Int, chunks: [Int], end: UInt64 = 50) -> EvaluationReport {
        EvaluationReport(
            stepsMade: steps,
            chunks: chunks.map {
                EvaluationReport.Chunk(
                    index: $0, maskedLossSum: 20 + Double($0), maskedCount: 10, maskedCorrect: $0,
                    nextSentenceCorrect: 3, sequences: 4)
            }, endedNanoseconds: end * 1_000_000)
    }
}
