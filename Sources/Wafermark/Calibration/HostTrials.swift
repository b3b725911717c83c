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

    /// A trial's outcome; times are medians over the steps of its quickest run.
    struct Row: Encodable, Sendable {
        var id: String
        var workers: Int
        var algorithm: CollectiveAlgorithm
        var transport: Transport
        var bucketBytes: Int?
        var measuredStepHostSeconds: Double
        /// The same steps, replayed.
        var predictedStepModelledSeconds: Double
        var errorPercent: Double
        /// Runs of the trial, and how much longer the slowest one's median step was than the quickest's: what else the
        /// machine was doing.
        var runs: Int
        var spreadPercent: Double
        var measuredPartsHostSeconds: HostModelCheck.Parts
        var predictedPartsModelledSeconds: HostModelCheck.Parts
    }

    /// All outcomes.
    struct Outcome: Encodable, Sendable {
        var calibratedAt: String
        /// How disturbed the machine was then, as the profile says.
        var calibrationDisturbancePercent: Double
        var rows: [Row]
        var medianAbsoluteErrorPercent: Double
        var worstAbsoluteErrorPercent: Double
    }

    /// The calibrated machine.
    var host: HostMachine
    /// By which the trials run.
    var runs: FollowedRuns

    /// Times that a trial is run at least and at most; each lasts for many steps already.
    private static let (leastVisits, mostVisits) = (3, 6)

    /// Runs every trial in order, then in the reverse and so on, those whose quickest runs don't agree more often: see
    /// `Repetition`.
    func run(progress: @Sendable (String) -> Void) async throws -> Outcome {
        var visits: [[HostModelCheck.Row]] = Self.trials.map { _ in [] }
        var order = Array(Self.trials.indices)
        for _ in 1...Self.mostVisits {
            for index in order {
                let steps = visits[index].map(\.stepMedianHostSeconds)
                if Repetition.isEnough(steps, least: Self.leastVisits) { continue }
                visits[index].append(try await visit(Self.trials[index], progress))
            }
            order.reverse()
        }
        let rows = zip(Self.trials, visits).compactMap(Self.row)
        let errors = Quantiles(rows.map { abs($0.errorPercent) })
        return Outcome(
            calibratedAt: host.measuredAt, calibrationDisturbancePercent: host.disturbancePercent, rows: rows,
            medianAbsoluteErrorPercent: errors.median ?? 0, worstAbsoluteErrorPercent: errors.maximum ?? 0)
    }

    /// One run. The replay knows how many tokens its steps had; their times are not looked at.
    private func visit(
        _ trial: Trial, _ progress: @Sendable (String) -> Void
    ) async throws -> HostModelCheck.Row {
        let job = Self.job(trial)
        progress("\(job.name), \(Figures.plural(trial.workers, "worker")), \(trial.algorithm.rawValue)")
        let record = try await runs.record(
            of: job, on: .cluster, workers: trial.workers,
            exchange: try ExchangeSettings(
                algorithm: trial.algorithm, transport: trial.transport, laneShares: .even,
                bucket: trial.bucket ?? ExchangeSettings.usualBucket))
        guard let check = HostModelCheck.rows(record, on: host).first else {
            throw CommandFailure.failed("run \(record.run.id) of \(job.name) made too few steps to be compared")
        }
        return check
    }

    /// The quickest run of a trial; nil without any.
    private static func row(_ trial: Trial, _ visits: [HostModelCheck.Row]) -> Row? {
        let order = visits.sorted { $0.stepMedianHostSeconds < $1.stepMedianHostSeconds }
        guard let quickest = order.first, let slowest = order.last else { return nil }
        return Row(
            id: job(trial).name, workers: trial.workers, algorithm: trial.algorithm, transport: trial.transport,
            bucketBytes: trial.bucket?.count, measuredStepHostSeconds: quickest.stepMedianHostSeconds,
            predictedStepModelledSeconds: quickest.stepModelledSeconds, errorPercent: quickest.errorPercent,
            runs: visits.count,
            spreadPercent: 100 * (slowest.stepMedianHostSeconds / quickest.stepMedianHostSeconds - 1),
            measuredPartsHostSeconds: quickest.measured, predictedPartsModelledSeconds: quickest.modelled)
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
