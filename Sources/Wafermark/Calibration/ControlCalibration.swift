import Coordinator
import Jobs
import PerformanceModel
import Runs

/// Measures what agreeing on a step costs each of several workers while they compute: steps of a narrow network by workers
/// that have a core each, by twice as many, and by one process with a thread a core.
///
/// What the workers take longer than the threads is what the calibration lacks: messages and records, and threads that are
/// woken for them, find a core taken and its caches full of something else. Threads beyond the cores wait for each other all
/// the time, so it is taken as a core's time, as the passes' is.
struct ControlCalibration: Sendable {
    private static let steps = 120
    /// Sequences of a lane in a step: so many that a worker computes for several of the scheduler's slices.
    private static let sequences = 6
    /// The most workers of a core each: beyond, starting them would take longer than their steps.
    private static let mostWorkers = 8
    private static let vocabulary = 1000

    /// A step's host seconds in each way of dealing it: the median of a run.
    private struct Steps {
        var threads, workers, inTurns: Double
    }

    /// Cores of the machine.
    let cores: Int
    private var measured: [Steps] = []

    /// Nothing measured yet, of a machine with `cores`.
    init(cores: Int) { self.cores = cores }

    /// Whether each was measured often enough.
    var isEnough: Bool {
        [measured.map(\.threads), measured.map(\.workers), measured.map(\.inTurns)].allSatisfy(Repetition.isEnough)
    }

    /// Workers that have a core each, two at the least.
    private var workers: Int { min(max(2, cores), Self.mostWorkers) }
    /// Workers that take turns, unless there are too many cores for so few.
    private var inTurns: Int { 2 * workers }

    /// Trains in each way once more, where that was not done often enough.
    mutating func round(_ runs: FollowedRuns) async throws {
        if isEnough { return }
        measured.append(
            Steps(
                threads: try await step(on: .wafer, workers: 1, runs),
                workers: try await step(on: .cluster, workers: workers, runs),
                inTurns: try await step(on: .cluster, workers: inTurns, runs)))
    }

    /// Sets both of its figures in `host`, which is calibrated but for them, by the quickest of each way.
    func set(in host: inout HostMachine) throws {
        try set(\.controlMicroseconds, from: \.workers, of: workers, in: &host)
        host.controlMicrosecondsInTurns = host.controlMicroseconds
        if inTurns > cores { try set(\.controlMicrosecondsInTurns, from: \.inTurns, of: inTurns, in: &host) }
    }

    private func set(
        _ figure: WritableKeyPath<HostMachine, Double>, from way: KeyPath<Steps, Double>, of workers: Int,
        in host: inout HostMachine
    ) throws {
        guard let together = measured.map({ $0[keyPath: way] }).min(), let threads = measured.map(\.threads).min()
        else { return }
        try host.set(
            figure,
            from: StepDifference(
                job: job, vocabularySize: Self.vocabulary, longer: HostStep.Layout(workers: workers),
                shorter: HostStep.Layout(
                    workers: 1, threads: Backend.wafer.threads(lanes: job.lanes, cores: cores)),
                hostSeconds: together - threads))
    }

    /// The median of a run's steps, in host seconds.
    private func step(on backend: Backend, workers: Int, _ runs: FollowedRuns) async throws -> Double {
        let record = try await runs.measurement(
            of: job, on: backend, workers: workers, exchange: ExchangeSettings(laneShares: .even))
        return Quantiles(record.steps.map(\.duration.seconds)).median ?? .nan
    }

    private var job: Job {
        var examples = ExampleSettings()
        examples.shortSequenceShare = 0
        return Job(
            name: "control", model: ModelShape(layers: 2, hidden: 128, heads: 2),
            corpus: CorpusSource(
                text: .synthetic(documents: 300, seed: 1), vocabulary: .trained(size: Self.vocabulary)),
            examples: examples, lanes: inTurns, seed: 1,
            phases: [
                Phase(
                    sequence: 128, maskedPositions: 20, globalBatch: Self.sequences * inTurns,
                    microBatch: Self.sequences, steps: Self.steps,
                    schedule: Schedule(peak: 1e-4, warmupSteps: 0, decay: .constant))
            ],
            optimizer: OptimizerSettings(kind: .adamw),
            evaluation: EvaluationSettings(everySteps: Self.steps, sequences: 4), target: nil,
            checkpoints: CheckpointSettings())
    }
}
