import Foundation
import Jobs
import Runs

/// Variants of one job's network, trained on the wafer backend under the same seeds: how long each takes to the target,
/// how much of that chance explains, and what quality it has after equal steps and equal time.
public struct VariantReport: Sendable, Encodable {
    /// A run of a variant.
    public struct Entry: Sendable {
        public var variant: SparsityVariant
        public var record: RunRecord
        /// The same job on the cluster, where it was run to compare bits.
        public var cluster: RunRecord?

        /// A run of the given parts.
        public init(variant: SparsityVariant, record: RunRecord, cluster: RunRecord? = nil) {
            self.variant = variant
            self.record = record
            self.cluster = cluster
        }
    }

    /// The form of the JSON document.
    public var schema = "wafermark-variants-1"
    /// When the report was made, by the wall clock.
    public var generated: Date
    /// One sentence.
    public var answer: String
    /// What was trained: the first run's job.
    public var job: JobFigures
    /// The machine of the first run.
    public var machine: MachineFigures?
    public var seeds: [UInt64]
    /// The first is what the others are compared with.
    public var variants: [VariantFigures]
    /// Each other variant beside the first.
    public var comparisons: [VariantComparison]
    /// Sparse and dense runs on the cluster beside those on the wafer.
    public var identity: [IdentityCheck]

    /// The report of `entries`, variant by variant, each with the same seeds.
    ///
    /// - Throws: `ReportError.noRuns`.
    public init(_ entries: [Entry], generated: Date) throws {
        guard let first = entries.first else { throw ReportError.noRuns }
        self.generated = generated
        job = JobFigures(first.record.run.job, vocabularySize: first.record.run.corpus?.vocabularySize)
        machine = first.record.run.machine.map(MachineFigures.init)
        seeds = entries.filter { $0.variant == first.variant }.map(\.record.run.job.seed)
        var names: [SparsityVariant] = []
        for entry in entries where !names.contains(entry.variant) { names.append(entry.variant) }
        let groups = names.map { name in entries.filter { $0.variant == name }.map(\.record) }
        let figures = zip(names, groups).map { VariantFigures(name: $0.name, $1) }
        variants = figures
        comparisons = figures.dropFirst().map { VariantComparison($0, with: figures[0]) }
        identity = entries.compactMap { entry in entry.cluster.map { IdentityCheck($0, with: entry.record) } }
        answer = Self.sentence(variants, comparisons, target: job.target, identity)
    }

    /// Whether all runs that were compared bit by bit are equal; nil where none was.
    public var bitIdentical: Bool? {
        identity.isEmpty ? nil : identity.allSatisfy { $0.bitIdentical == true }
    }

    /// The document as JSON.
    ///
    /// - Throws: `ReportError.cannotEncode`.
    public func json() throws -> Data { try JSONRenderer.document(self) }

    /// Writes `variants.html`, `variants.json` and `variants.md` into `directory`, each whole or not at all.
    ///
    /// - Returns: their paths, in that order.
    /// - Throws: `ReportError`.
    public func write(to directory: String) throws -> [String] {
        try ReportWriter.put(
            [
                ("variants.html", Data(VariantPage(self).render().utf8)), ("variants.json", try json()),
                ("variants.md", Data(VariantText(self).markdown.utf8)),
            ], into: directory)
    }

    private static func sentence(
        _ variants: [VariantFigures], _ comparisons: [VariantComparison], target: TargetFigures?,
        _ identity: [IdentityCheck]
    ) -> String {
        var text: [String] = []
        for variant in variants {
            let deed = target.map { "reached \($0.phrase.plain)" } ?? "made its steps"
            let times = target == nil ? variant.trainingHostSeconds : variant.timeToTargetHostSeconds
            let missed = target == nil ? 0 : variant.runs.filter { $0.timeToTargetHostSeconds == nil }.count
            if let times {
                text.append(
                    "\(variant.name) \(deed) in \(FigureFormat.duration.text(times.mean)) (host clock, mean of "
                        + "\(times.count) seeds, \(FigureFormat.duration.text(times.least)) to "
                        + "\(FigureFormat.duration.text(times.most)))"
                        + (missed > 0 ? "; \(missed) of its runs did not" : ""))
            } else {
                text.append("\(variant.name) never did, in \(variant.runs.count) runs")
            }
        }
        for comparison in comparisons {
            guard let ratio = comparison.timeRatio else { continue }
            var phrase = "\(comparison.name) took \(FigureFormat.ratio.text(ratio.mean)) as long"
            if let low = ratio.low, let high = ratio.high {
                phrase += " (95 % interval \(FigureFormat.ratio.text(low)) to \(FigureFormat.ratio.text(high))"
                phrase += ratio.excludes(1) == true ? ")" : ": no significant difference)"
            }
            text.append(phrase)
        }
        if !identity.isEmpty {
            text.append(
                identity.allSatisfy { $0.bitIdentical == true }
                    ? "runs on the cluster gave the same bits" : "runs on the cluster gave OTHER bits")
        }
        return text.joined(separator: "; ").capitalisedFirst + "."
    }
}

