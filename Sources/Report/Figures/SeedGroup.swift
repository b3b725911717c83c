import Jobs
import Runs

/// Runs of one job on one backend that differ in nothing but their seed, or not even in that: how far a figure lies from
/// run to run.
public struct SeedGroup: Sendable, Encodable {
    /// What the runs are called together.
    public var label: String
    public var backend: Backend
    public var workers: Int
    public var hardware: String?
    /// How many runs there are.
    public var runCount: Int
    /// The runs and their seeds, in the order in which they were given.
    public var runIds: [String]
    public var seeds: [UInt64]
    /// Runs that did not reach the job's target; 0 where it has none.
    public var targetsMissed: Int
    /// Each figure over the runs that have it.
    public var timeToTargetHostSeconds: SeedSpread?
    public var stepsToTarget: SeedSpread?
    public var trainingHostSeconds: SeedSpread?
    /// Of each run's median step.
    public var stepMedianHostSeconds: SeedSpread?
    public var finalHeldOutMlmLossNats: SeedSpread?
    public var finalHeldOutMlmAccuracy: SeedSpread?

    /// The groups of two finished runs or more among `records`, in the order of their first runs.
    static func all(_ records: [RunRecord], _ figures: [RunFigures]) -> [SeedGroup] {
        var keys: [Key] = []
        var members: [Key: [Int]] = [:]
        for index in records.indices where records[index].run.outcome != nil {
            let key = Key(records[index].run)
            if members[key] == nil { keys.append(key) }
            members[key, default: []].append(index)
        }
        return keys.compactMap { key in
            guard let indices = members[key], indices.count > 1 else { return nil }
            return SeedGroup(indices.map { records[$0] }, indices.map { figures[$0] })
        }
    }

    /// What runs of a group have in common.
    private struct Key: Hashable {
        var job: Job
        /// Documents of the text. Its digest says more, but changes with the seed, which splits it.
        var documents: Int?
        var backend: Backend
        var workers: Int
        var hardware: String?
        var exchange: ExchangeSettings?
        var machine: Machine?

        init(_ run: Run) {
            job = run.job.withoutPlacesAndSeed
            documents = run.corpus.map { $0.trainingDocuments + $0.heldOutDocuments }
            backend = run.backend
            workers = run.workers
            hardware = run.hardware
            exchange = run.exchange
            machine = run.machine
        }
    }

    private init?(_ records: [RunRecord], _ figures: [RunFigures]) {
        guard let first = records.first?.run else { return nil }
        label = ComparisonReport.shortLabel(of: first)
        backend = first.backend
        workers = first.workers
        hardware = first.hardware
        runCount = figures.count
        runIds = figures.map(\.runId)
        seeds = records.map(\.run.job.seed)
        targetsMissed = first.job.target == nil ? 0 : figures.filter { $0.timeToTargetHostSeconds == nil }.count
        func spread(_ figure: (RunFigures) -> Double?) -> SeedSpread? {
            SeedSpread(figures.compactMap(figure), seed: first.job.seed)
        }
        timeToTargetHostSeconds = spread(\.timeToTargetHostSeconds)
        stepsToTarget = spread { $0.stepsToTarget.map(Double.init) }
        trainingHostSeconds = spread(\.trainingHostSeconds)
        stepMedianHostSeconds = spread(\.stepMedianHostSeconds)
        finalHeldOutMlmLossNats = spread(\.finalHeldOutMlmLossNats)
        finalHeldOutMlmAccuracy = spread(\.finalHeldOutMlmAccuracy)
    }
}

/// One group of runs beside another.
public struct SeedComparison: Sendable, Encodable {
    /// How the ratio and its interval were made.
    public enum Method: String, Sendable, Encodable {
        /// Seed by seed: the geometric mean of the ratios and its 95 % interval by Student's t distribution.
        case pairedBySeed = "paired_by_seed"
        /// The ratio of the medians and its 95 % bootstrap interval over runs.
        case mediansOfRuns = "medians_of_runs"
    }

    /// The group's index among the groups, and that of the one that it is compared with.
    public var group: Int
    public var referenceGroup: Int
    /// What is compared: time to the target where every run reached it, else time of all steps.
    public var measure: Comparison.Measure
    public var method: Method
    /// The group's time over the reference's; and its interval.
    public var ratio: Double
    public var ratioLow: Double?
    public var ratioHigh: Double?
    /// What the interval allows to be said; nil where there are too few runs to say anything.
    public var verdict: RatioInterval.Verdict?

    /// Every group of one job beside the first on the wafer, or else beside the first.
    static func all(_ groups: [SeedGroup], _ records: [RunRecord], _ figures: [RunFigures]) -> [SeedComparison] {
        guard groups.count > 1 else { return [] }
        let reference = groups.firstIndex { $0.backend == .wafer } ?? 0
        func members(_ group: SeedGroup) -> [(record: RunRecord, figures: RunFigures)] {
            zip(records, figures).filter { group.runIds.contains($1.runId) }.map { ($0, $1) }
        }
        let others = members(groups[reference])
        return groups.indices.filter { $0 != reference }.compactMap { index in
            SeedComparison(index, members(groups[index]), with: reference, others)
        }
    }

    private init?(
        _ group: Int, _ members: [(record: RunRecord, figures: RunFigures)], with reference: Int,
        _ others: [(record: RunRecord, figures: RunFigures)]
    ) {
        guard let first = others.first?.record.run.job,
            members.first?.record.run.job.withoutPlacesAndSeed == first.withoutPlacesAndSeed
        else { return nil }
        let isToTarget = (members + others).allSatisfy { $0.figures.timeToTargetHostSeconds != nil }
        // Without the target there is nothing to compare but runs of equal length.
        guard isToTarget || Set((members + others).map(\.figures.stepsMade)).count == 1 else { return nil }
        func times(_ runs: [(record: RunRecord, figures: RunFigures)]) -> [(seed: UInt64, value: Double)] {
            runs.compactMap { run in
                (isToTarget ? run.figures.timeToTargetHostSeconds : run.figures.trainingHostSeconds).map {
                    (run.record.run.job.seed, $0)
                }
            }
        }
        let (mine, theirs) = (times(members), times(others))
        self.group = group
        referenceGroup = reference
        measure = isToTarget ? .timeToTarget : .timeForSameSteps
        if let paired = SeedSpread(ratioOf: mine, over: theirs), paired.count > 1 {
            method = .pairedBySeed
            (ratio, ratioLow, ratioHigh) = (paired.mean, paired.low, paired.high)
        } else if let medians = MedianInterval(
            ratioOf: mine.map(\.value), over: theirs.map(\.value), seed: first.seed)
        {
            method = .mediansOfRuns
            ratio = medians.value
            guard min(mine.count, theirs.count) >= MedianInterval.fewestRuns else { return }
            (ratioLow, ratioHigh) = (medians.low, medians.high)
        } else {
            return nil
        }
        guard let low = ratioLow, let high = ratioHigh else { return }
        verdict = RatioInterval.Verdict(ratio: ratio, low: low, high: high)
    }
}

extension Job {
    /// The job without what changes nothing but the random numbers, and without what can't change its bits.
    var withoutPlacesAndSeed: Job {
        var job = withoutPlaces
        job.seed = 0
        return job
    }
}
