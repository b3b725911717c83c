import Jobs
import Wire

/// Judges, from what the members of a membership have said of themselves, who keeps whom waiting.
struct ProgressWatch {
    private let members: [(rank: WorkerRank, worker: Worker)]
    private let now: MonotonicInstant

    /// A look at the workers that have not finished, at `now`.
    init(_ table: WorkerTable, now: MonotonicInstant) {
        members = table.members.compactMap { rank in
            table[rank].flatMap { $0.digest == nil ? (rank, $0) : nil }
        }
        self.now = now
    }

    /// Seconds since anybody got on.
    var idleSeconds: Double {
        members.map { now.elapsed(since: $0.worker.progressed).seconds }.min() ?? 0
    }

    /// Whether nobody does anything but wait for others.
    var isWaiting: Bool { !members.isEmpty && !members.contains { $0.worker.isAtWork } }

    /// Who must be taken for lost, because everybody else has been waiting for `deadline` seconds or longer and it has not
    /// got on either: all that are at work themselves; where nobody is, the one whose gradient most of the others await.
    ///
    /// A worker that computes for long but gets on is never among them, and neither is one while another still computes.
    func stuck(for deadline: Double) -> [WorkerRank] {
        guard members.count > 1, idleSeconds > deadline else { return [] }
        let atWork = members.filter(\.worker.isAtWork)
        if atWork.count == members.count { return [] }
        if !atWork.isEmpty { return atWork.map(\.rank) }
        var votes: [WorkerRank: Int] = [:]
        for member in members {
            for rank in member.worker.awaiting where rank != member.rank { votes[rank, default: 0] += 1 }
        }
        let candidates = members.map(\.rank).filter { votes[$0] != nil }
        return candidates.max { (votes[$0] ?? 0, $0) < (votes[$1] ?? 0, $1) }.map { [$0] } ?? []
    }

    /// Where everybody is and who waits for whom, in one line.
    var description: String {
        members.map { rank, worker in
            let place = worker.step.map { "step \($0), \(worker.phase.name)" } ?? worker.phase.name
            let awaited =
                worker.awaiting.isEmpty
                ? "" : ", waits for worker \(worker.awaiting.map(\.description).joined(separator: ", "))"
            return "worker \(rank): \(place)\(awaited), last progress "
                + "\(Int(now.elapsed(since: worker.progressed).seconds)) s ago"
        }.joined(separator: "; ")
    }
}
