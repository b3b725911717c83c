import Coordinator
import Jobs
import PerformanceModel
import Report
import Runs

/// Runs small jobs on this machine and compares their steps with the replay on its calibrated profile.
struct HostTrials: Sendable {
    /// One job and how it is dealt.
    struct Trial: Sendable {
        var size: String
        var workers: Int
        var sequence: Int
        var globalBatch: Int
        var steps: Int
        var algorithm = CollectiveAlgorithm.direct
        var transport = Transport.sharedMemory
        var bucket: Bytes?
    }

    /// Sizes from tiny to base, one to four workers, both sequence lengths, three ways to exchange, by shared memory as runs
    /// have it where nobody says otherwise, and through sockets; each some seconds.
    static let trials = [
        Trial(size: "tiny", workers: 1, sequence: 128, globalBatch: 64, steps: 20),
        Trial(size: "tiny", workers: 2, sequence: 128, globalBatch: 64, steps: 20),
        Trial(size: "tiny", workers: 4, sequence: 512, globalBatch: 16, steps: 20),
        Trial(size: "mini", workers: 1, sequence: 512, globalBatch: 8, steps: 14),
        Trial(size: "mini", workers: 2, sequence: 128, globalBatch: 32, steps: 14, bucket: Bytes(262_144)),
        Trial(size: "mini", workers: 4, sequence: 128, globalBatch: 32, steps: 14, algorithm: .star),
        Trial(size: "small", workers: 1, sequence: 128, globalBatch: 16, steps: 12),
        Trial(size: "small", workers: 2, sequence: 512, globalBatch: 4, steps: 16, transport: .ipc),
        Trial(size: "small", workers: 4, sequence: 128, globalBatch: 16, steps: 12, algorithm: .ring),
        Trial(
            size: "medium", workers: 2, sequence: 128, globalBatch: 8, steps: 12, algorithm: .star, transport: .tcp,
            bucket: .mebibytes(4)),
        Trial(size: "base", workers: 1, sequence: 128, globalBatch: 4, steps: 10),
        Trial(size: "base", workers: 2, sequence: 128, globalBatch: 4, steps: 10),
    ]

    /// A trial's outcome: its median run's; times are medians over that run's steps.
    struct Row: Encodable, Sendable {
        var id: String
        var workers: Int
        var algorithm: CollectiveAlgorithm
        var transport: Transport
        var bucketBytes: Int?
        var measuredStepHostSeconds: Double
        /// The same steps, replayed, as much slower as kernels were before and after the run.
        var predictedStepModelledSeconds: Double
        var errorPercent: Double
        /// By how much these kernels exceeded the profile's.
        var slowedPercent: Double
        /// The error of the replay on the profile as it is.
        var asCalibratedErrorPercent: Double
        /// How much longer the slowest run's median step was than the quickest's.
        var spreadPercent: Double
        var measuredPartsHostSeconds: HostModelCheck.Parts
        var predictedPartsModelledSeconds: HostModelCheck.Parts
    }

    /// All outcomes.
    struct Outcome: Encodable, Sendable {
        var calibratedAt: String
        /// How disturbed the machine was then, as the profile says.
        var calibrationDisturbancePercent: Double
        /// Runs of each trial.
        var runs: Int
        var rows: [Row]
        var medianAbsoluteErrorPercent: Double
        var worstAbsoluteErrorPercent: Double
        /// The same without allowing for how much slower the machine was than when it was calibrated.
        var asCalibratedMedianAbsoluteErrorPercent: Double
        var asCalibratedWorstAbsoluteErrorPercent: Double
    }

    /// One run of a trial.
    private struct Visit {
        /// The replay on the profile as it is.
        var check: HostModelCheck.Row
        /// What kernels took before and after the run, over what the profile says.
        var slowdown: Double
        /// The replay, as much slower, over the measurement.
        var ratio: Double { check.stepModelledSeconds * slowdown / check.stepMedianHostSeconds }
    }

    /// The calibrated machine.
    var host: HostMachine
    /// By which the trials run.
    var runs: FollowedRuns

    /// Runs of each trial: an odd number has a median one.
    private static let visits = 5

