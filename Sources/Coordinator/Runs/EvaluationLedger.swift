import Jobs
import Runs
import Wire

/// Gathers the workers' shares of an evaluation. Chunks are added in chunk order, whoever measured them.
package struct EvaluationLedger: Sendable {
    private let workerCount: Int
    private let nextSentence: Bool
    private var open: [Int: [WorkerRank: EvaluationReport]] = [:]

    /// A ledger for `workerCount` workers.
    package init(workerCount: Int, nextSentence: Bool) {
        self.workerCount = workerCount
        self.nextSentence = nextSentence
    }

    /// Takes in one worker's share and returns the whole where it was the last one missing.
    ///
    /// - Parameters:
    ///   - baselineAccuracy: what always guessing the most frequent token would get right.
    ///   - elapsed: turns rank 0's monotonic time into the run's host time.
    /// - Throws: `RunFault.disagreement` where a chunk is missing or was measured twice.
    package mutating func take(
        _ report: EvaluationReport, from rank: WorkerRank, baselineAccuracy: Double, elapsed: (UInt64) -> HostSeconds
    ) throws(RunFault) -> EvaluationRecord? {
        var reports = open[report.stepsMade] ?? [:]
        reports[rank] = report
        guard reports.count == workerCount, let first = reports[WorkerRank(0)] else {
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
        return EvaluationRecord(
            stepsMade: report.stepsMade, elapsed: elapsed(first.endedNanoseconds),
            maskedLoss: chunks.reduce(0) { $0 + $1.maskedLossSum } / Double(max(1, count)),
            maskedAccuracy: Double(chunks.reduce(0) { $0 + $1.maskedCorrect }) / Double(max(1, count)),
            nextSentenceAccuracy: nextSentence && pairs > 0 ? Double(correctPairs) / Double(pairs) : nil,
            baselineAccuracy: baselineAccuracy, maskedTokens: count)
    }
}
