import Jobs
import Runs

/// What became of a run's workers: how many computed on average, and what the others' worth of time was lost to.
///
/// Over the whole training each worker's host time is either computing or one of the losses, so the parts add up to the
/// number of workers, which would be the speed-up over one worker if nothing were lost.
public struct SpeedUpLoss: Sendable, Encodable {
    /// What time is lost to.
    public enum Cause: String, Hashable, Sendable, Encodable, CaseIterable {
        case exposedCommunication = "exposed_communication"
        case waiting
        case input
        case optimizer
        /// Calls between the parts of a step, and threads that were not scheduled.
        case other
        /// Evaluations, checkpoints, and steps that were made again.
        case betweenSteps = "between_steps"
    }

    /// A loss in workers: the sum of all workers' time that went into it over the training's time.
    public struct Loss: Sendable, Encodable {
        public var cause: Cause
        public var workers: Double
    }

    /// The run.
    public var runId: String
    /// Workers that it had.
    public var workers: Int
    /// Workers that computed on average: the speed-up over one worker that loses nothing.
    public var computingWorkers: Double
    /// What the rest was lost to, the largest first.
    public var losses: [Loss]
    /// What holds the run up most; nil where nothing does.
    public var bottleneck: Bottleneck?

    /// The losses of `record`; nil where it has no worker's steps or no time.
    public init?(_ record: RunRecord) {
        // A worker may have begun before the one by whose steps the training's time is told, or ended its last step after it.
        let spans = record.workerSteps.compactMap { step in
            step.timeline.map { ($0.started.seconds, $0.started.seconds + step.duration.seconds) }
        }
        let time =
            max(
                record.run.outcome?.trainingTime.seconds ?? 0, record.steps.last?.elapsed.seconds ?? 0,
                record.evaluations.last?.elapsed.seconds ?? 0, spans.map(\.1).max() ?? 0)
            + max(0, -(spans.map(\.0).min() ?? 0))
        guard time > 0, !record.workerSteps.isEmpty else { return nil }
        func workersIn(_ part: (WorkerStepRecord) -> HostSeconds) -> Double {
            record.workerSteps.reduce(0) { $0 + part($1).seconds } / time
        }
        runId = record.run.id.text
        workers = record.run.workers
        computingWorkers = workersIn(\.compute)
        let inSteps: [Loss] = [
            Loss(cause: .exposedCommunication, workers: workersIn(\.exposedCommunication)),
            Loss(cause: .waiting, workers: workersIn(\.waiting)), Loss(cause: .input, workers: workersIn(\.input)),
            Loss(cause: .optimizer, workers: workersIn(\.optimizer)), Loss(cause: .other, workers: workersIn(\.other)),
        ]
        // What is in no worker's step is between steps, or was lost with a worker.
        let rest = Double(workers) - computingWorkers - inSteps.reduce(0) { $0 + $1.workers }
        losses = (inSteps + [Loss(cause: .betweenSteps, workers: max(0, rest))]).sorted { $0.workers > $1.workers }
        bottleneck = Bottleneck(record, losses: losses)
    }
}

/// What holds a run up most, with its evidence.
public struct Bottleneck: Sendable, Encodable {
    /// What it is.
    public enum Kind: String, Hashable, Sendable, Encodable, CaseIterable {
        /// Gradients are still on their way when every worker has computed.
        case exchange
        /// One worker computes longer than the others, which wait for it.
        case straggler
        /// Workers wait for each other in turn.
        case imbalance
        /// Examples come too slowly.
        case input
        /// The update of the weights takes long beside the computing.
        case optimizer
        /// Evaluations, checkpoints or restarts.
        case betweenSteps = "between_steps"
        /// Threads were not scheduled, or what no part accounts for.
        case host
    }

    public var kind: Kind
    /// The share of all workers' time that is lost to it.
    public var share: Double
    /// The worker that holds the others up, for a straggler; and its compute time over the others' median.
    public var rank: Int?
    public var slowdown: Double?

    /// A loss below this share of the workers' time is not worth naming.
    public static let smallestShare = 0.05
    /// A worker that computes longer than the others' median by this factor is a straggler.
    public static let smallestSlowdown = 1.1

    init?(_ record: RunRecord, losses: [SpeedUpLoss.Loss]) {
        guard let largest = losses.first else { return nil }
        share = largest.workers / Double(record.run.workers)
        guard share >= Self.smallestShare else { return nil }
        switch largest.cause {
        case .exposedCommunication: kind = .exchange
        case .waiting:
            let slowest = Self.slowest(record.workerSteps)
            kind = slowest == nil ? .imbalance : .straggler
            rank = slowest?.rank
            slowdown = slowest?.factor
        case .input: kind = .input
        case .optimizer: kind = .optimizer
        case .betweenSteps: kind = .betweenSteps
        case .other: kind = .host
        }
    }

    /// The worker whose median compute time stands out, and by which factor; nil where none does.
    private static func slowest(_ steps: [WorkerStepRecord]) -> (rank: Int, factor: Double)? {
        let medians = WorkerMedians(of: steps, \.compute.seconds)
        guard let slowest = medians.slowest else { return nil }
        let others = medians.ofOthers(than: slowest)
        guard others > 0, medians[slowest] / others >= smallestSlowdown else { return nil }
        return (slowest.index, medians[slowest] / others)
    }
}

extension SpeedUpLoss {
    /// The bottleneck and its evidence in a sentence; `key` is the loss's place in the document.
    func sentence(_ key: String, name: String) -> Phrase {
        let speedUp: Phrase =
            "\(computingWorkers, .rate, key + "/computing_workers") of \(Double(workers), .count, key + "/workers")"
        guard let bottleneck else {
            return "\(name): no bottleneck found; \(phrase: speedUp) workers compute on average."
        }
        let share: Phrase = "\(bottleneck.share, .percent, key + "/bottleneck/share")"
        let what: Phrase =
            switch bottleneck.kind {
            case .exchange: "the exchange of gradients, in which \(phrase: share) of all workers’ time goes by"
            case .straggler:
                """
                worker \(bottleneck.rank.map(Double.init), .count, key + "/bottleneck/rank"), which computes \
                \(bottleneck.slowdown, .ratio, key + "/bottleneck/slowdown") as long as the others, while they wait: \
                \(phrase: share) of all workers’ time
                """
            case .imbalance: "uneven workers, which wait for each other \(phrase: share) of their time"
            case .input: "reading examples, \(phrase: share) of all workers’ time"
            case .optimizer: "the update of the weights, \(phrase: share) of all workers’ time"
            case .betweenSteps:
                "what goes on between steps (evaluations, checkpoints, restarts), \(phrase: share) of all workers’ time"
            case .host: "this machine: \(phrase: share) of all workers’ time is in no part of a step"
            }
        return "\(name): held up most by \(phrase: what). \(phrase: speedUp) workers compute on average."
    }
}
