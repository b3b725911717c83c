import Coordinator
import Jobs
import PerformanceModel
import Runs

/// Measures what agreeing on a step costs each of several workers while they compute: steps of a narrow network, by one
/// worker and by twice as many as there are cores.
///
/// What these take longer than their passes, their updates and their exchange is what the calibration lacks: messages and
/// records, and threads that are woken for them, find a core taken and its caches full of something else. Threads beyond
/// the cores wait for each other all the time, so it is taken as a core's time, as the passes' is.
struct ControlCalibration: Sendable {
    private static let steps = 60
    /// Sequences of a worker in a step: so many that it computes for several of the scheduler's slices.
    private static let sequences = 6
    /// The most workers: beyond, starting them would take longer than their steps.
    private static let mostWorkers = 8
    private static let vocabulary = 1000

    /// Host seconds of a step: its passes and updates as one worker has them, shared by as many cores as all have; and the
    /// whole step of all workers.
    private struct Steps {
        var work, together: Double
    }

    /// Cores of the machine.
    let cores: Int
    private var measured: [Steps] = []

    /// Nothing measured yet, of a machine with `cores`.
    init(cores: Int) { self.cores = cores }

    /// Whether both were measured often enough.
    var isEnough: Bool {
        Repetition.isEnough(measured.map(\.work)) && Repetition.isEnough(measured.map(\.together))
    }

    private var workers: Int { min(2 * cores, Self.mostWorkers) }
    private var atOnce: Double { Double(min(cores, workers)) }

    /// Runs one worker, then all, once more, where that was not done often enough.
    mutating func round(_ runs: FollowedRuns) async throws {
        if isEnough { return }
        let job = Self.job(lanes: workers)
        let alone = try await medians(of: job, workers: 1, runs)
        let together = try await medians(of: job, workers: workers, runs)
        measured.append(
            Steps(work: (alone.compute + Double(workers) * alone.optimizer) / atOnce, together: together.duration))
    }

    /// Microseconds of a core, a worker and step, of the quickest of each; `host` is calibrated but for this.
    func microseconds(on host: HostMachine) throws -> Double {
        let exchange = try HostStep(
            job: Self.job(lanes: workers), layout: .init(workers: workers), vocabularySize: Self.vocabulary, on: host
        ).exchange
        guard let work = measured.map(\.work).min(), let together = measured.map(\.together).min() else { return 0 }
        return max(0, together - work - exchange) * 1e6 * atOnce / Double(workers)
    }

    /// The medians over a run's steps, in host seconds.
    private struct Medians {
        var compute, optimizer, duration: Double
    }

    private func medians(of job: Job, workers: Int, _ runs: FollowedRuns) async throws -> Medians {
        let record = try await runs.record(
            of: job, on: .cluster, workers: workers, exchange: ExchangeSettings(laneShares: .even))
        func median(_ values: [Double]) -> Double { Quantiles(values).median ?? 0 }
        return Medians(
            compute: median(record.workerSteps.map(\.compute.seconds)),
            optimizer: median(record.workerSteps.map(\.optimizer.seconds)),
            duration: median(record.steps.map(\.duration.seconds)))
    }

    private static func job(lanes: Int) -> Job {
        var examples = ExampleSettings()
        examples.shortSequenceShare = 0
        return Job(
            name: "control", model: ModelShape(layers: 2, hidden: 128, heads: 2),
            corpus: CorpusSource(text: .synthetic(documents: 300, seed: 1), vocabulary: .trained(size: vocabulary)),
            examples: examples, lanes: lanes, seed: 1,
            phases: [
                Phase(
                    sequence: 128, maskedPositions: 20, globalBatch: sequences * lanes, microBatch: sequences,
                    steps: steps, schedule: Schedule(peak: 1e-4, warmupSteps: 0, decay: .constant))
            ],
            optimizer: OptimizerSettings(kind: .adamw), evaluation: EvaluationSettings(everySteps: steps, sequences: 4),
            target: nil, checkpoints: CheckpointSettings())
    }
}
