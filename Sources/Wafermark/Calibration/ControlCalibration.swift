import Coordinator
import Foundation
import Jobs
import PerformanceModel
import Report
import Runs

/// Measures what agreeing on a step costs each of several workers: steps of a network that computes next to nothing, by one
/// worker and by twice as many as there are cores.
///
/// What these take longer than their passes, their updates and their exchange is what the calibration lacks. Threads beyond
/// the cores wait for each other all the time, so it is taken as a core's time, as the passes' is.
struct ControlCalibration: Sendable {
    /// Times that both are run, one after the other; the median of the differences counts.
    private static let rounds = 3
    private static let steps = 400
    /// The most workers: beyond, starting them would take longer than their steps.
    private static let mostWorkers = 8
    private static let vocabulary = 1000

    /// The machine, calibrated but for this.
    var host: HostMachine

    /// Microseconds of a core, a worker and step.
    func run(_ client: DaemonClient, in state: StateDirectory) async throws -> Double {
        let workers = min(2 * host.cores, Self.mostWorkers)
        let job = Self.job(lanes: workers)
        var bare = host
        bare.controlMicroseconds = 0
        let exchange = try HostStep(
            job: job, layout: .init(workers: workers), vocabularySize: Self.vocabulary, on: bare
        ).exchange
        let atOnce = Double(min(host.cores, workers))
        var rest: [Double] = []
        for _ in 1...Self.rounds {
            let alone = try await medians(of: job, workers: 1, client, state)
            let together = try await medians(of: job, workers: workers, client, state)
            let work = alone.compute + Double(workers) * alone.optimizer
            rest.append(together.duration - work / atOnce - exchange)
        }
        return max(0, Quantiles(rest).median ?? 0) * 1e6 * atOnce / Double(workers)
    }

    /// The medians over a run's steps, in host seconds.
    private struct Medians {
        var compute, optimizer, duration: Double
    }

    private func medians(
        of job: Job, workers: Int, _ client: DaemonClient, _ state: StateDirectory
    ) async throws -> Medians {
        let id = try await client.launch(
            job, on: .cluster, workers: workers, hardware: nil,
            exchange: ExchangeSettings(laneShares: .even))
        let record = try await TrialState.record(of: id, in: state)
        func median(_ values: [Double]) -> Double { Quantiles(values).median ?? 0 }
        return Medians(
            compute: median(record.workerSteps.map(\.compute.seconds)),
            optimizer: median(record.workerSteps.map(\.optimizer.seconds)),
            duration: median(record.steps.map(\.duration.seconds)))
    }

    private static func job(lanes: Int) -> Job {
        Job(
            name: "control", model: ModelShape(layers: 1, hidden: 64, heads: 1),
            corpus: CorpusSource(text: .synthetic(documents: 100, seed: 1), vocabulary: .trained(size: vocabulary)),
            examples: ExampleSettings(), lanes: lanes, seed: 1,
            phases: [
                Phase(
                    sequence: 16, maskedPositions: 2, globalBatch: lanes, microBatch: 1, steps: steps,
                    schedule: Schedule(peak: 1e-4, warmupSteps: 0, decay: .constant))
            ],
            optimizer: OptimizerSettings(kind: .adamw), evaluation: EvaluationSettings(everySteps: steps, sequences: 4),
            target: nil, checkpoints: CheckpointSettings())
    }
}
