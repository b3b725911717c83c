import Jobs
import Runs

/// To whom the workers of a run send gradients: what the routes of its algorithm say.
struct GradientRoutes {
    private let algorithm: CollectiveAlgorithm
    private let lanes: Int

    /// The routes of `run`.
    init(_ run: Run) {
        algorithm = run.exchange?.algorithm ?? .direct
        lanes = run.job.lanes
    }

    /// For each worker, in the order of ranks, the places of those that it sends to in that order, and the share of what it
    /// sends that each is sent.
    ///
    /// - Parameter laneCounts: the lanes of each worker; where they are not all of the job's, even shares are assumed.
    func shares(laneCounts: [Int]) -> [[(to: Int, share: Double)]] {
        let isWhole = laneCounts.allSatisfy { $0 > 0 } && laneCounts.reduce(0, +) == lanes
        // A run that lost workers may have had more of them than lanes, one after the other.
        let tree = LaneTree(laneCount: max(lanes, laneCounts.count))
        let shares = LaneShares(
            tree: tree,
            lanes: isWhole ? tree.shares(counts: laneCounts) : tree.shares(workerCount: laneCounts.count))
        return laneCounts.indices.map { rank in
            let sent = shares.sent(algorithm, by: rank)
            let total = sent.values.reduce(0, +)
            return sent.sorted { $0.key < $1.key }.map { ($0.key, $0.value / total) }
        }
    }
}
