import Jobs
import Runs

/// One step of a cluster run as it was recorded: what every worker did when, and the chain of work that set its length.
///
/// Workers report the parts of their step, not when each began; the parts are laid out in the order in which a worker makes
/// them, from the step's start. The path is found from its end: the worker that ended last was exchanging until then; the
/// exchange could not begin before the slowest worker had computed. Time on host clocks.
public struct CriticalPath: Sendable, Encodable {
    /// A stretch of a worker's step.
    public struct Stretch: Hashable, Sendable, Encodable {
        public var rank: Int
        /// What it went into, a part's key in `shares`.
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
    /// From its start until the last worker had applied the gradient.
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
        let all = workers.map { worker in
            RunTrace.slices(of: worker, from: 0).filter { $0.duration > 0 }.map(Stretch.init)
        }
        guard let last = all.filter({ !$0.isEmpty }).max(by: { ($0.last?.end ?? 0) < ($1.last?.end ?? 0) }),
            let end = last.last?.end, end > 0
        else { return nil }
        runId = record.run.id.text
        self.step = step.index
        stepHostSeconds = end
        stretches = all.flatMap { $0 }
        path = Self.path(all, last: last)
        coveredShare = path.reduce(0) { $0 + $1.hostSeconds } / end
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

    /// The chain that leads to the end of `last`, the worker that ended last.
    private static func path(_ workers: [[Stretch]], last: [Stretch]) -> [Stretch] {
        func computed(_ stretches: [Stretch]) -> Double {
            stretches.last { $0.part == StepPart.compute.rawValue || $0.part == StepPart.input.rawValue }?.end ?? 0
        }
        let slowest = workers.max { computed($0) < computed($1) } ?? last
        let ready = computed(slowest)
        let own = slowest.filter { $0.end <= ready }
        // Waiting is where a worker stands beside the path: it is the slowest one's computing that counts.
        let tail = last.filter { $0.end > ready && $0.part != StepPart.waiting.rawValue }.map { stretch in
            var stretch = stretch
            let start = max(ready, stretch.startHostSeconds)
            (stretch.hostSeconds, stretch.startHostSeconds) = (stretch.end - start, start)
            return stretch
        }
        return own + tail
    }
}

extension CriticalPath.Stretch {
    fileprivate init(_ slice: RunTrace.Slice) {
        let part: StepPart =
            switch slice.activity {
            case .input: .input
            case .compute: .compute
            case .waiting: .waiting
            case .exposedCommunication: .exposedCommunication
            case .optimizer: .optimizer
            }
        self.init(
            rank: slice.rank.index, part: part.rawValue, startHostSeconds: slice.start, hostSeconds: slice.duration)
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
            let name = StepPart(rawValue: stretch.part)?.title.lowercased() ?? stretch.part
            sentence =
                sentence
                    + """
                    \(index == 0 ? ":" : ", then")\(phrase: worker) \(name) \
                    (\(stretch.hostSeconds, .duration, place + "/host_seconds"))
                    """
        }
        let rest: Phrase =
            coveredShare < 0.995
            ? "; in the rest workers waited, and no part of another’s step tells what for." : "."
        return sentence + ". That is \(coveredShare, .percent, key + "/covered_share") of it" + rest
    }
}
