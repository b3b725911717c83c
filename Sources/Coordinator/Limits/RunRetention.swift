import Foundation
import Jobs
import Runs

/// Which stored runs are kept. Nil stands for no limit; without any, all are.
///
/// A run that has not ended, that is pinned, or after which another comes that has not finished, is always kept.
public struct RunRetention: Hashable, Sendable {
    /// The newest so many are kept.
    public var keepRuns: Int?
    /// Those that have ended within so many days are kept.
    public var keepDays: Double?
    /// The files of all runs take at most so much; the oldest go first.
    public var quota: Bytes?

    /// The given limits.
    public init(keepRuns: Int? = nil, keepDays: Double? = nil, quota: Bytes? = nil) {
        self.keepRuns = keepRuns
        self.keepDays = keepDays
        self.quota = quota
    }

    /// Whether all runs are kept.
    public var isEmpty: Bool { self == RunRetention() }

    /// A stored run, as far as it matters here.
    public struct Candidate: Hashable, Sendable {
        /// The run, and what its files take.
        public var id: RunID
        public var size: Bytes
        /// When it ended, by the wall clock; nil where it has not.
        public var ended: Date?
        /// Whether it is pinned, and whether a run comes after it that has not finished.
        public var isPinned: Bool
        public var isFollowed: Bool

        /// A run of the given parts.
        public init(id: RunID, size: Bytes, ended: Date?, isPinned: Bool = false, isFollowed: Bool = false) {
            self.id = id
            self.size = size
            self.ended = ended
            self.isPinned = isPinned
            self.isFollowed = isFollowed
        }

        var mayGo: Bool { ended != nil && !isPinned && !isFollowed }
    }

    /// A run that goes, and why.
    public struct Removal: Hashable, Sendable {
        /// The run, what its files take, and the reason in words.
        public var id: RunID
        public var size: Bytes
        public var reason: String
    }

    /// The runs that go, oldest first.
    ///
    /// - Parameters:
    ///   - runs: all stored runs, newest first.
    ///   - now: the wall clock.
    public func removals(among runs: [Candidate], now: Date) -> [Removal] {
        var reasons: [RunID: String] = [:]
        for (index, run) in runs.enumerated() where run.mayGo {
            if let keepRuns, index >= keepRuns { reasons[run.id] = "it is not among the newest \(keepRuns)" }
            if let keepDays, let ended = run.ended, now.timeIntervalSince(ended) > keepDays * 86_400 {
                reasons[run.id] = "it ended more than \(Self.words(keepDays)) days ago"
            }
        }
        if let quota {
            var left = runs.reduce(0) { $0 + (reasons[$1.id] == nil ? $1.size.count : 0) }
            for run in runs.reversed()
            where left > quota.count && run.mayGo && reasons[run.id] == nil && run.size.count > 0 {
                reasons[run.id] = "all runs' files took more than \(quota.gibibytesText)"
                left -= run.size.count
            }
        }
        return runs.reversed().compactMap { run in
            reasons[run.id].map { Removal(id: run.id, size: run.size, reason: $0) }
        }
    }

    private static func words(_ days: Double) -> String { days == days.rounded() ? "\(Int(days))" : "\(days)" }

    /// The runs that go of those in `state`, oldest first.
    ///
    /// - Throws: `RunStoreError`.
    public func removals(in state: StateDirectory, store: RunStore, now: Date = Date()) throws -> [Removal] {
        if isEmpty { return [] }
        let followed = try store.followed()
        let candidates = try store.list().map { run in
            Candidate(
                id: run.id, size: quota == nil ? Bytes(0) : FolderSize.bytes(of: state.run(run.id).path),
                ended: run.state.isFinal ? run.ended ?? run.submitted : nil, isPinned: run.isPinned,
                isFollowed: followed.contains(run.id))
        }
        return removals(among: candidates, now: now).map { removal in
            var removal = removal
            if quota == nil { removal.size = FolderSize.bytes(of: state.run(removal.id).path) }
            return removal
        }
    }
}
