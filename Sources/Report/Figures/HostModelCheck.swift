import Jobs
import PerformanceModel
import Runs

/// The performance model's error on the very runs of a report: it replays their steps on this machine's calibrated
/// profile, knowing how many tokens they had and nothing of how long they took.
public struct HostModelCheck: Sendable, Encodable {
    /// A run's steps of one phase.
    public struct Row: Sendable, Encodable {
        /// The run.
        public var runId: String
        /// The phase, from 1.
        public var phase: Int
        /// Steps that were measured; the first two of a phase, in which memory is still being found, are not among them.
        public var steps: Int
        /// The median of these steps.
        public var stepMedianHostSeconds: Double
        /// What the replay gives.
        public var stepModelledSeconds: Double
        /// The replay over the measurement, less one, in per cent.
        public var errorPercent: Double
        /// Where the time went: medians over steps of the mean worker, and the replay's.
        public var measured: Parts
        public var modelled: Parts

        enum CodingKeys: CodingKey {
            case runId, phase, steps, stepMedianHostSeconds, stepModelledSeconds, errorPercent
        }
    }

    /// Parts of a step, in seconds. What a worker waits for the others counts as exchange.
    public struct Parts: Sendable {
        public var compute: Double
        public var exchange: Double
        public var optimizer: Double
        /// Reading examples, and what belongs to none of the parts; the model has none.
        public var other: Double
    }

    /// When the machine was calibrated.
    public var calibratedAt: String?
    /// The phases of the runs that could be checked.
    public var rows: [Row]
    /// Why there are no rows, and what to do; nil where there are some.
    public var obstacle: String?

    /// Steps at the beginning of a phase that are left out.
    static let warmUpSteps = 2

    /// The check of `runs` on `host`, which is nil where the machine isn't calibrated.
    public init(_ runs: [RunRecord], on host: HostMachine?) {
        rows = []
        guard let host else {
            obstacle = "this machine is not calibrated; run 'wafermark calibrate', then make the report again"
            return
        }
        calibratedAt = host.measuredAt
        let known = runs.filter { record in
            record.run.machine.map {
                $0.processor == host.processor && $0.cores == host.cores && $0.instructionSet == host.instructionSet
            } ?? false
        }
        // Kernels that multiply no zero, and those that compress, are not among what the calibration measures.
        let dense = known.filter { $0.run.job.sparsity == nil && $0.run.job.compression == nil }
        rows = dense.flatMap { Self.rows($0, on: host) }
        if rows.isEmpty {
            obstacle =
                known.isEmpty
                ? "the runs were on another machine than the one that is calibrated here (\(host.processor))"
                : dense.isEmpty
                    ? "the runs were sparse or compressed gradients, and the replay knows dense products and f32 alone"
                    : "the runs made too few steps"
        }
    }

    /// The replay beside the measurement, phase by phase.
    public static func rows(_ record: RunRecord, on host: HostMachine) -> [Row] {
        let job = record.run.job
        var first = 0
        return job.phases.enumerated().compactMap { index, phase in
            let range = first..<(first + phase.steps)
            first = range.upperBound
            let steps = record.steps.filter { range.contains($0.step.index) }.dropFirst(warmUpSteps)
            let positions = Double(steps.count * phase.globalBatch * phase.sequence)
            guard let measured = Quantiles(steps.map(\.duration.seconds)).median, positions > 0, measured > 0 else {
                return nil
            }
            let fill = Double(steps.reduce(0) { $0 + $1.tokens }) / positions
            let layout = HostStep.Layout(
                workers: record.run.workers, threads: record.run.backend.threads(lanes: job.lanes, cores: host.cores),
                fill: fill, algorithm: record.run.exchange?.algorithm ?? .direct)
            guard
                let step = try? HostStep(
                    job: job, phase: index, layout: layout,
                    vocabularySize: record.run.corpus?.vocabularySize ?? StepModel.assumedVocabularySize, on: host)
            else { return nil }
            return Row(
                runId: record.run.id.text, phase: index + 1, steps: steps.count, stepMedianHostSeconds: measured,
                stepModelledSeconds: step.total, errorPercent: 100 * (step.total / measured - 1),
                measured: Parts(of: record.workerSteps, in: Set(steps.map(\.step))),
                modelled: Parts(
                    compute: step.compute, exchange: step.exchange, optimizer: step.optimizer, other: 0))
        }
    }
}

extension HostModelCheck.Parts {
    /// The medians over `steps` of what the workers' records say, each the mean over workers.
    init(of records: [WorkerStepRecord], in steps: Set<StepNumber>) {
        let workers = Dictionary(grouping: records.filter { steps.contains($0.step) }, by: \.step).values
        func median(_ part: (WorkerStepRecord) -> Double) -> Double {
            Quantiles(workers.map { $0.reduce(0) { $0 + part($1) } / Double($0.count) }).median ?? 0
        }
        self.init(
            compute: median(\.compute.seconds),
            exchange: median { $0.exposedCommunication.seconds + $0.waiting.seconds },
            optimizer: median(\.optimizer.seconds), other: median { $0.input.seconds + $0.other.seconds })
    }
}
