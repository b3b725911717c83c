/// Deals the lanes of a job so that its workers are done at about the same time.
package struct LaneDeal: Hashable, Sendable {
    /// The lanes of each worker, at least one.
    package let counts: [Int]
    /// The slowest worker's time for its lanes, in seconds.
    package let makespan: Double

    /// By how much a step must be shorter for workers to be dealt other lanes: more than measurements waver, and enough to
    /// pay for the change of membership.
    private static let worthwhile = 0.9

    /// The deal with the shortest step of `lanes` lanes among workers that take `secondsPerLane` for each of theirs; as many
    /// lanes for each as there would be without regard to speed, unless that takes notably longer.
    package init(lanes: Int, secondsPerLane: [Double]) {
        precondition(!secondsPerLane.isEmpty && secondsPerLane.count <= lanes, "more workers than lanes")
        let even = Self.greedy(lanes, secondsPerLane.map { _ in 1 })
        let best = Self.greedy(lanes, secondsPerLane)
        let evenMakespan = Self.makespan(even, secondsPerLane)
        let bestMakespan = Self.makespan(best, secondsPerLane)
        let pays = bestMakespan < Self.worthwhile * evenMakespan
        counts = pays ? best : even
        makespan = pays ? bestMakespan : evenMakespan
    }

    /// Whether workers that have `present` lanes should change to this deal.
    func isBetter(than present: [Int], secondsPerLane: [Double]) -> Bool {
        counts != present && makespan < Self.worthwhile * Self.makespan(present, secondsPerLane)
    }

    /// Each lane goes to the worker that would be done with it first, which for equal tasks gives the least makespan.
    private static func greedy(_ lanes: Int, _ secondsPerLane: [Double]) -> [Int] {
        var counts = secondsPerLane.map { _ in 1 }
        for _ in counts.count..<lanes {
            let next = counts.indices.min {
                Double(counts[$0] + 1) * secondsPerLane[$0] < Double(counts[$1] + 1) * secondsPerLane[$1]
            }
            if let next { counts[next] += 1 }
        }
        return counts
    }

    private static func makespan(_ counts: [Int], _ secondsPerLane: [Double]) -> Double {
        zip(counts, secondsPerLane).map { Double($0) * $1 }.max() ?? 0
    }
}
