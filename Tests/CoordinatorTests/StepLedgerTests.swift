import Coordinator
import Jobs
import Runs
import Testing
import Wire

@Suite("The step ledger")
struct StepLedgerTests {
    private let zero = WorkerRank(0)
    private let one = WorkerRank(1)

    private func ledger(nextSentence: Bool = true) -> StepLedger {
        StepLedger(workerCount: 2, laneCount: 4, nextSentence: nextSentence)
    }

    @Test("closes a step when the last worker has spoken, whichever it is")
    func closes() throws {
        for order in [[zero, one], [one, zero]] {
            var ledger = ledger()
            let reports: [WorkerRank: StepReport] = [
                zero: Reports.step(0, lanes: [Reports.lane(0, loss: 1), Reports.lane(1, loss: 2)]),
                one: Reports.step(0, lanes: [Reports.lane(2, loss: 3), Reports.lane(3, loss: 4, correct: 5)]),
            ]
            let (first, second) = (try #require(reports[order[0]]), try #require(reports[order[1]]))
            #expect(try ledger.take(first, from: order[0]) == nil)
            let last = try ledger.take(second, from: order[1])
            let closed = try #require(last)
            #expect(closed.step.maskedLoss == 2.5)
            #expect(closed.step.nextSentenceLoss == 0.5)
            #expect(closed.step.loss == 3)
            #expect(closed.step.maskedAccuracy == 0.2)
            #expect(closed.step.sequences == 16)
            #expect(closed.step.tokens == 400)
            #expect(closed.workers.map(\.rank) == [zero, one])
        }
    }

    @Test("adds lanes in lane order, so that a loss has the same bits whoever reports it")
    func sameBits() throws {
        let losses = [0.1, 0.7, 1e-9, 3.3]
        func loss(_ shares: [[Int]], reversed: Bool) throws -> Double? {
            var ledger = StepLedger(workerCount: shares.count, laneCount: 4, nextSentence: true)
            var last: StepLedger.Closed?
            let ranks = Array(shares.indices)
            for rank in reversed ? ranks.reversed() : ranks {
                let lanes = shares[rank].map { Reports.lane($0, loss: losses[$0]) }
                last = try ledger.take(Reports.step(0, lanes: lanes), from: WorkerRank(rank))
            }
            return last?.step.loss
        }
        let alone = try #require(try loss([[0, 1, 2, 3]], reversed: false))
        for shares in [[[0, 1], [2, 3]], [[0], [1], [2], [3]], [[2, 3], [0, 1]]] {
            for reversed in [false, true] {
                #expect(try loss(shares, reversed: reversed)?.bitPattern == alone.bitPattern)
            }
        }
    }

    @Test("reads duration and elapsed time from worker 0's clock alone, so that durations never exceed what elapsed")
    func oneClock() throws {
        var ledger = ledger()
        var elapsed = HostSeconds.zero
        var durations = HostSeconds.zero
        // Worker 1's clock has another origin, and its steps take longer.
        for step in 0..<3 {
            let start = UInt64(1_000 + 12 * step)
            _ = try ledger.take(
                Reports.step(step, lanes: [Reports.lane(2), Reports.lane(3)], start: 5, end: 35, compute: 0.03),
                from: one)
            let report = Reports.step(
                step, lanes: [Reports.lane(0), Reports.lane(1)], start: start, end: start + 10)
            let last = try ledger.take(report, from: zero)
            let closed = try #require(last)
            elapsed = closed.step.elapsed
            durations = durations + closed.step.duration
            #expect(abs(closed.step.duration.seconds - 0.010) < 1e-12)
            #expect(abs(closed.workers[1].duration.seconds - 0.030) < 1e-12)
            #expect(abs(closed.workers[0].other.seconds - 0.001) < 1e-12)
        }
        #expect(abs(elapsed.seconds - 0.034) < 1e-12)
        #expect(durations < elapsed)
    }

    @Test("has no elapsed time before worker 0 has made a step")
    func beforeTheFirst() throws {
        var ledger = ledger()
        #expect(ledger.elapsed(at: 7_000_000) == .zero)
        _ = try ledger.take(Reports.step(0, lanes: [Reports.lane(2), Reports.lane(3)], start: 3, end: 4), from: one)
        #expect(ledger.elapsed(at: 7_000_000) == .zero)
        _ = try ledger.take(Reports.step(0, lanes: [Reports.lane(0), Reports.lane(1)], start: 5, end: 6), from: zero)
        #expect(abs(ledger.elapsed(at: 7_000_000).seconds - 0.002) < 1e-12)
    }

    @Test("keeps steps apart where one worker is ahead")
    func overlap() throws {
        var ledger = ledger()
        let own = [Reports.lane(0), Reports.lane(1)]
        let others = [Reports.lane(2), Reports.lane(3)]
        #expect(try ledger.take(Reports.step(0, lanes: own), from: zero) == nil)
        #expect(try ledger.take(Reports.step(1, lanes: own), from: zero) == nil)
        #expect(try ledger.take(Reports.step(0, lanes: others), from: one)?.step.step == StepNumber(0))
        #expect(try ledger.take(Reports.step(1, lanes: others), from: one)?.step.step == StepNumber(1))
    }

    @Test("leaves next-sentence loss out where the job has none")
    func noNextSentence() throws {
        var ledger = ledger(nextSentence: false)
        _ = try ledger.take(Reports.step(0, lanes: [Reports.lane(0), Reports.lane(1)]), from: zero)
        let closed = try ledger.take(Reports.step(0, lanes: [Reports.lane(2), Reports.lane(3)]), from: one)
        #expect(closed?.step.nextSentenceLoss == 0)
        #expect(closed?.step.loss == closed?.step.maskedLoss)
    }

    @Test("refuses a lane that is missing, doubled or unknown", arguments: [[2], [2, 2], [2, 3, 4], [1, 3], []])
    func wrongLanes(lanes: [Int]) throws {
        var ledger = ledger()
        _ = try ledger.take(Reports.step(7, lanes: [Reports.lane(0), Reports.lane(1)]), from: zero)
        let fault = #expect(throws: RunFault.self) {
            try ledger.take(Reports.step(7, lanes: lanes.map { Reports.lane($0) }), from: one)
        }
        #expect(fault?.description.contains("step 7") == true)
    }

    @Test("refuses a step reported twice, and gradient norms that differ in a bit")
    func disagreement() throws {
        var ledger = ledger()
        let own = [Reports.lane(0), Reports.lane(1)]
        _ = try ledger.take(Reports.step(0, lanes: own), from: zero)
        #expect(throws: RunFault.self) { try ledger.take(Reports.step(0, lanes: own), from: zero) }
        let fault = #expect(throws: RunFault.self) {
            try ledger.take(
                Reports.step(0, lanes: [Reports.lane(2), Reports.lane(3)], gradientNorm: (1.5).nextUp), from: one)
        }
        #expect(fault?.description.contains("worker 1") == true)
    }
}
