import Jobs
import Runs

/// Looks, step by step, which workers are slow. Slow is not lost: nobody leaves a membership for it.
struct StragglerWatch: Sendable {
    /// A worker that has become slow, or is no longer.
    struct Change: Hashable, Sendable {
        var pace: WorkerPace
        var isSlow: Bool
        var steps: Int

        /// In words.
        var description: String {
            let own = Self.text(pace.perLane)
            let others = Self.text(pace.othersPerLane)
            let score = Int(pace.zScore.rounded())
            return isSlow
                ? "worker \(pace.rank) is slow: \(own) of its own work a lane, \(Self.text(pace.ratio)) times the others' "
                    + "\(others), most of it in \(pace.slowestPart.name); z-score \(score) over \(steps) steps"
                : "worker \(pace.rank) is no longer slow: \(own) of its own work a lane, the others \(others); "
                    + "z-score \(score) over \(steps) steps"
        }

        private static func text(_ time: HostSeconds) -> String { text(1_000 * time.seconds) + " ms" }

        private static func text(_ value: Double) -> String {
            value < 100 ? "\((value * 10).rounded() / 10)" : "\(Int(value.rounded()))"
        }
    }

    /// Steps that are looked back on: enough that one hiccup, or another worker's turn to be slow, changes no median.
    static let window = 20
    /// Steps before which nothing is said of a worker.
    static let least = 8

    private var recent: [WorkerRank: [WorkerStepRecord]] = [:]
    private var slow: Set<WorkerRank> = []

    /// Takes in a step, as its workers told it, and says for whom that changes something.
    mutating func observe(_ records: [WorkerStepRecord]) -> [Change] {
        for record in records {
            recent[record.rank, default: []].append(record)
            if recent[record.rank, default: []].count > Self.window { recent[record.rank]?.removeFirst() }
        }
        return paces.compactMap { pace in
            // It must come well below the mark before it counts as recovered, so that nobody hovers about it; a pace that
            // scatters because it has just changed is no recovery.
            let isSlow = slow.contains(pace.rank) ? pace.ratio > 1.1 : pace.isStraggler
            guard isSlow != slow.contains(pace.rank) else { return nil }
            if isSlow { slow.insert(pace.rank) } else { slow.remove(pace.rank) }
            return Change(pace: pace, isSlow: isSlow, steps: recent[pace.rank]?.count ?? 0)
        }
    }

    /// Forgets all but `ranks`.
    mutating func keep(_ ranks: [WorkerRank]) {
        recent = recent.filter { ranks.contains($0.key) }
        slow.formIntersection(ranks)
    }

    /// How long each of `ranks` takes for a lane; those that are not known yet count as the median of the others. Nil where
    /// nobody is known.
    func secondsPerLane(of ranks: [WorkerRank]) -> [Double]? {
        let known = Dictionary(uniqueKeysWithValues: paces.map { ($0.rank, $0.perLane.seconds) })
        guard let usual = Quantiles(ranks.compactMap { known[$0] }).median else { return nil }
        return ranks.map { known[$0] ?? usual }
    }

    private var paces: [WorkerPace] {
        WorkerPace.all(of: recent.values.filter { $0.count >= Self.least }.joined())
    }
}