/// A variant's runs.
public struct VariantFigures: Sendable, Encodable {
    /// A run under one seed.
    public struct Run: Sendable, Encodable {
        public var runId: String
        public var seed: UInt64
        public var stepsMade: Int
        public var stepsToTarget: Int?
        public var timeToTargetHostSeconds: Double?
        public var trainingHostSeconds: Double?
        public var stepMedianHostSeconds: Double?
        public var weightsDigest: String?
        public var evaluations: [EvaluationFigures]
    }

    public var name: String
    /// What its zeros amounted to; nil for a dense network.
    public var sparsity: SparsityFigures?
    public var runs: [Run]
    public var stepsToTarget: SeedSpread?
    public var timeToTargetHostSeconds: SeedSpread?
    public var trainingHostSeconds: SeedSpread?
    /// Of each run's median step.
    public var stepHostSeconds: SeedSpread?

    init(name: String, _ records: [RunRecord]) {
        self.name = name
        sparsity = records.first.flatMap(SparsityFigures.init)
        runs = records.map { record in
            let figures = RunFigures(record, label: name)
            return Run(
                runId: figures.runId, seed: record.run.job.seed, stepsMade: figures.stepsMade,
                stepsToTarget: figures.stepsToTarget, timeToTargetHostSeconds: figures.timeToTargetHostSeconds,
                trainingHostSeconds: figures.trainingHostSeconds,
                stepMedianHostSeconds: figures.stepMedianHostSeconds, weightsDigest: figures.weightsDigest,
                evaluations: figures.evaluations)
        }
        stepsToTarget = SeedSpread(runs.compactMap { $0.stepsToTarget.map(Double.init) })
        timeToTargetHostSeconds = SeedSpread(runs.compactMap(\.timeToTargetHostSeconds))
        trainingHostSeconds = SeedSpread(runs.compactMap(\.trainingHostSeconds))
        stepHostSeconds = SeedSpread(runs.compactMap(\.stepMedianHostSeconds))
    }
}

/// One variant beside another, seed by seed: what seeds have in common is not counted as chance.
public struct VariantComparison: Sendable, Encodable {
    public var name: String
    public var reference: String
    /// Time to the target, or of all steps where there is none, over the reference's.
    public var timeRatio: SeedSpread?
    /// Median step over the reference's: what its zeros save on this host, measured.
    public var stepRatio: SeedSpread?
    /// Held-out MLM loss less the reference's, in nats, at the last step at which both were evaluated.
    public var lossDifferenceAtEqualSteps: SeedSpread?
    /// The same when the first of the two ended; between evaluations by a straight line.
    public var lossDifferenceAtEqualTime: SeedSpread?

    init(_ variant: VariantFigures, with reference: VariantFigures) {
        name = variant.name
        self.reference = reference.name
        let pairs = variant.runs.compactMap { run in
            reference.runs.first { $0.seed == run.seed }.map { (run, $0) }
        }
        func ratios(_ figure: (VariantFigures.Run) -> Double?) -> SeedSpread? {
            func values(_ runs: [VariantFigures.Run]) -> [(seed: UInt64, value: Double)] {
                runs.compactMap { run in figure(run).map { (run.seed, $0) } }
            }
            return SeedSpread(ratioOf: values(variant.runs), over: values(reference.runs))
        }
        let toTarget = variant.runs.contains { $0.timeToTargetHostSeconds != nil }
        timeRatio = ratios { toTarget ? $0.timeToTargetHostSeconds : $0.trainingHostSeconds }
        stepRatio = ratios(\.stepMedianHostSeconds)
        lossDifferenceAtEqualSteps = SeedSpread(
            pairs.compactMap { run, other in
                let common = run.evaluations.last { evaluation in
                    other.evaluations.contains { $0.stepsMade == evaluation.stepsMade }
                }
                guard let common, let mine = common.mlmLossNats,
                    let theirs = other.evaluations.last(where: { $0.stepsMade == common.stepsMade })?.mlmLossNats
                else { return nil }
                return mine - theirs
            })
        lossDifferenceAtEqualTime = SeedSpread(
            pairs.compactMap { run, other in
                guard let end = run.evaluations.last?.elapsedHostSeconds,
                    let otherEnd = other.evaluations.last?.elapsedHostSeconds
                else { return nil }
                let time = min(end, otherEnd)
                guard let mine = Self.loss(run.evaluations, at: time),
                    let theirs = Self.loss(other.evaluations, at: time)
                else { return nil }
                return mine - theirs
            })
    }

    /// The held-out loss at `time`; nil before the first evaluation.
    static func loss(_ evaluations: [EvaluationFigures], at time: Double) -> Double? {
        guard let after = evaluations.firstIndex(where: { $0.elapsedHostSeconds >= time }) else {
            return evaluations.last?.mlmLossNats
        }
        guard let late = evaluations[after].mlmLossNats else { return nil }
        if evaluations[after].elapsedHostSeconds == time { return late }
        guard after > 0, let early = evaluations[after - 1].mlmLossNats else { return nil }
        let (from, to) = (evaluations[after - 1].elapsedHostSeconds, evaluations[after].elapsedHostSeconds)
        return early + (late - early) * (time - from) / (to - from)
    }
}
