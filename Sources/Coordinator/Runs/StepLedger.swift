import Jobs
import Runs
import Wire

/// Gathers what the workers say of each step and closes a step once every worker has spoken of it.
///
/// Lane sums are added in lane order, so that a step's loss has the same bits on every backend and number of workers.
///
/// Workers say what their lanes gave before anybody applies the step, and how the step went after it. So whatever any
/// worker has applied can be told in full, whoever is lost meanwhile: a membership's end closes those steps with the
/// reports that came, and forgets all that was said of steps that will be made again.
package struct StepLedger: Sendable {
    /// A step that is told in full.
    package struct Closed: Sendable {
        package var step: StepRecord
        package var workers: [WorkerStepRecord]
    }

    private struct Open: Sendable {
        var lanes: [Int: LaneReport] = [:]
        var laneCounts: [WorkerRank: Int] = [:]
        var reports: [WorkerRank: StepReport] = [:]
    }

    private let laneCount: Int
    private let nextSentence: Bool
    private var open: [StepNumber: Open] = [:]
    private var members: [WorkerRank] = []
    /// The membership's first step, in which connections are made and memory is touched: it tells nothing of an emulated
    /// machine.
    private var firstStep = StepNumber(0)
    /// When the membership's first worker began its first step, on its clock, and the run's host time at that moment.
    private var start: UInt64?
    private var startElapsed = HostSeconds.zero
    /// Whether all members read the same clock: those of one host do.
    private var sharesClock = true
    /// The run's host time, evaluations and lost work included, at the end of the newest closed step.
    package private(set) var elapsed = HostSeconds.zero

    /// A ledger for workers that share `laneCount` lanes.
    package init(laneCount: Int, nextSentence: Bool) {
        self.laneCount = laneCount
        self.nextSentence = nextSentence
    }

    /// Begins a membership of `members`, whose first step is `step`.
    ///
    /// - Parameters:
    ///   - elapsed: the run's host time now.
    ///   - sharesClock: whether all members are on one host. Clocks of several are made one by what all of them have seen
    ///     at the same moment.
    package mutating func begin(
        _ members: [WorkerRank], at step: StepNumber, elapsed: HostSeconds, sharesClock: Bool = true
    ) {
        self.sharesClock = sharesClock
        self.members = members.sorted()
        firstStep = step
        open = open.filter { $0.key < step }
        start = nil
        startElapsed = elapsed
        self.elapsed = elapsed
    }

    /// The run's host time at `nanoseconds` on the clock of the membership's first worker.
    package func elapsed(at nanoseconds: UInt64) -> HostSeconds {
        guard let start else { return startElapsed }
        return startElapsed
            + MonotonicInstant(nanoseconds: nanoseconds).elapsed(since: MonotonicInstant(nanoseconds: start))
    }

    /// Takes in what lanes of `step` gave; true where these were the last ones missing.
    ///
    /// - Throws: `RunFault.disagreement` where a lane is none of the job's, or was told already.
    package mutating func take(
        _ lanes: [LaneReport], of step: StepNumber, from rank: WorkerRank
    ) throws(RunFault) -> Bool {
        for lane in lanes {
            guard (0..<laneCount).contains(lane.lane) else {
                throw .disagreement(
                    step: step, reason: "worker \(rank) reported lane \(lane.lane), 0..<\(laneCount) wanted")
            }
            guard open[step, default: Open()].lanes.updateValue(lane, forKey: lane.lane) == nil else {
                throw .disagreement(step: step, reason: "lane \(lane.lane) was reported twice, now by worker \(rank)")
            }
        }
        open[step]?.laneCounts[rank, default: 0] += lanes.count
        return !lanes.isEmpty && open[step]?.lanes.count == laneCount
    }

    /// Takes in how a step went on one worker and returns the step where it was the last one missing.
    ///
    /// - Throws: `RunFault.disagreement` where lanes are missing or the reports differ in what must be equal.
    package mutating func take(_ report: StepReport, from rank: WorkerRank) throws(RunFault) -> Closed? {
        if rank == members.first, start == nil { start = report.startedNanoseconds }
        guard open[report.step, default: Open()].reports.updateValue(report, forKey: rank) == nil else {
            throw .disagreement(step: report.step, reason: "worker \(rank) reported it twice")
        }
        guard let step = open[report.step], members.allSatisfy({ step.reports[$0] != nil }) else { return nil }
        return try close(report.step, step)
    }

    /// Closes the steps before `step`, all of which a worker has applied, with what has been told of them.
    ///
    /// - Throws: `RunFault.disagreement` as above.
    package mutating func close(before step: StepNumber) throws(RunFault) -> [Closed] {
        var closed: [Closed] = []
        for (number, told) in open.sorted(by: { $0.key < $1.key }) where number < step {
            closed.append(try close(number, told))
        }
        return closed
    }

    private mutating func close(_ step: StepNumber, _ told: Open) throws(RunFault) -> Closed {
        open[step] = nil
        let lanes = told.lanes.values.sorted { $0.lane < $1.lane }
        var reports = told.reports.sorted { $0.key < $1.key }
        guard lanes.count == laneCount, let first = members.first.flatMap({ told.reports[$0] }) ?? reports.first?.value
        else {
            throw .disagreement(
                step: step,
                reason:
                    "\(lanes.count) of \(laneCount) lanes and \(reports.count) workers were told of when it was applied"
            )
        }
        for (rank, report) in reports where report.gradientNorm.bitPattern != first.gradientNorm.bitPattern {
            throw .disagreement(
                step: step,
                reason:
                    "the gradient norm is \(first.gradientNorm) on one worker and \(report.gradientNorm) on worker \(rank)"
            )
        }
        if !sharesClock {
            for index in reports.indices { reports[index].value.tellTime(asBy: first) }
        }
        if members.allSatisfy({ told.reports[$0] != nil }),
            let computed = reports.map({ $0.value.computed(since: first) }).max()
        {
            for index in reports.indices { reports[index].value.tellWaiting(until: computed, since: first) }
        }
        let knowsClock = members.first.map { told.reports[$0] != nil } ?? false
        elapsed = max(elapsed, knowsClock ? elapsed(at: first.endedNanoseconds) : elapsed + first.duration)
        return Closed(
            step: record(
                step, lanes, first,
                // What is left of the reports where a worker was lost tells nothing of the machine.
                reports.count == members.count && step != firstStep ? Self.emulated(reports.map { $0.value }) : nil),
            workers: reports.map {
                // Without the first worker's report nothing ties the others' clocks to the run's.
                workerRecord(
                    $0.value, rank: $0.key, lanes: told.laneCounts[$0.key] ?? 0, isPlaced: sharesClock || knowsClock)
            })
    }

    private func record(
        _ step: StepNumber, _ lanes: [LaneReport], _ report: StepReport, _ emulated: EmulatedStep?
    ) -> StepRecord {
        var maskedLoss = 0.0
        var nextSentenceLoss = 0.0
        for lane in lanes {
            maskedLoss += lane.maskedLossSum / Double(max(1, lane.maskedCount))
            nextSentenceLoss += lane.nextSentenceLossSum / Double(max(1, lane.sequences))
        }
        maskedLoss /= Double(laneCount)
        nextSentenceLoss = nextSentence ? nextSentenceLoss / Double(laneCount) : 0
        let squares = lanes.compactMap(\.gradientSquaredNorm)
        let masked = lanes.reduce(0) { $0 + $1.maskedCount }
        let correct = lanes.reduce(0) { $0 + $1.maskedCorrect }
        return StepRecord(
            step: step, loss: maskedLoss + nextSentenceLoss, maskedLoss: maskedLoss,
            nextSentenceLoss: nextSentenceLoss, maskedAccuracy: Double(correct) / Double(max(1, masked)),
            learningRate: report.learningRate, gradientNorm: report.gradientNorm,
            sequences: lanes.reduce(0) { $0 + $1.sequences }, tokens: lanes.reduce(0) { $0 + $1.tokens },
            elapsed: elapsed, duration: report.duration,
            examplesChecksum: lanes.reduce(0) { $0 &+ $1.examplesChecksum },
            laneGradientSquaredNorm: squares.count == laneCount ? squares.reduce(0, +) / Double(laneCount) : nil,
            activationZeros: ActivationZeros(
                counted: lanes.reduce(0) { $0 + $1.countedActivations },
                zero: lanes.reduce(0) { $0 + $1.zeroActivations },
                skipped: lanes.reduce(0) { $0 + $1.skippedActivations }),
            emulated: emulated)
    }

    /// The step on the emulated clock, from what its workers say; nil where not all of them stood for a device, or held
    /// nothing back.
    private static func emulated(_ reports: [StepReport]) -> EmulatedStep? {
        let told = reports.compactMap(\.emulated)
        guard let dilation = told.first?.dilation, dilation > 0, told.count == reports.count else { return nil }
        let mean = told.reduce(0.0) { $0 + $1.dilated.seconds } / Double(told.count)
        return EmulatedStep(
            duration: EmulatedSeconds(mean / dilation), dilation: dilation,
            lateness: told.map(\.lateness).max() ?? .zero)
    }

    private func workerRecord(
        _ report: StepReport, rank: WorkerRank, lanes: Int, isPlaced: Bool
    ) -> WorkerStepRecord {
        WorkerStepRecord(
            step: report.step, rank: rank, input: report.timings.input, compute: report.timings.compute,
            exposedCommunication: report.timings.exposedCommunication, waiting: report.timings.waiting,
            optimizer: report.timings.optimizer, duration: report.duration, sent: report.sent,
            uncompressed: report.uncompressed, lanes: lanes,
            timeline: (isPlaced ? start : nil).map { _ in
                WorkerStepRecord.Timeline(
                    started: elapsed(at: report.startedNanoseconds), parts: report.starts)
            })
    }
}

