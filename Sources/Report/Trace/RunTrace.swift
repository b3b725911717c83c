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
        /// For a peer that is still computing; where starts were not measured, for the commit as well.
        case waiting
        case exposedCommunication = "exposed communication"
        /// Until the coordinator says that the sum may be applied.
        case commit = "waiting for the commit"
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
        /// From the start of the first step (the first worker's to begin it), in seconds of host time.
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
    /// Parts stand where they began. Where a record does not say when that was, they are laid out in the order in which a
    /// worker makes them, from the step's start.
    /// - Throws: `PerformanceModelError` for a job without phases.
    public init(_ record: RunRecord) throws {
        run = record.run
        let starts = Dictionary(
            record.steps.map { ($0.step, $0.elapsed.seconds - $0.duration.seconds) }, uniquingKeysWith: { $1 })
        let routes = GradientRoutes(record.run)
        var slices: [Slice] = []
        var messages: [Message] = []
        let zero = min(0, record.workerSteps.lazy.compactMap { $0.timeline?.started.seconds }.min() ?? 0)
        // Where only worker 0's start is known, a step that took another one longer pushes that worker's next one back.
        var free: [WorkerRank: Double] = [:]
        for (step, workers) in Self.grouped(record.workerSteps) {
            guard let start = starts[step] else { continue }
            var ends: [WorkerRank: (passes: Double, exchange: Double)] = [:]
            for worker in workers {
                let began = worker.timeline?.started.seconds ?? max(start, free[worker.rank] ?? start)
                let parts = Self.slices(of: worker, from: began - zero)
                for part in parts {
                    if part.activity == .compute { ends[worker.rank] = (part.end, part.end) }
                    if part.activity == .exposedCommunication { ends[worker.rank]?.exchange = part.end }
                }
                slices += parts
                free[worker.rank] = parts.last.map { $0.end + zero }
            }
            messages += Self.messages(step, workers, ends, routes.shares(laneCounts: workers.map(\.lanes)))
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

    /// The parts of a worker's step, which begins at `start`, in the order in which it makes them.
    static func slices(of worker: WorkerStepRecord, from start: Double) -> [Slice] {
        var time = start
        return worker.parts.map { activity, began, seconds in
            time = began.map { max(time, start + $0) } ?? time
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

    /// What every worker sent to others: of what its record says, the share of each on its algorithm's routes.
    private static func messages(
        _ step: StepNumber, _ workers: [WorkerStepRecord],
        _ ends: [WorkerRank: (passes: Double, exchange: Double)], _ routes: [[(to: Int, share: Double)]]
    ) -> [Message] {
        guard workers.count > 1 else { return [] }
        return zip(workers, routes).flatMap { sender, shares in
            shares.compactMap { to, share in
                let receiver = workers[to]
                guard let from = ends[sender.rank], let end = ends[receiver.rank] else { return nil }
                // Buckets leave while the backward pass still runs: a message leaves with the passes' end at the
                // latest, and never after it arrived, which older records don't tell.
                return Message(
                    step: step, sender: sender.rank, receiver: receiver.rank,
                    bytes: Int((Double(sender.sent.count) * share).rounded()), sent: min(from.passes, end.exchange),
                    received: end.exchange)
            }
        }
    }
}

extension WorkerStepRecord {
    /// The parts in the order in which a worker makes them: when each began since the step's start, if that was measured,
    /// and how long it took, in seconds.
    fileprivate var parts: [(activity: RunTrace.Activity, began: Double?, seconds: Double)] {
        let starts = timeline?.parts
        // What was waited for the peers ends where the exchange alone begins; the rest was for the commit.
        let forPeers = starts.map { min(waiting, $0.exposedCommunication - $0.waiting) } ?? waiting
        return [
            (.input, starts.map { _ in 0 }, input.seconds), (.compute, starts?.compute.seconds, compute.seconds),
            (.waiting, starts?.waiting.seconds, forPeers.seconds),
            (.exposedCommunication, starts?.exposedCommunication.seconds, exposedCommunication.seconds),
            (.commit, starts?.commit.seconds, (waiting - forPeers).seconds),
            (.optimizer, starts?.optimizer.seconds, optimizer.seconds),
        ]
    }
}
