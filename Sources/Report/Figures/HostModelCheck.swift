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
        /// The median of their replays, each of a step with its own tokens: few steps of few sequences differ much.
        public var stepModelledSeconds: Double
        /// The replay over the measurement, less one, in per cent.
        public var errorPercent: Double
        /// Where the time went: medians over steps of the mean worker, and of the replays.
        public var measured: Parts
        public var modelled: Parts

        enum CodingKeys: CodingKey {
            case runId, phase, steps, stepMedianHostSeconds, stepModelledSeconds, errorPercent
        }
    }

    /// Parts of a step, in seconds, of the mean worker.
    public struct Parts: Sendable, Encodable {
        public var compute: Double
        /// For the slowest worker, and for the coordinator to allow the step.
        public var waiting: Double
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

    /// The check of `runs` on `host`: nil where the machine isn't calibrated, a failure where its calibration can't be
    /// read.
    public init(_ runs: [RunRecord], on calibration: Result<HostMachine, PerformanceModelError>?) {
        rows = []
        let host: HostMachine
        switch calibration {
        case .success(let calibrated): host = calibrated
        case .failure(let error):
            obstacle = error.description
            return
        case nil:
            obstacle = "this machine is not calibrated; run 'wafermark calibrate', then make the report again"
            return
        }
        calibratedAt = host.measuredAt
        let known = runs.filter { host.isMachine(of: $0.run) }
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

    /// The replay beside the measurement, phase by phase, on a `host` that is slowed as told.
    public static func rows(
        _ record: RunRecord, on host: HostMachine, slowed slowdown: HostStep.Slowdown = .none
    ) -> [Row] {
        MeasuredPhase.all(of: record).compactMap { phase in
            guard let measured = Quantiles(phase.steps.map(\.duration.seconds)).median, measured > 0,
                let replays = try? phase.replays(of: record.run, on: host).map({ $0.slowed(by: slowdown) })
            else { return nil }
            func median(_ part: (HostStep) -> Double) -> Double { Quantiles(replays.map(part)).median ?? 0 }
            let modelled = median(\.total)
            return Row(
                runId: record.run.id.text, phase: phase.index + 1, steps: phase.steps.count,
                stepMedianHostSeconds: measured,
                stepModelledSeconds: modelled, errorPercent: 100 * (modelled / measured - 1),
                measured: Parts(of: record.workerSteps, in: Set(phase.steps.map(\.step))),
                modelled: Parts(
                    compute: median(\.compute), waiting: median(\.waiting), exchange: median(\.exchange),
                    optimizer: median(\.optimizer), other: 0))
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
            compute: median(\.compute.seconds), waiting: median(\.waiting.seconds),
            exchange: median(\.exposedCommunication.seconds),
            optimizer: median(\.optimizer.seconds), other: median { $0.input.seconds + $0.other.seconds })
    }
}
