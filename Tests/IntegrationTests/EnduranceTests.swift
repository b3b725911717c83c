import TestSupport
import Testing

/// The benches for longer, with a few rounds: what they look at holds, and they look at all of it.
@Suite("Endurance", .serialized)
struct EnduranceTests {
    private func number(_ document: [String: Any], _ key: String) throws -> Int {
        try #require(document[key] as? Int, "\(key) in \(document)")
    }

    @Test("F15, F18: killed while it writes, a daemon leaves a sound database with all that it had on record")
    func kills() throws {
        let outcome = try Program.run(["bench", "kills", "--times", "3", "--seed", "3", "--json"], seconds: 180)
        #expect(outcome.status == 0, "\(outcome.standardError)")
        let result = try outcome.json()
        #expect(try number(result, "kills") == 3)
        #expect(try number(result, "sound_databases") == 3)
        #expect(try number(result, "acknowledged") + number(result, "unanswered") == 3)
        #expect(try number(result, "steps") > 0 && number(result, "events") > 0)
        #expect(try number(result, "finished_runs") >= 1)
    }

    @Test("a round of runs that finish, fail and are cancelled leaves no process, no socket and no child")
    func soak() throws {
        let outcome = try Program.run(["bench", "soak", "--minutes", "0.01", "--json"], seconds: 180)
        #expect(outcome.status == 0, "\(outcome.standardError)")
        let result = try outcome.json()
        let rounds = try number(result, "rounds")
        #expect(rounds >= 1)
        let runs = try #require(result["runs"] as? [String: Int])
        let fates = [
            "finished_cluster", "finished_wafer", "failed", "failed_preparing", "cancelled_running", "cancelled_queued",
        ]
        #expect(runs == Dictionary(uniqueKeysWithValues: fates.map { ($0, rounds) }))
        #expect(try number(result, "stored_runs") == rounds)
        let end = try #require(result["end"] as? [String: Any])
        #expect(try number(end, "children") == 0 && number(end, "descriptors") > 0)
    }
}
