import Jobs
import Runs

/// One step of a cluster run as it was recorded: what every worker did when, and the chain of work that set its length.
///
/// The path is found from its end: the worker that ended last was exchanging until then; the exchange could not begin before
/// the slowest worker had computed. Where that worker began later than another, it was still ending the step before, whose
/// last stretches are on the path as well. Time on host clocks.
public struct CriticalPath: Sendable, Encodable {
    /// A stretch of a worker's step.
    public struct Stretch: Hashable, Sendable, Encodable {
        public var rank: Int
        /// The step that it belongs to: the one that is drawn, or the one before.
        public var step: Int
        /// What it went into: a part's key in `shares`, or `commit` for that part of waiting in which the sum was there and the
        /// coordinator had not said yet that it may be applied.
        public var part: String
        /// Since the step's start.
        public var startHostSeconds: Double
        public var hostSeconds: Double

        /// When it ended, since the step's start.
        var end: Double { startHostSeconds + hostSeconds }
    }

    /// The run.
    public var runId: String
    /// The step that is drawn, from 0: one of the run's median length.
    public var step: Int
    /// Whether stretches stand where they were measured to begin. Older records hold the parts of a step alone, which are laid
    /// out in the order in which a worker makes them, from one start for all.
    public var startsMeasured: Bool
    /// From its start, the first worker's to begin it, until the last worker had applied the gradient.
    public var stepHostSeconds: Double
    /// All workers' stretches, by rank and then by time.
    public var stretches: [Stretch]
    /// The stretches that set the step's length, in order. They don't overlap.
    public var path: [Stretch]
    /// The share of the step's time that they cover; the rest went by between them.
    public var coveredShare: Double

    /// The critical path of a step of `record`; nil where it has no step that two workers or more report on.
    public init?(_ record: RunRecord) {
        guard record.run.backend == .cluster, let (step, workers) = Self.typicalStep(record) else { return nil }
        let starts = workers.compactMap { $0.timeline?.started.seconds }
        startsMeasured = starts.count == workers.count
        let start = starts.min() ?? 0
        let all = workers.map { worker in
            Self.ending(worker, of: record, from: start) + Self.stretches(of: worker, from: start)
        }
        guard let last = all.filter({ !$0.isEmpty }).max(by: { ($0.last?.end ?? 0) < ($1.last?.end ?? 0) }),
            let end = last.last?.end, end > 0
        else { return nil }
        runId = record.run.id.text
        self.step = step.index
        stepHostSeconds = end
        stretches = all.flatMap { $0 }
        path = startsMeasured ? Self.path(all, last: last) : Self.pathOfParts(all, last: last)
        coveredShare = path.reduce(0) { $0 + $1.hostSeconds } / end
    }

    /// What `worker` did, since `start`.
    private static func stretches(of worker: WorkerStepRecord, from start: Double) -> [Stretch] {
        RunTrace.slices(of: worker, from: (worker.timeline?.started.seconds ?? start) - start)
            .filter { $0.duration > 0 }.map(Stretch.init)
    }

    /// What was left to `worker` at `start` of its step before.
    private static func ending(_ worker: WorkerStepRecord, of record: RunRecord, from start: Double) -> [Stretch] {
        guard let began = worker.timeline?.started.seconds, began > start,
            let before = record.workerSteps.first(where: { $0.rank == worker.rank && $0.step.next == worker.step }),
            before.timeline != nil
        else { return [] }
        return clipped(stretches(of: before, from: start), from: 0).filter { $0.end <= began - start + 1e-9 }
    }

    /// The step on which most workers report and whose length is nearest to the median of those.
    private static func typicalStep(_ record: RunRecord) -> (StepNumber, [WorkerStepRecord])? {
        let steps = Dictionary(grouping: record.workerSteps, by: \.step)
        let most = steps.values.map(\.count).max() ?? 0
        guard most > 1 else { return nil }
        func length(_ workers: [WorkerStepRecord]) -> Double { workers.map(\.duration.seconds).max() ?? 0 }
        let whole = steps.filter { $0.value.count == most }
        guard let median = Quantiles(whole.values.map(length)).median else { return nil }
        return whole.min {
            (abs(length($0.value) - median), $0.key) < (abs(length($1.value) - median), $1.key)
        }.map { ($0.key, $0.value.sorted { $0.rank < $1.rank }) }
    }

