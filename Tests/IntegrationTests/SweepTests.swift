import Foundation
import Runs
import TestSupport
import Testing

@Suite("Sweeps", .serialized)
struct SweepTests {
    private struct Grid {
        let folder = try? TemporaryFolder()
        let file: String
        var state: String { (folder?.path ?? "") + "/s" }

        init(_ axes: String, steps: Int = 6) throws {
            let folder = try #require(folder)
            _ = try folder.write(JobFixtures.small(steps: steps), to: "job.yaml")
            file = try folder.write("job: job.yaml\n" + axes, to: "sweep.yaml")
        }

        func arguments(_ more: [String]) -> [String] {
            ["sweep", file, "--state", state, "--out", (folder?.path ?? "") + "/report"] + more
        }

        func run(_ more: [String] = []) throws -> Program.Outcome { try Program.run(arguments(more)) }

        var runs: [RunSummary] { (try? RunStore(readingFrom: state).list()) ?? [] }
    }

    private static func entries(_ outcome: Program.Outcome) throws -> [[String: Any]] {
        try #require(try outcome.json()["runs"] as? [[String: Any]], "\(outcome.standardError)")
    }

    @Test("makes every run of its grid once, to bits that don't depend on the machine, and one report of all")
    func grid() throws {
        let grid = try Grid("backend: [cluster, wafer]\nworkers: [1, 2]\nglobal_batch: [8, 16]\n")
        let dry = try grid.run(["--dry-run", "--json"])
        let planned = try Self.entries(dry)
        #expect(dry.status == 0 && planned.count == 6)
        #expect(!FileManager.default.fileExists(atPath: grid.state))
        let outcome = try grid.run(["--json"])
        #expect(outcome.status == 0, "\(outcome.standardError)")
        let entries = try Self.entries(outcome)
        #expect(entries.count == 6 && entries.allSatisfy { $0["state"] as? String == "finished" })
        for batch in ["8", "16"] {
            let digests = entries.filter { ($0["values"] as? [String: String])?["global_batch"] == batch }
                .compactMap { $0["weights_digest"] as? String }
            #expect(digests.count == 3 && Set(digests).count == 1)
        }
        let path = try #require(try outcome.json()["report_path"] as? String)
        #expect(try String(contentsOfFile: path, encoding: .utf8).contains("id=\"grid\""))
        // Again: nothing is left to be done.
        let again = try grid.run()
        #expect(again.status == 0 && again.standardOutput.hasSuffix("report.html\n"), "\(again.standardError)")
        #expect(grid.runs.count == 6)
    }

    @Test("interrupted, it ends the run under way with a checkpoint; started again, it goes on there")
    func interrupted() throws {
        let grid = try Grid("backend: wafer\nseed: [1, 2]\n", steps: 400)
        let first = try Program.start(grid.arguments([]))
        #expect(
            Eventually.holds(within: 60) { grid.runs.contains { $0.stepsMade > 3 } }, "\(first.standardError)")
        first.signal(SIGINT)
        #expect(try first.wait(seconds: 60).status == 130)
        #expect(grid.runs.map(\.state) == [.cancelled])
        let made = try #require(grid.runs.first?.stepsMade)
        let outcome = try grid.run(["--json"])
        #expect(outcome.status == 0, "\(outcome.standardError)")
        #expect(grid.runs.count == 2 && grid.runs.allSatisfy { $0.state == .finished && $0.stepsMade == 400 })
        let store = try RunStore(readingFrom: grid.state)
        let oldest = try #require(grid.runs.last)
        let events = try store.record(of: oldest.id).events
        #expect(events.contains { $0.message.contains("goes on from the checkpoint") }, "\(events.map(\.message))")
        #expect(made > 0 && Leftovers.processes(of: grid.state).isEmpty)
    }

    @Test("B2, B5: what is wrong is told a line each, and nothing is started")
    func refused() throws {
        let grid = try Grid("workers: [0, 9]\nhardware: [dgx9]\nwokers: 1\n")
        let outcome = try grid.run()
        let lines = outcome.standardError.split(separator: "\n")
        #expect(outcome.status == 2 && lines.count == 3, "\(outcome.standardError)")
        #expect(lines.allSatisfy { $0.contains("sweep.yaml:") && $0.contains("allowed: ") }, "\(lines)")
        #expect(!FileManager.default.fileExists(atPath: grid.state))
        #expect(try Program.run(["sweep", grid.file + "x", "--state", grid.state]).status == 2)
    }
}
