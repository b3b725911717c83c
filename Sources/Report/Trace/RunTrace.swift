import Jobs
import PerformanceModel
import Runs

/// A run's steps as a trace: what every worker did when, on the host clock, and the graph of operators and messages that
/// each step consisted of.
public struct RunTrace: Sendable {
    /// What a stretch of a worker's step went into.
    public enum Activity: String, Sendable, CaseIterable {
        case input
        case compute
        case waiting
        case exposedCommunication = "exposed communication"
        case optimizer
    }

    /// A stretch of a worker's step.
    public struct Slice: Sendable {
        /// The worker.
        public var rank: WorkerRank
        /// The step.
        public var step: StepNumber
        /// What it went into.
        public var activity: Activity
        /// From the start of the first step, in seconds of host time.
        public var start: Double
        /// How long, in seconds of host time.
        public var duration: Double

        /// When it ended, in seconds of host time from the start of the first step.
        public var end: Double { start + duration }
    }

    /// Gradient bytes from one worker to another in one step.
    public struct Message: Sendable {
        /// The step.
        public var step: StepNumber
        /// Who sent.
        public var sender: WorkerRank
        /// Who received.
        public var receiver: WorkerRank
        /// Bytes.
        public var bytes: Int
        /// When the sender's passes were done, and when the receiver had summed.
        public var sent: Double
        /// When the receiver had it.
        public var received: Double
    }

    /// The run.
    public let run: Run
    /// All workers' slices, by step, then by rank, then by time.
    public let slices: [Slice]
    /// All messages; empty for a single worker.
    public let messages: [Message]
    /// The graph of each phase's step.
    public let graphs: [StepGraph]

    /// The trace of `record`.
    ///
    /// Records hold the parts of every worker's step; a step's parts are laid out in the order in which a worker makes
    /// them, from the step's start.
    /// - Throws: `PerformanceModelError` for a job without phases.
    public init(_ record: RunRecord) throws {
        run = record.run
        let starts = Dictionary(
            record.steps.map { ($0.step, $0.elapsed.seconds - $0.duration.seconds) }, uniquingKeysWith: { $1 })
        var slices: [Slice] = []
        var messages: [Message] = []
        // Steps start by worker 0's clock; one that took another worker longer pushes that worker's next step back.
        var free: [WorkerRank: Double] = [:]
        for (step, workers) in Self.grouped(record.workerSteps) {
            guard let start = starts[step] else { continue }
            var ends: [WorkerRank: (passes: Double, exchange: Double)] = [:]
            for worker in workers {
                let parts = Self.slices(of: worker, from: max(start, free[worker.rank] ?? start))
                for part in parts {
                    if part.activity == .compute { ends[worker.rank] = (part.end, part.end) }
                    if part.activity == .exposedCommunication { ends[worker.rank]?.exchange = part.end }
                }
                slices += parts
                free[worker.rank] = parts.last?.end
            }
            messages += Self.messages(step, workers, ends)
        }
        self.slices = slices
        self.messages = messages
        let vocabulary = record.run.corpus?.vocabularySize ?? StepModel.assumedVocabularySize
        graphs = try record.run.job.phases.indices.map {
            try StepGraph(
                job: record.run.job, phase: $0, vocabularySize: vocabulary, ranks: record.run.workers,
                bucketBytes: (record.run.exchange?.bucket ?? ExchangeSettings.usualBucket).count)
        }
    }

    /// The parts of a worker's step in the order in which it makes them, one after the other from `start` on.
    static func slices(of worker: WorkerStepRecord, from start: Double) -> [Slice] {
        var time = start
        return worker.parts.map { activity, seconds in
            defer { time += seconds }
            return Slice(rank: worker.rank, step: worker.step, activity: activity, start: time, duration: seconds)
        }
    }

    /// Runs of equal steps in records that are ordered by step.
    private static func grouped(_ records: [WorkerStepRecord]) -> [(StepNumber, [WorkerStepRecord])] {
        var groups: [(StepNumber, [WorkerStepRecord])] = []
        for record in records {
            if groups.last?.0 == record.step {
                groups[groups.count - 1].1.append(record)
            } else {
                groups.append((record.step, [record]))
            }
        }
        return groups
    }

    /// What every worker sent to every other: equal shares of what its record says.
    private static func messages(
        _ step: StepNumber, _ workers: [WorkerStepRecord], _ ends: [WorkerRank: (passes: Double, exchange: Double)]
    ) -> [Message] {
        guard workers.count > 1 else { return [] }
        return workers.flatMap { sender in
            workers.filter { $0.rank != sender.rank }.compactMap { receiver in
                guard let from = ends[sender.rank], let to = ends[receiver.rank] else { return nil }
                // Buckets leave while the backward pass still runs, and records don't tell when workers began: so a
                // message leaves with the passes' end at the latest, and never after it arrived.
                return Message(
                    step: step, sender: sender.rank, receiver: receiver.rank,
                    bytes: sender.sent.count / (workers.count - 1), sent: min(from.passes, to.exchange),
                    received: to.exchange)
            }
        }
    }
}

extension WorkerStepRecord {
    /// The parts in the order in which a worker makes them, in seconds.
    fileprivate var parts: [(RunTrace.Activity, Double)] {
        [
            (.input, input.seconds), (.compute, compute.seconds), (.waiting, waiting.seconds),
            (.exposedCommunication, exposedCommunication.seconds), (.optimizer, optimizer.seconds),
        ]
    }
}
