import Coordinator
import Foundation
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

    /// A trial's outcome; times are medians over its steps.
    struct Row: Encodable, Sendable {
        var id: String
        var workers: Int
        var algorithm: CollectiveAlgorithm
        var transport: Transport
        var bucketBytes: Int?
        var measuredStepHostSeconds: Double
        /// The replay at the machine's speed beside the run.
        var predictedStepModelledSeconds: Double
        var errorPercent: Double
        /// That speed against the calibration's, and the error if it is left out.
        var drift: HostDrift
        var errorPercentWithoutDrift: Double
        var measuredPartsHostSeconds: Parts
        var predictedPartsModelledSeconds: Parts
    }

    /// Where a step's time goes.
    struct Parts: Encodable, Sendable {
        var compute: Double
        var waiting: Double
        var exchange: Double
        var optimizer: Double
        var other: Double

        init(_ parts: HostModelCheck.Parts) {
            compute = parts.compute
            waiting = parts.waiting
            exchange = parts.exchange
            optimizer = parts.optimizer
            other = parts.other
        }
    }

    /// All outcomes.
    struct Outcome: Encodable, Sendable {
        var calibratedAt: String
        var rows: [Row]
        var medianAbsoluteErrorPercent: Double
        var worstAbsoluteErrorPercent: Double
        /// The same if the machine's drift since its calibration is left out.
        var medianAbsoluteErrorPercentWithoutDrift: Double
        var worstAbsoluteErrorPercentWithoutDrift: Double
    }

    /// The calibrated machine.
    var host: HostMachine
    /// Where the runs are kept while they are needed.
    var state: StateDirectory

    /// Runs every trial through `client`.
    func run(_ client: DaemonClient, progress: @Sendable (String) -> Void) async throws -> Outcome {
        let store = try RunStore(readingFrom: state.path)
        var rows: [Row] = []
        for trial in Self.trials {
            let job = Self.job(trial)
            progress("\(job.name), \(Figures.plural(trial.workers, "worker")), \(trial.algorithm.rawValue)")
            let before = try await drift(job, trial)
            let id = try await client.launch(
                job, on: .cluster, workers: trial.workers, hardware: nil,
                exchange: try ExchangeSettings(
                    algorithm: trial.algorithm, transport: trial.transport, laneShares: .even,
                    bucket: trial.bucket ?? ExchangeSettings.usualBucket))
            let last = try await RunWatcher(store: store, id: id).follow(state: state) { _ in }
            guard case .finished = last.run.state else {
                throw CommandFailure.failed("run \(id) of \(job.name) ended: \(last.run.state.name)")
            }
            let drift = before.between(try await drift(job, trial))
            rows.append(try row(trial, job, try store.record(of: id), drift))
        }
        let errors = Quantiles(rows.map { abs($0.errorPercent) })
        let raw = Quantiles(rows.map { abs($0.errorPercentWithoutDrift) })
        return Outcome(
            calibratedAt: host.measuredAt, rows: rows, medianAbsoluteErrorPercent: errors.median ?? 0,
            worstAbsoluteErrorPercent: errors.maximum ?? 0, medianAbsoluteErrorPercentWithoutDrift: raw.median ?? 0,
            worstAbsoluteErrorPercentWithoutDrift: raw.maximum ?? 0)
    }

    private func drift(_ job: Job, _ trial: Trial) async throws -> HostDrift {
        let host = host
        let layout = HostStep.Layout(workers: trial.workers, lengths: SequenceLengths(expectedOf: job.examples))
        return try await OwnThread.run { try HostDrift.measure(job, layout: layout, on: host) }
    }

    /// The replay of the run's own steps: its tokens are known, its times are not looked at.
    private func row(_ trial: Trial, _ job: Job, _ record: RunRecord, _ drift: HostDrift) throws -> Row {
        guard let check = HostModelCheck.rows(record, on: host).first else {
            throw CommandFailure.failed("run \(record.run.id) of \(job.name) made too few steps to be compared")
        }
        var parts = check.modelled
        parts.compute *= drift.compute
        parts.waiting *= drift.compute
        parts.exchange *= drift.memory
        parts.optimizer *= drift.memory
        let predicted = parts.compute + parts.waiting + parts.exchange + parts.optimizer
        return Row(
            id: job.name, workers: trial.workers, algorithm: trial.algorithm, transport: trial.transport,
            bucketBytes: trial.bucket?.count,
            measuredStepHostSeconds: check.stepMedianHostSeconds,
            predictedStepModelledSeconds: predicted,
            errorPercent: 100 * (predicted / check.stepMedianHostSeconds - 1), drift: drift,
            errorPercentWithoutDrift: check.errorPercent, measuredPartsHostSeconds: Parts(check.measured),
            predictedPartsModelledSeconds: Parts(parts))
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
