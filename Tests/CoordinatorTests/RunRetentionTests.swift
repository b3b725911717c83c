import Coordinator
import Foundation
import Jobs
import Testing

@Suite("Which stored runs are kept")
struct RunRetentionTests {
    private let now = Date(timeIntervalSince1970: 1_795_000_000)

    private func run(
        _ id: String, daysAgo: Double?, mebibytes: Int = 1, isPinned: Bool = false, isFollowed: Bool = false
    ) throws -> RunRetention.Candidate {
        RunRetention.Candidate(
            id: try #require(RunID("0000000" + id)), size: .mebibytes(mebibytes),
            ended: daysAgo.map { now.addingTimeInterval(-86_400 * $0) }, isPinned: isPinned, isFollowed: isFollowed)
    }

    private func gone(_ retention: RunRetention, _ runs: [RunRetention.Candidate]) -> [String] {
        retention.removals(among: runs, now: now).map { String($0.id.text.suffix(1)) }
    }

    @Test("the newest so many stay, and of the others those that are under way, pinned or followed")
    func count() throws {
        let runs = [
            try run("7", daysAgo: nil), try run("6", daysAgo: 0), try run("5", daysAgo: 1), try run("4", daysAgo: nil),
            try run("3", daysAgo: 2, isPinned: true), try run("2", daysAgo: 3, isFollowed: true),
            try run("1", daysAgo: 4),
        ]
        #expect(gone(RunRetention(keepRuns: 2), runs) == ["1", "5"])
        #expect(gone(RunRetention(keepRuns: 0), runs) == ["1", "5", "6"])
        #expect(gone(RunRetention(keepRuns: 7), runs).isEmpty)
        #expect(gone(RunRetention(), runs).isEmpty)
    }

    @Test("those go that ended longer ago; F29: one that ended in the future, by a clock that was set back, stays")
    func age() throws {
        let runs = [
            try run("4", daysAgo: -1), try run("3", daysAgo: 6.9), try run("2", daysAgo: 7.1),
            try run("1", daysAgo: nil),
        ]
        #expect(gone(RunRetention(keepDays: 7), runs) == ["2"])
        #expect(gone(RunRetention(keepDays: 0), runs) == ["2", "3"])
    }

    @Test("the oldest go until the files fit, those without files last; what may not go counts, too")
    func quota() throws {
        let runs = [
            try run("5", daysAgo: 0, mebibytes: 4), try run("4", daysAgo: 1, mebibytes: 4),
            try run("3", daysAgo: 2, mebibytes: 4, isPinned: true), try run("2", daysAgo: 3, mebibytes: 0),
            try run("1", daysAgo: 4, mebibytes: 4),
        ]
        #expect(gone(RunRetention(quota: .mebibytes(16)), runs).isEmpty)
        #expect(gone(RunRetention(quota: .mebibytes(15)), runs) == ["1"])
        #expect(gone(RunRetention(quota: .mebibytes(8)), runs) == ["1", "4"])
        #expect(gone(RunRetention(quota: Bytes(0)), runs) == ["1", "4", "5"])
        // What goes for another reason makes room.
        #expect(gone(RunRetention(keepDays: 3.5, quota: .mebibytes(12)), runs) == ["1"])
        let reasons = RunRetention(keepDays: 3.5, quota: .mebibytes(8)).removals(among: runs, now: now).map(\.reason)
        #expect(reasons[0].contains("3.5 days") && reasons[1].contains("files took more than"))
    }
}
