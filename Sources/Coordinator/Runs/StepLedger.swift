import Jobs
import Runs
import Wire

/// Gathers what the workers say of each step and closes a step once every worker has spoken of it.
///
/// Lane sums are added in lane order, so that a step's loss has the same bits on every backend and number of workers.
package struct StepLedger: Sendable {
    /// A step that every worker has reported.
    package struct Closed: Sendable {
        package var step: StepRecord
        package var workers: [WorkerStepRecord]
    }

    private let workerCount: Int
    private let laneCount: Int
    private let nextSentence: Bool
    private var open: [StepNumber: [WorkerRank: StepReport]] = [:]
    private var firstStart: UInt64?

    /// A ledger for `workerCount` workers that share `laneCount` lanes.
    package init(workerCount: Int, laneCount: Int, nextSentence: Bool) {
        self.workerCount = workerCount
        self.laneCount = laneCount
        self.nextSentence = nextSentence
    }

    /// Host time on rank 0's monotonic clock from the start of the first step to `nanoseconds`; zero before that.
    package func elapsed(at nanoseconds: UInt64) -> HostSeconds {
        guard let firstStart else { return .zero }
        return MonotonicInstant(nanoseconds: nanoseconds).elapsed(since: MonotonicInstant(nanoseconds: firstStart))
    }

    /// Takes in one worker's report and returns the step where it was the last one missing.
    ///
    /// - Throws: `RunFault.disagreement` where the reports don't add up to the lanes or differ in what must be equal.
    package mutating func take(_ report: StepReport, from rank: WorkerRank) throws(RunFault) -> Closed? {
        if rank.index == 0, firstStart == nil { firstStart = report.startedNanoseconds }
        var reports = open[report.step] ?? [:]
        guard reports.updateValue(report, forKey: rank) == nil else {
            throw .disagreement(step: report.step, reason: "worker \(rank) reported it twice")
        }
        guard reports.count == workerCount else {
            open[report.step] = reports
            return nil
        }
        open[report.step] = nil
        return try close(report.step, reports.sorted { $0.key < $1.key })
    }

    private func close(
        _ step: StepNumber, _ reports: [(key: WorkerRank, value: StepReport)]
    ) throws(RunFault) -> Closed {
        let lanes = reports.flatMap(\.value.lanes).sorted { $0.lane < $1.lane }
        guard lanes.map(\.lane) == Array(0..<laneCount), let first = reports.first?.value else {
            throw .disagreement(step: step, reason: "lanes \(lanes.map(\.lane)) were reported, 0..<\(laneCount) wanted")
        }
        for (rank, report) in reports where report.gradientNorm.bitPattern != first.gradientNorm.bitPattern {
            throw .disagreement(
                step: step,
                reason:
                    "the gradient norm is \(first.gradientNorm) on worker 0 and \(report.gradientNorm) on worker \(rank)"
            )
        }
        var maskedLoss = 0.0
        var nextSentenceLoss = 0.0
        for lane in lanes {
            maskedLoss += lane.maskedLossSum / Double(max(1, lane.maskedCount))
            nextSentenceLoss += lane.nextSentenceLossSum / Double(max(1, lane.sequences))
        }
        maskedLoss /= Double(laneCount)
        nextSentenceLoss = nextSentence ? nextSentenceLoss / Double(laneCount) : 0
        let masked = lanes.reduce(0) { $0 + $1.maskedCount }
        let correct = lanes.reduce(0) { $0 + $1.maskedCorrect }
        let record = StepRecord(
            step: step, loss: maskedLoss + nextSentenceLoss, maskedLoss: maskedLoss,
            nextSentenceLoss: nextSentenceLoss, maskedAccuracy: Double(correct) / Double(max(1, masked)),
            learningRate: first.learningRate, gradientNorm: first.gradientNorm,
            sequences: lanes.reduce(0) { $0 + $1.sequences }, tokens: lanes.reduce(0) { $0 + $1.tokens },
            elapsed: elapsed(at: first.endedNanoseconds),
            duration: first.duration)
        return Closed(step: record, workers: reports.map { Self.workerRecord($0.value, rank: $0.key) })
    }

    private static func workerRecord(_ report: StepReport, rank: WorkerRank) -> WorkerStepRecord {
        WorkerStepRecord(
            step: report.step, rank: rank, input: report.timings.input, compute: report.timings.compute,
            exposedCommunication: report.timings.exposedCommunication, waiting: report.timings.waiting,
            optimizer: report.timings.optimizer, duration: report.duration, sent: report.sent)
    }
}

extension StepReport {
    /// From the step's start to its end, on the worker's clock.
    fileprivate var duration: HostSeconds {
        MonotonicInstant(nanoseconds: endedNanoseconds).elapsed(
            since: MonotonicInstant(nanoseconds: startedNanoseconds))
    }
}
