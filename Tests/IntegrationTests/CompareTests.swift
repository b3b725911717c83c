import Foundation
import Jobs
import Runs
import TestSupport
import Testing

@Suite("wafermark compare", .serialized)
struct CompareTests {
    @Test(
        "gives the same bits on the wafer and on clusters of 1, 2, 3 and 4 workers, with buckets of any size",
        arguments: zip([1, 2, 3, 4], ["1", "0.001", "0.03", "256"]))
    func sameBits(workers: Int, bucket: String) throws {
        let folder = try TemporaryFolder()
        let job = try folder.write(JobFixtures.small(), to: "job.yaml")
        let outcome = try Program.run(
            [
                "compare", job, "--workers", "\(workers)", "--bucket-mebibytes", bucket, "--state", folder.path + "/s",
                "--out", folder.path + "/out", "--json",
            ])
        #expect(outcome.status == 0, "\(outcome.standardError)")
        let summary = try outcome.json()
        #expect(summary["bit_identical"] as? Bool == true)
        let cluster = try #require(summary["cluster"] as? [String: Any])
        let wafer = try #require(summary["wafer"] as? [String: Any])
        #expect(cluster["weights_digest"] as? String == wafer["weights_digest"] as? String)
        #expect(cluster["steps"] as? Int == 12)
        let first = try #require(cluster["first_loss"] as? Double)
        let last = try #require(cluster["final_loss"] as? Double)
        #expect(last < first)
        let report = try #require(summary["report_path"] as? String)
        #expect(FileManager.default.fileExists(atPath: report))
        #expect(Leftovers.processes(of: folder.path).isEmpty)
        #expect(Leftovers.sockets(of: folder.path + "/s").isEmpty)
    }

    @Test("variants: trains each under every seed, a sparse one on the cluster to the same bits, and tells the spread")
    func variants() throws {
        let folder = try TemporaryFolder()
        let job = try folder.write(
            JobFixtures.small() + "\nsparsity: { density: 0.5, method: regrow, update_every: 3 }\n", to: "job.yaml")
        let outcome = try Program.run(
            [
                "compare", job, "--wafer-variants", "dense,sparse75", "--seeds", "2", "--workers", "3", "--algorithm",
                "ring", "--transport", "tcp", "--lane-shares", "even", "--bucket-mebibytes", "0.03125", "--state",
                folder.path + "/s", "--out", folder.path + "/out", "--json",
            ], seconds: 240)
        #expect(outcome.status == 0, "\(outcome.standardError)")
        let report = try outcome.json()
        let variants = try #require(report["variants"] as? [[String: Any]])
        #expect(variants.compactMap { $0["name"] as? String } == ["dense", "sparse75"])
        #expect(variants.allSatisfy { ($0["runs"] as? [Any])?.count == 2 })
        let sparsity = try #require(variants[1]["sparsity"] as? [String: Any])
        #expect(sparsity["method"] as? String == "regrow" && sparsity["density"] as? Double == 0.25)
        let identity = try #require(report["identity"] as? [[String: Any]])
        #expect(identity.count == 1 && identity[0]["bit_identical"] as? Bool == true, "\(identity)")
        for name in ["variants.html", "variants.json", "variants.md"] {
            #expect(FileManager.default.fileExists(atPath: folder.path + "/out/" + name))
        }
        let store = try RunStore(readingFrom: folder.path + "/s")
        let clusters = try store.list().filter { $0.backend == .cluster }.map { try store.run($0.id) }
        let asked = try ExchangeSettings(algorithm: .ring, transport: .tcp, laneShares: .even, bucket: Bytes(32_768))
        #expect(clusters.map(\.exchange) == [asked])
        let refused = try Program.run(["compare", job, "--wafer-variants", "dense,sparse100"])
        #expect(refused.status == 2 && refused.standardError.contains("sparse100"), "\(refused.standardError)")
    }

    @Test("Ctrl-C ends the workers, marks the run as cancelled and exits with 130")
    func interrupt() throws {
        let folder = try TemporaryFolder()
        let state = folder.path + "/s"
        let job = try folder.write(JobFixtures.small(steps: 100_000), to: "job.yaml")
        let compare = try Program.start(
            ["compare", job, "--workers", "2", "--state", state, "--out", folder.path + "/out"])
        #expect(
            Eventually.holds(within: 60) { RunListing.states(state).contains("running") }, "\(compare.standardError)")
        compare.signal(SIGINT)
        let outcome = try compare.wait(seconds: 30)
        #expect(outcome.status == 130, "\(outcome.standardError)")
        #expect(RunListing.states(state) == ["cancelled"])
        #expect(Leftovers.processes(of: folder.path).isEmpty)
        #expect(Leftovers.sockets(of: state).isEmpty)
    }
}

/// What `runs list` says.
enum RunListing {
    /// The states of all runs, newest first; empty where the program says nothing yet.
    static func states(_ state: String) -> [String] {
        runs(state).compactMap { $0["state"] as? String }
    }

    /// All runs, newest first.
    static func runs(_ state: String) -> [[String: Any]] {
        guard let outcome = try? Program.run(["runs", "list", "--state", state, "--json"]), outcome.status == 0,
            let runs = try? outcome.json()["runs"] as? [[String: Any]]
        else { return [] }
        return runs
    }
}
