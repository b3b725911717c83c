import Foundation
import Jobs
import Runs
import TestSupport
import Testing

@Suite("Limits, retention and logs", .serialized)
struct LimitTests {
    private func failure(_ run: ElasticRun) throws -> String {
        #expect(
            Eventually.holds(within: 60) { (try? run.record())?.run.state.isFinal ?? false }, "\(run.words)")
        guard case .failed(let reason) = try run.record().run.state else {
            Issue.record("\(try run.record().run.state)")
            return ""
        }
        #expect(Eventually.holds(within: 20) { Leftovers.processes(of: run.state).isEmpty })
        return reason
    }

    @Test("a run whose time is up ends with a checkpoint, and says how to go on")
    func time() throws {
        let run = try ElasticRun(
            steps: 400, workers: 2, launch: ["--max-minutes", "0.2"],
            environment: ["WAFERMARK_FAULTS": "slow@forward:0"])
        let reason = try failure(run)
        #expect(reason.contains("its limit of time is up: 12.0 s"), "\(reason)")
        #expect(run.stepsMade < 400 && !run.checkpoints.isEmpty, "\(run.stepsMade)")
    }

    @Test("a run whose processes take more memory than they may is ended, and says how much")
    func memory() throws {
        // A process of this program alone takes more; what the model needs at least is far less.
        let run = try ElasticRun(steps: 100_000, workers: 1, launch: ["--max-memory-gib", "0.01"])
        #expect(try failure(run).contains("of memory; its limit is 10.24 MiB"))
    }

    @Test("a run whose files take more than they may is ended")
    func disk() throws {
        let run = try ElasticRun(steps: 100_000, workers: 1, launch: ["--max-disk-gib", "0.0025"])
        #expect(try failure(run).contains("its files take"))
    }

    @Test("what can't fit is refused before anything is started, by the launch and by the daemon")
    func refused() throws {
        let run = try ElasticRun(steps: 6, workers: 1, serve: ["--max-workers", "2", "--max-minutes", "30"])
        try run.waitForEnd()
        #expect(try run.record().run.limits == RunLimits(time: HostSeconds(1_800), workers: 2))
        let folder = try TemporaryFolder()
        let job = try folder.write(JobFixtures.small(), to: "job.yaml")
        let large = try folder.write(
            JobFixtures.small().replacing("layers: 2, hidden: 64", with: "layers: 24, hidden: 1024"), to: "large.yaml")
        for (arguments, status, word) in [
            (["cluster", job, "--workers", "3"], 1, "its limit is 2"),
            (["wafer", large, "--max-memory-gib", "2"], 2, "GiB of memory or more"),
            (["wafer", large, "--max-disk-gib", "2"], 2, "GiB of disk or more"),
            (["wafer", job, "--max-memory-gib=-1"], 2, "0.001 to 1000000"),
            (["wafer", job, "--max-minutes", "nan"], 2, "0.01 to 1000000"),
        ] as [([String], Int32, String)] {
            let outcome = try Program.run(["launch"] + arguments + ["--state", run.state])
            #expect(outcome.status == status && outcome.standardError.contains(word), "\(outcome.standardError)")
        }
        #expect(try RunStore(readingFrom: run.state).count() == 1)
    }

    @Test("a daemon keeps the newest runs and the pinned ones; prune says first what it would remove")
    func retention() throws {
        let folder = try TemporaryFolder()
        let state = folder.path + "/s"
        let job = try folder.write(JobFixtures.small(steps: 6), to: "job.yaml")
        func compare(_ seed: Int) throws -> [String] {
            let text = JobFixtures.small(steps: 6).replacing("seed: 11", with: "seed: \(seed)")
            let job = try folder.write(text, to: "job-\(seed).yaml")
            let outcome = try Program.run(["compare", job, "--state", state, "--out", folder.path + "/r", "--json"])
            #expect(outcome.status == 0, "\(outcome.standardError)")
            return try ["cluster", "wafer"].map { side in
                try #require((try outcome.json()[side] as? [String: Any])?["run_id"] as? String)
            }
        }
        let old = try compare(1)
        let new = try compare(2)
        #expect(try Program.run(["runs", "pin", old[0], "--state", state]).status == 0)
        #expect(try Program.run(["runs", "list", "--state", state]).standardOutput.contains("finished, pinned"))
        let dry = try Program.run(["runs", "prune", "--keep-runs", "1", "--dry-run", "--json", "--state", state])
        let victims = try #require(try dry.json()["runs"] as? [[String: Any]])
        #expect(victims.compactMap { $0["run_id"] as? String } == [old[1], new[0]])
        #expect(victims.allSatisfy { $0["bytes"] as? Int ?? 0 > 0 })
        #expect(try RunStore(readingFrom: state).count() == 4)
        #expect(try Program.run(["runs", "prune", "--state", state]).status == 2)
        #expect(try Program.run(["runs", "prune", "--keep-runs", "2", "--state", state]).status == 0)
        #expect(Set(try RunStore(readingFrom: state).list().map(\.id.text)) == Set([old[0]] + new))
        #expect(!FileManager.default.fileExists(atPath: state + "/runs/\(old[1])"))
        // The daemon does so by itself once a run has ended.
        let daemon = try Program.start(["serve", "--state", state, "--no-dashboard", "--keep-runs", "1"])
        #expect(Eventually.holds(within: 30) { FileManager.default.fileExists(atPath: state + "/sockets/control") })
        let launched = try Program.run(["launch", "wafer", job, "--state", state])
        let last = launched.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(
            Eventually.holds(within: 60) {
                Set(((try? RunStore(readingFrom: state).list()) ?? []).map(\.id.text)) == [old[0], last]
            }, "\(daemon.standardError)")
    }

    @Test("B16: with --log-format json every line of the daemon and of a run's processes is an object of its own")
    func logs() throws {
        let run = try ElasticRun(
            steps: 8, workers: 2, serve: ["--log-format", "json"],
            environment: ["WAFERMARK_FAULTS": "exit1:1@exchange:3"])
        try run.waitForEnd()
        func objects(_ text: String) throws -> [[String: Any]] {
            try text.split(separator: "\n").map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
            }
        }
        let daemon = try objects(run.daemon.standardError)
        #expect(daemon.allSatisfy { $0["time"] is String && $0["level"] is String && $0["message"] is String })
        #expect(
            daemon.contains {
                $0["run"] as? String == run.id && $0["rank"] as? Int == 1 && $0["level"] as? String == "warning"
            })
        let own = try String(contentsOfFile: run.state + "/runs/\(run.id)/coordinator.log", encoding: .utf8)
        let events = try objects(own)
        #expect(events.count == run.events.count)
        #expect(events.allSatisfy { $0["run"] as? String == run.id && ($0["time"] as? String)?.hasSuffix("Z") == true })
        let shown = try Program.run(["logs", run.id, "--state", run.state])
        #expect(shown.standardOutput.contains("coordinator | {\"time\":"), "\(shown.standardOutput)")
    }
}
