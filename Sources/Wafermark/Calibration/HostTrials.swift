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

    /// A trial's outcome; times are medians over its steps, and the geometric mean of both runs.
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

        /// The mean of each part.
        init(meanOf all: [HostModelCheck.Parts]) {
            func mean(_ part: KeyPath<HostModelCheck.Parts, Double>) -> Double {
                all.reduce(0) { $0 + $1[keyPath: part] } / Double(max(1, all.count))
            }
            compute = mean(\.compute)
            waiting = mean(\.waiting)
            exchange = mean(\.exchange)
            optimizer = mean(\.optimizer)
            other = mean(\.other)
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

    /// A run of a trial: what was measured and modelled, and the machine's drift before and after it.
    private struct Visit {
        var check: HostModelCheck.Row
        var drifts: [HostDrift]
    }

    /// Runs every trial through `client`, in order and then in the reverse: what changes evenly over the whole shifts none
    /// against the others.
    func run(_ client: DaemonClient, progress: @Sendable (String) -> Void) async throws -> Outcome {
        let store = try RunStore(readingFrom: state.path)
        var visits: [[Visit]] = Self.trials.map { _ in [] }
        let order = Array(Self.trials.indices)
        for index in order + order.reversed() {
            visits[index].append(try await visit(Self.trials[index], client, store, progress))
        }
        let rows = zip(Self.trials, visits).compactMap(Self.row)
        let errors = Quantiles(rows.map { abs($0.errorPercent) })
        let raw = Quantiles(rows.map { abs($0.errorPercentWithoutDrift) })
        return Outcome(
            calibratedAt: host.measuredAt, rows: rows, medianAbsoluteErrorPercent: errors.median ?? 0,
            worstAbsoluteErrorPercent: errors.maximum ?? 0, medianAbsoluteErrorPercentWithoutDrift: raw.median ?? 0,
            worstAbsoluteErrorPercentWithoutDrift: raw.maximum ?? 0)
    }

    /// One run. The replay knows how many tokens its steps had; their times are not looked at.
    private func visit(
        _ trial: Trial, _ client: DaemonClient, _ store: RunStore, _ progress: @Sendable (String) -> Void
    ) async throws -> Visit {
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
        guard let check = HostModelCheck.rows(try store.record(of: id), on: host).first else {
            throw CommandFailure.failed("run \(id) of \(job.name) made too few steps to be compared")
        }
        return Visit(check: check, drifts: [before, try await drift(job, trial)])
    }

    private func drift(_ job: Job, _ trial: Trial) async throws -> HostDrift {
        let host = host
        let layout = HostStep.Layout(workers: trial.workers, lengths: SequenceLengths(expectedOf: job.examples))
        return try await OwnThread.run { try HostDrift.measure(job, layout: layout, on: host) }
    }

    /// All runs of a trial together; nil without any.
    private static func row(_ trial: Trial, _ visits: [Visit]) -> Row? {
        let checks = visits.map(\.check)
        guard let drift = HostDrift(among: visits.flatMap(\.drifts)),
            let measured = checks.map(\.stepMedianHostSeconds).geometricMean,
            let modelled = checks.map(\.stepModelledSeconds).geometricMean
        else { return nil }
        var parts = Parts(meanOf: checks.map(\.modelled))
        parts.compute *= drift.compute
        parts.waiting *= drift.compute
        parts.exchange *= drift.memory
        parts.optimizer *= drift.memory
        let predicted = parts.compute + parts.waiting + parts.exchange + parts.optimizer
        return Row(
            id: job(trial).name, workers: trial.workers, algorithm: trial.algorithm, transport: trial.transport,
            bucketBytes: trial.bucket?.count, measuredStepHostSeconds: measured,
            predictedStepModelledSeconds: predicted, errorPercent: 100 * (predicted / measured - 1), drift: drift,
            errorPercentWithoutDrift: 100 * (modelled / measured - 1),
            measuredPartsHostSeconds: Parts(meanOf: checks.map(\.measured)), predictedPartsModelledSeconds: parts)
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
