import Jobs
import Runs
import Training
import Wire

/// Gathers the workers' shares of an evaluation. Chunks are added in chunk order, whoever measured them.
package struct EvaluationLedger: Sendable {
    /// An evaluation that every worker has had its part in.
    package struct Whole: Sendable {
        package var record: EvaluationRecord
        /// When the last worker had measured its share, by the workers' clocks.
        package var endedNanoseconds: UInt64
    }

    private let nextSentence: Bool
    private var members: [WorkerRank] = []
    private var open: [Int: [WorkerRank: EvaluationReport]] = [:]

    /// A ledger of no evaluation yet.
    package init(nextSentence: Bool) { self.nextSentence = nextSentence }

    /// Begins a membership of `members`, who measure anew what was not complete.
    package mutating func begin(_ members: [WorkerRank]) {
        self.members = members.sorted()
        open = [:]
    }

    /// Takes in one worker's share and returns the whole where it was the last one missing.
    ///
    /// - Parameters:
    ///   - baselineAccuracy: what always guessing the most frequent token would get right.
    ///   - noise: how noisy gradients were up to here.
    ///   - elapsed: turns the monotonic time of the membership's first worker into the run's host time.
    /// - Throws: `RunFault.disagreement` where a chunk is missing or was measured twice.
    package mutating func take(
        _ report: EvaluationReport, from rank: WorkerRank, baselineAccuracy: Double, noise: GradientNoise? = nil,
        elapsed: (UInt64) -> HostSeconds
    ) throws(RunFault) -> Whole? {
        var reports = open[report.stepsMade] ?? [:]
        reports[rank] = report
        guard members.allSatisfy({ reports[$0] != nil }), let first = members.first.flatMap({ reports[$0] }) else {
            open[report.stepsMade] = reports
            return nil
        }
        open[report.stepsMade] = nil
        let chunks = reports.values.flatMap(\.chunks).sorted { $0.index < $1.index }
        guard chunks.map(\.index) == Array(0..<chunks.count) else {
            throw .disagreement(
                step: StepNumber(report.stepsMade), reason: "evaluation chunks \(chunks.map(\.index)) were reported")
        }
        let count = chunks.reduce(0) { $0 + $1.maskedCount }
        let pairs = chunks.reduce(0) { $0 + $1.sequences }
        let correctPairs = chunks.reduce(0) { $0 + $1.nextSentenceCorrect }
        let record = EvaluationRecord(
            stepsMade: report.stepsMade, elapsed: elapsed(first.endedNanoseconds),
            maskedLoss: chunks.reduce(0) { $0 + $1.maskedLossSum } / Double(max(1, count)),
            maskedAccuracy: Double(chunks.reduce(0) { $0 + $1.maskedCorrect }) / Double(max(1, count)),
            nextSentenceAccuracy: nextSentence && pairs > 0 ? Double(correctPairs) / Double(pairs) : nil,
            baselineAccuracy: baselineAccuracy, maskedTokens: count, noise: noise)
        return Whole(record: record, endedNanoseconds: reports.values.map(\.endedNanoseconds).max() ?? 0)
    }
}

/// The evaluations of a run so far, from which it follows how far the target is met after any number of steps: also of
/// one that the run has gone back to.
struct EvaluationHistory: Sendable {
    private let target: Target?
    private let totalSteps: Int
    private var records: [EvaluationRecord]

    /// The history that `records` tell, of a run of `totalSteps` steps or fewer.
    init(_ records: [EvaluationRecord], target: Target?, totalSteps: Int) {
        self.target = target
        self.totalSteps = totalSteps
        self.records = records.sorted { $0.stepsMade < $1.stepsMade }
    }

    /// Adds an evaluation, in the place of one after as many steps.
    mutating func append(_ record: EvaluationRecord) {
        records.removeAll { $0.stepsMade >= record.stepsMade }
        records.append(record)
    }

    /// How far the target was met after `stepsMade` steps.
    func tracker(after stepsMade: Int) -> TargetTracker {
        var tracker = TargetTracker(target: target)
        for record in records where record.stepsMade <= stepsMade {
            tracker.observe(maskedAccuracy: record.maskedAccuracy, maskedLoss: record.maskedLoss)
        }
        return tracker
    }

    /// The verdict on the evaluation after `stepsMade` steps; nil where there was none.
    func verdict(after stepsMade: Int) -> Verdict? {
        records.first { $0.stepsMade == stepsMade }.map { record in
            Verdict(
                stepsMade: stepsMade,
                isFinish: stepsMade >= totalSteps || tracker(after: stepsMade).isReached,
                maskedAccuracy: record.maskedAccuracy, maskedLoss: record.maskedLoss)
        }
    }

    /// The run's host time at the end of the last evaluation after `stepsMade` steps or fewer.
    func elapsed(by stepsMade: Int) -> HostSeconds {
        records.last { $0.stepsMade <= stepsMade }?.elapsed ?? .zero
    }

    /// The run's host time when the target was reached, at most after `stepsMade` steps.
    func targetReached(by stepsMade: Int) -> HostSeconds? {
        records.first { $0.stepsMade <= stepsMade && tracker(after: $0.stepsMade).isReached }?.elapsed
    }
}
