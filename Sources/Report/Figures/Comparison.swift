import Jobs
import Runs

/// How long one run took beside another, on the host clock.
public struct Comparison: Sendable, Encodable {
    /// What is compared.
    public enum Measure: String, Sendable, Encodable {
        /// Time until the target was met.
        case timeToTarget = "time_to_target"
        /// Time for the same number of steps, evaluations included.
        case timeForSameSteps = "time_for_same_steps"
    }

    /// The run that is compared.
    public var runId: String
    /// The run that it is compared with.
    public var referenceRunId: String
    /// What is compared.
    public var measure: Measure
    /// Steps that the measured time holds: of the run, and of the reference.
    public var steps: Int
    /// Steps of the reference's time.
    public var referenceSteps: Int
    /// The times.
    public var hostSeconds: Double
    /// The reference's time.
    public var referenceHostSeconds: Double
    /// `hostSeconds` over `referenceHostSeconds`.
    public var ratio: Double
    /// The bootstrap interval of the ratio; nil with fewer than ten steps, which are too few to tell.
    public var ratioLow: Double?
    /// The upper end of the interval.
    public var ratioHigh: Double?
    /// The share of resamples within the interval.
    public var confidence: Double?
    /// Bootstrap resamples.
    public var resamples: Int?
    /// What the interval allows to be said of the run: `faster`, `slower` or `no_significant_difference`.
    public var verdict: RatioInterval.Verdict?

    /// Of each compared figure of a run, by its key: the run's over the reference's.
    public var ratios: [String: Double]

    /// The fewest steps from which a spread is judged.
    static let fewestSteps = 10

    /// Compares `run` with `reference`; nil where their times are not those of the same work.
    init?(
        _ run: RunRecord, _ figures: RunFigures, with reference: RunRecord, _ referenceFigures: RunFigures, seed: UInt64
    ) {
        guard run.run.job.withoutPlaces == reference.run.job.withoutPlaces,
            run.run.corpus?.digest == reference.run.corpus?.digest,
            let outcome = run.run.outcome, let referenceOutcome = reference.run.outcome
        else { return nil }
        runId = figures.runId
        referenceRunId = referenceFigures.runId
        if let time = outcome.timeToTarget, let other = referenceOutcome.timeToTarget {
            measure = .timeToTarget
            hostSeconds = time.seconds
            referenceHostSeconds = other.seconds
            steps = figures.stepsToTarget ?? outcome.steps
            referenceSteps = referenceFigures.stepsToTarget ?? referenceOutcome.steps
        } else if outcome.steps == referenceOutcome.steps {
            measure = .timeForSameSteps
            hostSeconds = outcome.trainingTime.seconds
            referenceHostSeconds = referenceOutcome.trainingTime.seconds
            steps = outcome.steps
            referenceSteps = referenceOutcome.steps
        } else {
            return nil
        }
        guard hostSeconds > 0, referenceHostSeconds > 0, hostSeconds.isFinite, referenceHostSeconds.isFinite else {
            return nil
        }
        ratio = hostSeconds / referenceHostSeconds
        ratios = [:]
        for definition in FigureDefinition.all where definition.isCompared {
            guard let mine = definition.value(figures), let other = definition.value(referenceFigures) else { continue }
            if let ratio = finite(mine / other) { ratios[definition.key] = ratio }
        }
        guard
            let interval = RatioInterval(
                of: Self.series(run.steps.prefix(steps), total: hostSeconds),
                over: Self.series(reference.steps.prefix(referenceSteps), total: referenceHostSeconds), seed: seed),
            min(run.steps.count, reference.steps.count) >= Self.fewestSteps
        else { return }
        ratioLow = interval.low
        ratioHigh = interval.high
        confidence = interval.confidence
        resamples = interval.resamples
        verdict = interval.verdict
    }

    private static func series(_ steps: some Collection<StepRecord>, total: Double) -> RatioInterval.Series {
        let durations = steps.map(\.duration.seconds)
        return RatioInterval.Series(steps: durations, rest: max(0, total - durations.reduce(0, +)))
    }
}
