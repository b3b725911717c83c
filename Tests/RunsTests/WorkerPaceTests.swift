import Jobs
import Runs
import Testing

@Suite("A worker's pace")
struct WorkerPaceTests {
    /// Steps of workers that take `perLane` milliseconds for each of their lanes, with a little scatter.
    private func records(
        _ perLane: [[Double]], lanes: [Int], input: [Double]? = nil
    ) -> [WorkerStepRecord] {
        perLane.enumerated().flatMap { step, times in
            times.enumerated().map { rank, milliseconds in
                let scatter = 1 + 0.01 * Double((step * 7 + rank * 3) % 5 - 2)
                return WorkerStepRecord(
                    step: StepNumber(step), rank: WorkerRank(rank),
                    input: HostSeconds((input?[rank] ?? 0) * 1e-3 * Double(lanes[rank])),
                    compute: HostSeconds(milliseconds * scatter * 1e-3 * Double(lanes[rank])),
                    exposedCommunication: .zero, waiting: HostSeconds(0.05), optimizer: HostSeconds(0.001),
                    duration: HostSeconds(0.1), sent: Bytes(0), lanes: lanes[rank])
            }
        }
    }

    private func stragglers(_ records: [WorkerStepRecord]) -> [Int] {
        WorkerPace.all(of: records).filter(\.isStraggler).map(\.rank.index)
    }

    @Test("F12: one that is twice or ten times as slow is told from the rest, also of only two", arguments: [2.0, 10])
    func slow(factor: Double) throws {
        for workers in [2, 3, 8] {
            let times = (0..<12).map { _ in (0..<workers).map { $0 == 1 ? 10 * factor : 10 } }
            let records = records(times, lanes: Array(repeating: 2, count: workers))
            #expect(stragglers(records) == [1])
            let pace = try #require(WorkerPace.all(of: records).first { $0.rank.index == 1 })
            #expect(abs(pace.ratio - factor) < 0.1 * factor)
            #expect(pace.slowestPart == .compute)
        }
    }

    @Test("F12: with another slow worker at each step none is a straggler, and a hiccup makes none")
    func rotating() {
        let rotating = (0..<24).map { step in (0..<4).map { $0 == step % 4 ? 100.0 : 10 } }
        #expect(stragglers(records(rotating, lanes: [2, 2, 2, 2])).isEmpty)
        let hiccup = (0..<24).map { step in (0..<4).map { $0 == 2 && step == 11 ? 5_000.0 : 10 } }
        #expect(stragglers(records(hiccup, lanes: [2, 2, 2, 2])).isEmpty)
    }

    @Test("F12: one that is slow only in reading examples is told by that")
    func input() throws {
        let times = (0..<12).map { _ in [10.0, 10, 10] }
        let pace = try #require(
            WorkerPace.all(of: records(times, lanes: [1, 1, 1], input: [0.1, 0.1, 30])).first { $0.rank.index == 2 })
        #expect(pace.isStraggler && pace.slowestPart == .input)
    }

    @Test("more lanes are no slowness, and alone nobody is slow")
    func lanes() {
        let times = (0..<12).map { _ in [10.0, 10, 10] }
        #expect(stragglers(records(times, lanes: [1, 6, 1])).isEmpty)
        #expect(WorkerPace.all(of: records((0..<12).map { _ in [10.0] }, lanes: [4])).isEmpty)
        #expect(WorkerPace.all(of: []).isEmpty)
    }
}
