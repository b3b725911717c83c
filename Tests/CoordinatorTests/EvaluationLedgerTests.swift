import Coordinator
import Jobs
import Runs
import Testing
import Wire

@Suite("The evaluation ledger")
struct EvaluationLedgerTests {
    private func take(
        _ chunks: [[Int]], order: [Int], nextSentence: Bool = true
    ) throws -> EvaluationLedger.Whole? {
        var ledger = EvaluationLedger(nextSentence: nextSentence)
        ledger.begin(chunks.indices.map { WorkerRank($0) })
        var whole: EvaluationLedger.Whole?
        for rank in order {
            #expect(whole == nil)
            whole = try ledger.take(
                Reports.evaluation(after: 10, chunks: chunks[rank], end: 50 + UInt64(rank)), from: WorkerRank(rank),
                baselineAccuracy: 0.04, elapsed: { HostSeconds(Double($0) * 1e-9) })
        }
        return whole
    }

    @Test("adds the workers' chunks up, at worker 0's time, and says when the last one was done")
    func whole() throws {
        let whole = try #require(try take([[0, 2], [1, 3]], order: [1, 0]))
        let record = whole.record
        #expect(whole.endedNanoseconds == 51_000_000)
        #expect(record.stepsMade == 10)
        #expect(record.maskedTokens == 40)
        #expect(record.maskedAccuracy == 6.0 / 40)
        #expect(record.maskedLoss == 86.0 / 40)
        #expect(record.nextSentenceAccuracy == 0.75)
        #expect(record.baselineAccuracy == 0.04)
        #expect(abs(record.elapsed.seconds - 0.050) < 1e-12)
    }

    @Test("gives the same bits however chunks are dealt")
    func sameBits() throws {
        let alone = try #require(try take([[0, 1, 2, 3]], order: [0])).record
        let dealt = try #require(try take([[3], [1], [0, 2]], order: [2, 0, 1])).record
        #expect(alone.maskedLoss.bitPattern == dealt.maskedLoss.bitPattern)
        #expect(alone.maskedAccuracy.bitPattern == dealt.maskedAccuracy.bitPattern)
    }

    @Test("has no next-sentence accuracy where the job has no sentence pairs")
    func noPairs() throws {
        #expect(try take([[0]], order: [0], nextSentence: false)?.record.nextSentenceAccuracy == nil)
    }

    @Test("refuses a chunk that is missing or was measured twice", arguments: [[[0], [2]], [[0, 1], [1]]])
    func wrongChunks(chunks: [[Int]]) {
        #expect(throws: RunFault.self) { try take(chunks, order: [0, 1]) }
    }

    @Test("is measured anew by the next membership where it was not complete")
    func again() throws {
        var ledger = EvaluationLedger(nextSentence: true)
        func take(_ rank: Int, _ chunks: [Int]) throws -> EvaluationLedger.Whole? {
            try ledger.take(
                Reports.evaluation(after: 10, chunks: chunks), from: WorkerRank(rank), baselineAccuracy: 0.04,
                elapsed: { _ in .zero })
        }
        ledger.begin([WorkerRank(0), WorkerRank(1)])
        #expect(try take(0, [0, 2]) == nil)
        ledger.begin([WorkerRank(0)])
        #expect(try take(0, [0, 1, 2, 3])?.record.maskedTokens == 40)
    }
}
