import Coordinator
import Jobs
import Runs
import Testing
import Wire

@Suite("The step ledger")
struct StepLedgerTests {
    private let zero = WorkerRank(0)
    private let one = WorkerRank(1)

    private func ledger(workers: Int = 2, nextSentence: Bool = true) -> StepLedger {
        var ledger = StepLedger(laneCount: 4, nextSentence: nextSentence)
        ledger.begin((0..<workers).map { WorkerRank($0) }, at: StepNumber(0), elapsed: .zero)
        return ledger
    }

    @Test("closes a step when the last worker has spoken, whichever it is")
    func closes() throws {
        for order in [[zero, one], [one, zero]] {
            var ledger = ledger()
            #expect(
                try !ledger.take(
                    [Reports.lane(2, loss: 3), Reports.lane(3, loss: 4, correct: 5)], of: StepNumber(0), from: one))
            #expect(
                try ledger.take([Reports.lane(0, loss: 1), Reports.lane(1, loss: 2)], of: StepNumber(0), from: zero))
            #expect(try ledger.take(Reports.step(0), from: order[0]) == nil)
            let closed = try #require(try ledger.take(Reports.step(0), from: order[1]))
            #expect(closed.step.maskedLoss == 2.5)
            #expect(closed.step.nextSentenceLoss == 0.5)
            #expect(closed.step.loss == 3)
            #expect(closed.step.maskedAccuracy == 0.2)
            #expect(closed.step.sequences == 16)
            #expect(closed.step.tokens == 400)
            #expect(closed.workers.map(\.rank) == [zero, one])
        }
    }

    @Test("tells when each worker began on the clock of the run, which is the first worker's")
    func timelines() throws {
        var ledger = StepLedger(laneCount: 4, nextSentence: true)
        ledger.begin([zero, one], at: StepNumber(0), elapsed: HostSeconds(7))
        _ = try ledger.take((0..<4).map { Reports.lane($0) }, of: StepNumber(0), from: zero)
        var late = Reports.step(0, start: 96, end: 110)
        late.starts = PartStarts(
            compute: .zero, waiting: HostSeconds(0.008), exposedCommunication: HostSeconds(0.008),
            commit: HostSeconds(0.009), optimizer: HostSeconds(0.01))
        #expect(try ledger.take(late, from: one) == nil)
        let closed = try #require(try ledger.take(Reports.step(0, start: 100, end: 110), from: zero))
        let starts = closed.workers.compactMap { $0.timeline?.started.seconds }
        #expect(starts.count == 2 && starts[0] == 7 && abs(starts[1] - 6.996) < 1e-9)
        #expect(closed.workers[1].timeline?.parts == late.starts)
    }

    @Test(
        "F29: workers whose clocks differ by 5 s or by days, and drift, stand on one clock in the record: nobody applies a step before all have computed it",
        arguments: [-5.0, 5, 4e5, -3_000])
    func skew(seconds: Double) throws {
        var ledger = StepLedger(laneCount: 4, nextSentence: true)
        ledger.begin([zero, one], at: StepNumber(0), elapsed: .zero, sharesClock: false)
        // Both worlds begin a week after their origins, so that a skew of days leaves no number negative.
        let origin = 604_800.0
        var before = 0.0
        for step in 0..<500 {
            let start = origin + Double(step) * 0.1
            func report(_ clock: (Double) -> Double, computed: Double) -> StepReport {
                let began = clock(start)
                func since(_ moment: Double) -> HostSeconds { HostSeconds(clock(start + moment) - began) }
                var report = Reports.step(step)
                report.startedNanoseconds = UInt64(began * 1e9)
                report.endedNanoseconds = UInt64(clock(start + 0.095) * 1e9)
                report.starts = PartStarts(
                    compute: .zero, waiting: since(computed), exposedCommunication: since(0.08), commit: since(0.085),
                    optimizer: since(0.09))
                return report
            }
            _ = try ledger.take((0..<4).map { Reports.lane($0) }, of: StepNumber(step), from: zero)
            #expect(try ledger.take(report({ $0 }, computed: 0.05), from: zero) == nil)
            let drifting = { (moment: Double) in moment + seconds + 200e-6 * (moment - origin) }
            let closed = try #require(try ledger.take(report(drifting, computed: 0.079), from: one))
            let (first, second) = (closed.workers[0], closed.workers[1])
            let placed = try [first, second].map { worker in
                let timeline = try #require(worker.timeline)
                let began = timeline.started.seconds
                return (
                    began: began, computed: began + timeline.parts.waiting.seconds,
                    applied: began + timeline.parts.optimizer.seconds
                )
            }
            #expect(
                placed.allSatisfy { one in placed.allSatisfy { one.computed <= $0.applied + 1e-6 } }, "step \(step)")
            #expect(abs(placed[1].began - placed[0].began) < 1e-4 && placed[0].began >= before, "step \(step)")
            before = placed[0].began
            // The first waits for the second, and only that.
            #expect(abs(first.duration.seconds - 0.095) < 1e-6 && first.waiting == .zero)
            #expect(closed.step.elapsed.seconds < 0.1 * Double(step) + 0.0951)
        }
    }

    @Test("tells a gradient that was on its way from a peer that still computed")
    func onItsWay() throws {
        /// One that has computed at `computed`, has all gradients at 20, the sum at 22 and the commit at 23 milliseconds.
        func report(_ start: UInt64, computed: Double) -> StepReport {
            var report = Reports.step(0, start: start, end: start + 30, compute: computed / 1_000)
            let computed = HostSeconds(computed / 1_000)
            report.starts = PartStarts(
                compute: .zero, waiting: computed, exposedCommunication: HostSeconds(0.020),
                commit: HostSeconds(0.022), optimizer: HostSeconds(0.023))
            report.timings.waiting = HostSeconds(0.020) - computed + HostSeconds(0.001)
            report.timings.exposedCommunication = HostSeconds(0.002)
            return report
        }
        var ledger = ledger()
        _ = try ledger.take((0..<4).map { Reports.lane($0) }, of: StepNumber(0), from: zero)
        #expect(try ledger.take(report(100, computed: 5), from: zero) == nil)
        // The slower one began 1 ms later, so that it had computed at 13 by the clock of the other.
        let closed = try #require(try ledger.take(report(101, computed: 12), from: one))
        func milliseconds(_ seconds: HostSeconds?) -> Double { ((seconds?.seconds ?? .nan) * 1e6).rounded() / 1e3 }
        #expect(closed.workers.map { milliseconds($0.waiting) } == [9, 1])
        #expect(closed.workers.map { milliseconds($0.exposedCommunication) } == [9, 10])
        #expect(closed.workers.map { milliseconds($0.timeline?.parts.exposedCommunication) } == [13, 12])
        #expect(closed.workers.map { milliseconds($0.timeline?.parts.commit) } == [22, 22])
    }

    @Test("adds lanes in lane order, so that a loss has the same bits whoever reports it")
    func sameBits() throws {
        let losses = [0.1, 0.7, 1e-9, 3.3]
        func loss(_ shares: [[Int]], reversed: Bool) throws -> Double? {
            var ledger = ledger(workers: shares.count)
            var last: StepLedger.Closed?
            let ranks = Array(shares.indices)
            for rank in reversed ? ranks.reversed() : ranks {
                let lanes = shares[rank].map { Reports.lane($0, loss: losses[$0]) }
                _ = try ledger.take(lanes, of: StepNumber(0), from: WorkerRank(rank))
            }
            for rank in ranks { last = try ledger.take(Reports.step(0), from: WorkerRank(rank)) }
            return last?.step.loss
        }
        let alone = try #require(try loss([[0, 1, 2, 3]], reversed: false))
        for shares in [[[0, 1], [2, 3]], [[0], [1], [2], [3]], [[2, 3], [0, 1]]] {
            for reversed in [false, true] {
                #expect(try loss(shares, reversed: reversed)?.bitPattern == alone.bitPattern)
            }
        }
    }

    @Test("reads elapsed time from the first worker's clock alone, so that durations never exceed what elapsed")
    func oneClock() throws {
        var ledger = ledger()
        var elapsed = HostSeconds.zero
        var durations = HostSeconds.zero
        // Worker 1's clock has another origin, and its steps take longer.
        for step in 0..<3 {
            let start = UInt64(1_000 + 12 * step)
            _ = try ledger.take((0..<4).map { Reports.lane($0) }, of: StepNumber(step), from: one)
            _ = try ledger.take(Reports.step(step, start: 5, end: 35, compute: 0.03), from: one)
            let closed = try #require(try ledger.take(Reports.step(step, start: start, end: start + 10), from: zero))
            elapsed = closed.step.elapsed
            durations = durations + closed.step.duration
            #expect(abs(closed.step.duration.seconds - 0.010) < 1e-12)
            #expect(abs(closed.workers[1].duration.seconds - 0.030) < 1e-12)
            #expect(abs(closed.workers[0].other.seconds - 0.001) < 1e-12)
        }
        #expect(abs(elapsed.seconds - 0.034) < 1e-12)
        #expect(durations < elapsed)
    }

    @Test("a membership goes on in time where the one before ended, on whichever worker's clock")
    func clocksOfMemberships() throws {
        var ledger = ledger()
        #expect(ledger.elapsed(at: 7_000_000) == .zero)
        ledger.begin([one], at: StepNumber(5), elapsed: HostSeconds(40))
        _ = try ledger.take((0..<4).map { Reports.lane($0) }, of: StepNumber(5), from: one)
        let closed = try #require(try ledger.take(Reports.step(5, start: 900, end: 1_400), from: one))
        #expect(abs(closed.step.elapsed.seconds - 40.5) < 1e-12)
    }

    @Test(
        "a step that a worker has applied is told in full at a membership's end, also without the reports of the lost")
    func endOfMembership() throws {
        var ledger = ledger()
        let lanes = (0..<4).map { Reports.lane($0) }
        #expect(try ledger.take(lanes, of: StepNumber(0), from: zero))
        #expect(try ledger.take(Reports.step(0), from: zero) == nil)
        // Step 1 was under way, and is made again.
        #expect(try !ledger.take([Reports.lane(0)], of: StepNumber(1), from: zero))
        let closed = try ledger.close(before: StepNumber(1))
        #expect(closed.map(\.step.step) == [StepNumber(0)])
        #expect(closed[0].workers.map(\.rank) == [zero])
        ledger.begin([zero], at: StepNumber(1), elapsed: .zero)
        #expect(try ledger.take(lanes, of: StepNumber(1), from: zero))
    }

    @Test("refuses to tell of an applied step whose lanes are not all there")
    func incomplete() throws {
        var ledger = ledger()
        _ = try ledger.take([Reports.lane(0), Reports.lane(1)], of: StepNumber(0), from: zero)
        _ = try ledger.take(Reports.step(0), from: zero)
        let fault = #expect(throws: RunFault.self) { try ledger.close(before: StepNumber(1)) }
        #expect(fault?.description.contains("step 0: 2 of 4 lanes") == true)
    }

    @Test("keeps steps apart where one worker is ahead")
    func overlap() throws {
        var ledger = ledger()
        for step in 0..<2 {
            _ = try ledger.take((0..<4).map { Reports.lane($0) }, of: StepNumber(step), from: zero)
            #expect(try ledger.take(Reports.step(step), from: zero) == nil)
        }
        #expect(try ledger.take(Reports.step(0), from: one)?.step.step == StepNumber(0))
        #expect(try ledger.take(Reports.step(1), from: one)?.step.step == StepNumber(1))
    }

    @Test("leaves next-sentence loss out where the job has none")
    func noNextSentence() throws {
        var ledger = ledger(workers: 1, nextSentence: false)
        _ = try ledger.take((0..<4).map { Reports.lane($0) }, of: StepNumber(0), from: zero)
        let closed = try ledger.take(Reports.step(0), from: zero)
        #expect(closed?.step.nextSentenceLoss == 0)
        #expect(closed?.step.loss == closed?.step.maskedLoss)
    }

    @Test("refuses a lane that is doubled or unknown", arguments: [[2, 2], [2, 3, 4], [1, 3], [-1]])
    func wrongLanes(lanes: [Int]) throws {
        var ledger = ledger()
        _ = try ledger.take([Reports.lane(0), Reports.lane(1)], of: StepNumber(7), from: zero)
        let fault = #expect(throws: RunFault.self) {
            try ledger.take(lanes.map { Reports.lane($0) }, of: StepNumber(7), from: one)
        }
        #expect(fault?.description.contains("step 7") == true)
    }

    @Test("refuses a step reported twice, and gradient norms that differ in a bit")
    func disagreement() throws {
        var ledger = ledger()
        _ = try ledger.take((0..<4).map { Reports.lane($0) }, of: StepNumber(0), from: zero)
        _ = try ledger.take(Reports.step(0), from: zero)
        #expect(throws: RunFault.self) { try ledger.take(Reports.step(0), from: zero) }
        let fault = #expect(throws: RunFault.self) {
            try ledger.take(Reports.step(0, gradientNorm: (1.5).nextUp), from: one)
        }
        #expect(fault?.description.contains("worker 1") == true)
    }
}
