import Coordinator
import Jobs
import Runs
import Testing
import Wire

@Suite("Slow workers in a run")
struct StragglerTests {
    /// A life of `workers` workers with `lanes` lanes that makes steps in which worker r takes `milliseconds[r]` a lane.
    private struct Pace {
        var life: Life
        let workers: Int
        let lanes: Int
        var milliseconds: [Double]
        private(set) var shares: [Range<Int>]
        private(set) var words: [String] = []
        private(set) var straggling: [String] = []
        private var step = 0

        init(workers: Int, lanes: Int, milliseconds: [Double], laneShares: LaneShareRule = .speed) throws {
            life = try Life(workers: workers, lanes: lanes, steps: 1_000, laneShares: laneShares)
            life.begin()
            self.workers = workers
            self.lanes = lanes
            self.milliseconds = milliseconds
            shares = LaneTree(laneCount: lanes).shares(workerCount: workers)
        }

        /// Makes `count` steps; where the coordinator ends the membership after one, the next begins with its assignment.
        mutating func make(_ count: Int) {
            for _ in 0..<count {
                var actions: [RunMachine.Action] = []
                for rank in 0..<workers {
                    actions += life.say(
                        rank, .laneResults(step: StepNumber(step), shares[rank].map { Reports.lane($0) }))
                }
                for rank in 0..<workers {
                    let compute = milliseconds[rank] * Double(shares[rank].count) * (1 + 0.01 * Double(step % 3))
                    actions += life.say(rank, .stepReport(Reports.step(step, compute: compute / 1_000)))
                }
                step += 1
                if actions.commits.contains(where: \.halts) {
                    for rank in 0..<workers { actions += life.halted(rank, after: step) }
                    shares = actions.assignments.sorted { $0.rank < $1.rank }.map(\.lanes)
                }
                if (step % 2) == 0 {
                    for rank in 0..<workers { actions += life.evaluation(after: step, of: rank) }
                }
                words += actions.words
                for case .event(.straggler, let text, _, _) in actions { straggling.append(text) }
            }
        }
    }

    @Test(
        "F12: a slow worker is named with its z-score, gets fewer lanes, and is not lost; once it is fast again, more")
    func slow() throws {
        var pace = try Pace(workers: 2, lanes: 8, milliseconds: [10, 10])
        pace.make(30)
        #expect(pace.straggling.isEmpty && pace.shares.map(\.count) == [4, 4])
        pace.milliseconds[1] = 30
        pace.make(30)
        #expect(pace.shares.map(\.count) == [6, 2])
        let told = try #require(pace.straggling.first { $0.contains("is slow") })
        for part in ["worker 1 is slow", "3.0 times", "z-score", "forward and backward passes"] {
            #expect(told.contains(part), "\(told)")
        }
        #expect(pace.words.contains { $0.contains("worker 1: lanes 6 to 7") }, "\(pace.words)")
        #expect(pace.straggling.count { $0.contains("dealt anew") } == 1)
        pace.milliseconds[1] = 10
        pace.make(40)
        #expect(pace.shares.map(\.count) == [4, 4])
        #expect(pace.straggling.contains { $0.contains("worker 1 is no longer slow") })
        #expect(pace.life.machine.membershipEpoch == 3, "lanes are dealt when that pays, and only then")
    }

    @Test("lanes stay where the run asks for equal shares, where each worker has one, and where others take turns")
    func stays() throws {
        var even = try Pace(workers: 2, lanes: 8, milliseconds: [10, 100], laneShares: .even)
        even.make(40)
        #expect(even.shares.map(\.count) == [4, 4] && even.straggling.count == 1)

        var single = try Pace(workers: 4, lanes: 4, milliseconds: [10, 10, 10, 100])
        single.make(40)
        #expect(single.life.machine.membershipEpoch == 1 && single.straggling.count == 1)

        var turns = try Pace(workers: 4, lanes: 16, milliseconds: [10, 10, 10, 10])
        for step in 0..<60 {
            turns.milliseconds = (0..<4).map { $0 == step % 4 ? 100 : 10 }
            turns.make(1)
        }
        #expect(turns.life.machine.membershipEpoch == 1 && turns.straggling.isEmpty)
    }

    @Test(
        "a deal gives the least makespan of all deals",
        arguments: [[1.0, 1], [1, 3], [5, 1, 1], [1, 2, 3, 4], [1, 1, 1, 30], [2.5, 0.1]])
    func makespan(secondsPerLane: [Double]) throws {
        let lanes = 9
        let deal = LaneDeal(lanes: lanes, secondsPerLane: secondsPerLane)
        #expect(deal.counts.reduce(0, +) == lanes && deal.counts.allSatisfy { $0 > 0 })
        func best(_ workers: ArraySlice<Double>, _ left: Int) -> Double {
            guard let first = workers.first else { return left == 0 ? 0 : .infinity }
            let rest = workers.dropFirst()
            return (1...max(1, left - rest.count)).map { max(Double($0) * first, best(rest, left - $0)) }.min() ?? 0
        }
        // Equal shares are kept where the best deal is not much better.
        #expect(deal.makespan <= best(secondsPerLane[...], lanes) / 0.9 + 1e-12)
    }
}
