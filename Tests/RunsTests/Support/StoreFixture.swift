import Foundation
import Jobs
import Runs

/// A folder that goes away with the test.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("runs-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The database's path.
    var database: String { path + "/" + RunStore.fileName }
}

/// Runs and series made up for tests.
enum StoreFixture {
    static let start = Date(timeIntervalSince1970: 1_795_000_000.125)

    static let job = Job(
        name: "demo", model: ModelShape(layers: 2, hidden: 128, heads: 2),
        corpus: CorpusSource(text: .synthetic(documents: 100, seed: 1), vocabulary: .trained(size: 500)),
        examples: ExampleSettings(), lanes: 4, seed: .max,
        phases: [
            Phase(
                sequence: 128, maskedPositions: 20, globalBatch: 8, microBatch: 2, steps: 10,
                schedule: Schedule(peak: 1e-3, warmupSteps: 2, decay: .linear))
        ], optimizer: OptimizerSettings(kind: .lamb), evaluation: EvaluationSettings(everySteps: 5, sequences: 16),
        target: Target(quality: .maskedAccuracy(0.3), consecutive: 2), checkpoints: CheckpointSettings())

    static func id(_ text: String) throws -> RunID {
        guard let id = RunID(text) else { throw CocoaError(.formatting) }
        return id
    }

    static func run(_ text: String, backend: Backend = .cluster, workers: Int = 2, after seconds: Double = 0) throws
        -> Run
    {
        Run(
            id: try id(text), job: job, backend: backend, workers: workers, hardware: nil,
            submitted: start.addingTimeInterval(seconds))
    }

    static func step(_ index: Int, loss: Double = 7.25) -> StepRecord {
        StepRecord(
            step: StepNumber(index), loss: loss, maskedLoss: 6.5, nextSentenceLoss: 0, maskedAccuracy: 0.125,
            learningRate: 1e-3, gradientNorm: 1.0 / 3, sequences: 8, tokens: 900,
            elapsed: HostSeconds(0.1 * Double(index + 1)), duration: HostSeconds(0.1),
            laneGradientSquaredNorm: index.isMultiple(of: 2) ? 0.5 + Double(index) : nil,
            activationZeros: ActivationZeros(counted: 4_000 * index, zero: 1_000 * index, skipped: 700 * index))
    }

    static func workerStep(_ index: Int, rank: Int) -> WorkerStepRecord {
        WorkerStepRecord(
            step: StepNumber(index), rank: WorkerRank(rank), input: HostSeconds(0.001), compute: HostSeconds(0.08),
            exposedCommunication: HostSeconds(0.01), waiting: HostSeconds(0.005), optimizer: HostSeconds(0.004),
            duration: HostSeconds(0.1005), sent: Bytes(1_048_576),
            uncompressed: rank == 0 ? nil : Bytes(2_097_152), lanes: 1 + rank,
            timeline: rank == 0
                ? nil
                : WorkerStepRecord.Timeline(
                    started: HostSeconds(0.1 * Double(index) - 0.0025),
                    parts: PartStarts(
                        compute: HostSeconds(0.001), waiting: HostSeconds(0.081),
                        exposedCommunication: HostSeconds(0.0855), commit: HostSeconds(0.0955),
                        optimizer: HostSeconds(0.096))))
    }

    static func evaluation(after steps: Int) -> EvaluationRecord {
        EvaluationRecord(
            stepsMade: steps, elapsed: HostSeconds(0.1 * Double(steps)), maskedLoss: 5.5, maskedAccuracy: 0.2,
            nextSentenceAccuracy: steps == 5 ? nil : 0.5, baselineAccuracy: 0.05, maskedTokens: 320,
            noise: steps == 5 ? nil : GradientNoise(squaredNorm: -0.25, covarianceTrace: 1.0 / 3))
    }

    static func additions(steps: Range<Int>, workers: Int = 2) -> RunAdditions {
        RunAdditions(
            steps: steps.map { step($0) },
            workerSteps: steps.flatMap { step in (0..<workers).map { workerStep(step, rank: $0) } },
            evaluations: steps.filter { ($0 + 1).isMultiple(of: 5) }.map { evaluation(after: $0 + 1) },
            events: [
                RunEvent(
                    time: start.addingTimeInterval(1), kind: .workerJoined, message: "joined", rank: WorkerRank(1),
                    step: StepNumber(steps.lowerBound))
            ])
    }
}
