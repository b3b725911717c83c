import Foundation
import TestSupport
import Testing

@Suite("Runs moved between machines")
struct RunMoveTests {
    @Test("a comparison's runs are exported, imported elsewhere, told apart and reported on")
    func exportImportDiff() throws {
        let folder = try TemporaryFolder()
        let job = try folder.write(JobFixtures.small(), to: "job.yaml")
        let compared = try Program.run(
            ["compare", job, "--workers", "2", "--state", folder.path + "/here", "--out", folder.path + "/r", "--json"])
        #expect(compared.status == 0, "\(compared.standardError)")
        let ids = try ["cluster", "wafer"].map { side in
            try #require((try compared.json()[side] as? [String: Any])?["run_id"] as? String)
        }
        let files = ids.map { folder.path + "/\($0).json" }
        for (id, file) in zip(ids, files) {
            let exported = try Program.run(["runs", "export", id, "--state", folder.path + "/here", "--out", file])
            #expect(exported.status == 0, "\(exported.standardError)")
        }
        let there = ["--state", folder.path + "/there"]
        let imported = try Program.run(["runs", "import"] + files + there)
        #expect(imported.status == 0, "\(imported.standardError)")
        let again = try Program.run(["runs", "import", files[0]] + there)
        #expect(again.status == 2 && again.standardError.contains("is there already"))

        let difference = try Program.run(["diff", ids[0], ids[1], "--json"] + there)
        #expect(difference.status == 0, "\(difference.standardError)")
        let document = try difference.json()
        #expect(document["bit_identical"] as? Bool == true)
        let keys = (document["configuration"] as? [[String: Any]])?.compactMap { $0["key"] as? String }
        #expect(
            keys == [
                "run.algorithm", "run.backend", "run.bucket_bytes", "run.lane_shares", "run.transport", "run.workers",
            ])
        let report = try Program.run(["report"] + ids + ["--format", "json"] + there)
        #expect(report.status == 0, "\(report.standardError)")

        let text = try String(contentsOfFile: files[0], encoding: .utf8)
        let changed = try folder.write(text.replacingOccurrences(of: "finished", with: "finishee"), to: "changed.json")
        let refused = try Program.run(["runs", "import", changed, "--state", folder.path + "/third"])
        #expect(refused.status == 2, "\(refused.standardError)")
        let missing = try Program.run(["runs", "import", folder.path + "/none.json"] + there)
        #expect(missing.status == 2 && missing.standardError.contains("none.json"))
    }
}