extension StepReport {
    private var started: MonotonicInstant { MonotonicInstant(nanoseconds: startedNanoseconds) }

    /// From the step's start to its end, on the worker's clock.
    var duration: HostSeconds { MonotonicInstant(nanoseconds: endedNanoseconds).elapsed(since: started) }

    /// Puts the step's times on the clock of `reference`'s worker. What both have seen at the same moment, but for the way of
    /// a message, is the coordinator's word that the step may be applied; so clocks may differ by any amount, and drift.
    fileprivate mutating func tellTime(asBy reference: StepReport) {
        let own = started.advanced(by: starts.optimizer)
        let other = reference.started.advanced(by: reference.starts.optimizer)
        let shift = other.nanoseconds &- own.nanoseconds
        startedNanoseconds &+= shift
        endedNanoseconds &+= shift
    }

    /// When its own lanes were computed, since the start of `reference` on its worker, both on one clock.
    fileprivate func computed(since reference: StepReport) -> HostSeconds {
        started.elapsed(since: reference.started) + starts.waiting
    }

    /// Tells waiting from exchanging once it is known when the last worker had `computed`, since the start of `reference`.
    ///
    /// A worker itself sees only when a peer's gradient arrives: what was on its way until then looks to it like a peer that
    /// still computes. One that stands for a device sees nothing of that, since the emulated network lies in between.
    fileprivate mutating func tellWaiting(until computed: HostSeconds, since reference: StepReport) {
        let ready = max(starts.waiting, computed - started.elapsed(since: reference.started))
        let standsForDevice = emulated.map { $0.dilation > 0 } ?? false
        let exchanging = min(ready, standsForDevice ? starts.commit : starts.exposedCommunication)
        let onItsWay = min(starts.exposedCommunication - exchanging, timings.waiting)
        starts.exposedCommunication = min(
            max(starts.waiting, starts.exposedCommunication - onItsWay), starts.commit)
        timings.exposedCommunication += onItsWay
        timings.waiting = timings.waiting - onItsWay
    }
}