    /// The chain that leads to the end of `last`, the worker that ended last: what the slowest worker did until it had
    /// computed, then what `last` did.
    ///
    /// From then on nobody's computing is waited for: what is left before the sum is there is the exchange.
    private static func path(_ workers: [[Stretch]], last: [Stretch]) -> [Stretch] {
        let (own, ready) = untilComputed(workers, last)
        return own
            + clipped(last, from: ready).reduce(into: []) { tail, stretch in
                var stretch = stretch
                if stretch.part == StepPart.waiting.rawValue { stretch.part = StepPart.exposedCommunication.rawValue }
                if let before = tail.last, before.part == stretch.part {
                    tail[tail.count - 1].hostSeconds = stretch.end - before.startHostSeconds
                } else {
                    tail.append(stretch)
                }
            }
    }

    /// The same where the parts alone are known. Waiting is then left out, because nothing tells what for.
    private static func pathOfParts(_ workers: [[Stretch]], last: [Stretch]) -> [Stretch] {
        let (own, ready) = untilComputed(workers, last)
        return own + clipped(last, from: ready).filter { $0.part != StepPart.waiting.rawValue }
    }

    /// What the worker that had computed last did until then, and when that was.
    private static func untilComputed(
        _ workers: [[Stretch]], _ last: [Stretch]
    ) -> (stretches: [Stretch], ready: Double) {
        func computed(_ stretches: [Stretch]) -> Double {
            stretches.last { $0.part == StepPart.compute.rawValue || $0.part == StepPart.input.rawValue }?.end ?? 0
        }
        let slowest = workers.max { computed($0) < computed($1) } ?? last
        let ready = computed(slowest)
        return (slowest.filter { $0.end <= ready }, ready)
    }

    private static func clipped(_ stretches: [Stretch], from start: Double) -> [Stretch] {
        stretches.filter { $0.end > start }.map { stretch in
            var stretch = stretch
            let from = max(start, stretch.startHostSeconds)
            (stretch.hostSeconds, stretch.startHostSeconds) = (stretch.end - from, from)
            return stretch
        }
    }
}

extension CriticalPath.Stretch {
    fileprivate init(_ slice: RunTrace.Slice) {
        let part =
            switch slice.activity {
            case .input: StepPart.input.rawValue
            case .compute: StepPart.compute.rawValue
            case .waiting: StepPart.waiting.rawValue
            case .exposedCommunication: StepPart.exposedCommunication.rawValue
            case .commit: "commit"
            case .optimizer: StepPart.optimizer.rawValue
            }
        self.init(
            rank: slice.rank.index, step: slice.step.index, part: part, startHostSeconds: slice.start,
            hostSeconds: slice.duration)
    }

    /// What it went into, as readers know it; `drawn` is the step that is drawn.
    func title(in drawn: Int) -> String {
        (StepPart(rawValue: part)?.title ?? "Waiting for the commit") + (step < drawn ? " of the step before" : "")
    }
}

extension CriticalPath {
    /// The workers that the path leads through, in order.
    var ranks: [Int] {
        path.reduce(into: []) { ranks, stretch in if ranks.last != stretch.rank { ranks.append(stretch.rank) } }
    }

    /// What the path consists of, in a sentence; `key` is its place in the document.
    func sentence(_ key: String) -> Phrase {
        var sentence: Phrase =
            """
            Step \(Double(step), .count, key + "/step"), one of median length, took \
            \(stepHostSeconds, .duration, key + "/step_host_seconds")
            """
        for (index, stretch) in path.enumerated() {
            let place = "\(key)/path/\(index)"
            let isNew = index == 0 || path[index - 1].rank != stretch.rank
            let worker: Phrase = isNew ? " on worker \(Double(stretch.rank), .count, place + "/rank")" : ""
            sentence =
                sentence
                    + """
                    \(index == 0 ? ":" : ", then")\(phrase: worker) \(stretch.title(in: step).lowercased()) \
                    (\(stretch.hostSeconds, .duration, place + "/host_seconds"))
                    """
        }
        let rest: Phrase =
            switch coveredShare {
            case 0.995...: "."
            case _ where startsMeasured: "; in the rest the first of these workers was between steps."
            default: "; in the rest workers waited, and no part of another’s step tells what for."
            }
        return sentence + ". That is \(coveredShare, .percent, key + "/covered_share") of it" + rest
    }
}