    /// Runs every trial in order, then in the reverse, and so on, each between two measurements of kernels like its own: what
    /// else runs on the machine slows both alike, and differently from one minute to the next.
    func run(progress: @Sendable (String) -> Void) async throws -> Outcome {
        var visits: [[Visit]] = Self.trials.map { _ in [] }
        var order = Array(Self.trials.indices)
        for _ in 1...Self.visits {
            for index in order { visits[index].append(try await visit(Self.trials[index], progress)) }
            order.reverse()
        }
        let rows = zip(Self.trials, visits).compactMap(Self.row)
        let errors = Quantiles(rows.map { abs($0.errorPercent) })
        let asCalibrated = Quantiles(rows.map { abs($0.asCalibratedErrorPercent) })
        return Outcome(
            calibratedAt: host.measuredAt, calibrationDisturbancePercent: host.disturbancePercent, runs: Self.visits,
            rows: rows, medianAbsoluteErrorPercent: errors.median ?? 0,
            worstAbsoluteErrorPercent: errors.maximum ?? 0,
            asCalibratedMedianAbsoluteErrorPercent: asCalibrated.median ?? 0,
            asCalibratedWorstAbsoluteErrorPercent: asCalibrated.maximum ?? 0)
    }

    /// One run. The replay knows how many tokens its steps had; their times are not looked at.
    private func visit(_ trial: Trial, _ progress: @Sendable (String) -> Void) async throws -> Visit {
        let job = Self.job(trial)
        guard
            let pace = HostPace(
                of: host, hidden: job.model.hidden, sequence: trial.sequence,
                tokens: trial.globalBatch / job.lanes * trial.sequence, busy: min(trial.workers, host.cores))
        else { throw CommandFailure.failed("the host's profile has no usable rates; run 'wafermark calibrate'") }
        progress("\(job.name), \(Figures.plural(trial.workers, "worker")), \(trial.algorithm.rawValue)")
        let before = try await pace.slowdown()
        let record = try await runs.record(
            of: job, on: .cluster, workers: trial.workers,
            exchange: try ExchangeSettings(
                algorithm: trial.algorithm, transport: trial.transport, laneShares: .even,
                bucket: trial.bucket ?? ExchangeSettings.usualBucket))
        let after = try await pace.slowdown()
        guard let check = HostModelCheck.rows(record, on: host).first else {
            throw CommandFailure.failed("run \(record.run.id) of \(job.name) made too few steps to be compared")
        }
        return Visit(check: check, slowdown: (before + after) / 2)
    }

    /// The run of a trial whose error is the median one; nil without any.
    private static func row(_ trial: Trial, _ visits: [Visit]) -> Row? {
        let steps = Quantiles(visits.map(\.check.stepMedianHostSeconds))
        guard let slowest = steps.maximum, let quickest = steps.minimum else { return nil }
        let visit = visits.sorted { $0.ratio < $1.ratio }[visits.count / 2]
        let check = visit.check
        return Row(
            id: job(trial).name, workers: trial.workers, algorithm: trial.algorithm, transport: trial.transport,
            bucketBytes: trial.bucket?.count, measuredStepHostSeconds: check.stepMedianHostSeconds,
            predictedStepModelledSeconds: check.stepModelledSeconds * visit.slowdown,
            errorPercent: 100 * (visit.ratio - 1), slowedPercent: 100 * (visit.slowdown - 1),
            asCalibratedErrorPercent: check.errorPercent, spreadPercent: 100 * (slowest / quickest - 1),
            measuredPartsHostSeconds: check.measured,
            predictedPartsModelledSeconds: check.modelled.scaled(by: visit.slowdown))
    }

    private static func job(_ trial: Trial) -> Job {
        Job(
            name: "\(trial.size)-\(trial.sequence)", model: ModelShape.named(trial.size) ?? ModelShape.named[0].shape,
            corpus: CorpusSource(text: .synthetic(documents: 600, seed: 1), vocabulary: .trained(size: 4000)),
            examples: ExampleSettings(), lanes: 4, seed: 1,
            phases: [
                Phase(
                    sequence: trial.sequence, maskedPositions: trial.sequence * 20 / 128,
                    globalBatch: trial.globalBatch,
                    microBatch: trial.globalBatch / 4, steps: trial.steps,
                    schedule: Schedule(peak: 1e-4, warmupSteps: 0, decay: .constant))
            ],
            optimizer: OptimizerSettings(kind: .adamw),
            evaluation: EvaluationSettings(everySteps: trial.steps, sequences: 4), target: nil,
            checkpoints: CheckpointSettings())
    }
}
