import Foundation
import Runs
import TestSupport
import Testing

/// A daemon that takes clients and workers of other hosts, by keys; here they are all on this one.
@Suite("Other hosts", .serialized)
struct RemoteTests {
    private struct Site {
        let folder: TemporaryFolder
        let daemon: RunningProgram
        let address: String
        var state: String { folder.path + "/s" }

        func key(_ name: String) -> String { folder.path + "/\(name).key" }
        func daemon(as name: String) -> [String] { ["--daemon", address, "--key", key(name)] }

        init(_ more: [String] = []) throws {
            let folder = try TemporaryFolder()
            for (name, role) in [("alice", "submit"), ("bob", "observe"), ("node", "worker")] {
                let made = try Program.run(
                    [
                        "keys", "new", name, "--role", role, "--state", folder.path + "/s", "--out",
                        folder.path + "/\(name).key",
                    ])
                #expect(made.status == 0, "\(made.standardError)")
            }
            let daemon = try Program.start(
                [
                    "serve", "--state", folder.path + "/s", "--no-dashboard", "--listen", "tcp://127.0.0.1:0",
                    "--workers-listen", "tcp://127.0.0.1:0", "--launcher", "external",
                ] + more)
            var address = ""
            let isUp = Eventually.holds(within: 30) {
                let said = daemon.standardError
                guard let start = said.range(of: "tcp://127.0.0.1:"),
                    let end = said[start.lowerBound...].firstIndex(where: \.isNewline)
                else { return !daemon.isRunning }
                address = String(said[start.lowerBound..<end])
                return true
            }
            #expect(isUp && daemon.isRunning && !address.isEmpty, "\(daemon.standardError)")
            (self.folder, self.daemon, self.address) = (folder, daemon, address)
        }

        func worker() throws -> RunningProgram {
            try Program.start(["worker"] + daemon(as: "node") + ["--wait-seconds", "60"])
        }

        /// What every process of this machine has in its arguments.
        var processList: String {
            ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap(Int.init)
                .compactMap { FileManager.default.contents(atPath: "/proc/\($0)/cmdline") }
                .map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
        }

        /// The secret halves of all keys that were handed out.
        func secrets() throws -> [String] {
            try ["alice", "bob", "node"].map { name in
                let text = try String(contentsOfFile: key(name), encoding: .utf8)
                let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("secret ") })
                return String(line.dropFirst("secret ".count))
            }
        }
    }

    @Test("workers of other hosts train to the bits of a wafer, and no secret is seen on the way")
    func training() throws {
        let reference = try ElasticRun.reference(steps: 12)
        let site = try Site()
        let workers = try (0..<2).map { _ in try site.worker() }
        let job = try site.folder.write(
            JobFixtures.small(steps: 12) + "\ncheckpoints: { every_steps: 4 }\n", to: "job.yaml")
        let launched = try Program.run(
            ["launch", "cluster", job, "--workers", "2", "--json"] + site.daemon(as: "alice"))
        #expect(launched.status == 0, "\(launched.standardError)")
        let id = try #require(try launched.json()["run_id"] as? String)
        var seen = ""
        let isOver = Eventually.holds(within: 120) {
            seen += site.processList
            return ["finished", "failed"].contains(RunListing.states(site.state).first ?? "")
        }
        let store = try RunStore(readingFrom: site.state)
        let record = try store.record(of: store.id(startingWith: id))
        #expect(isOver && record.run.outcome?.weightsDigest == reference.digest, "\(record.events.map(\.message))")
        #expect(record.steps.map(\.loss.bitPattern) == reference.losses)
        #expect(record.run.exchange?.transport == .tcp)
        for worker in workers {
            let outcome = try worker.wait(seconds: 30)
            #expect(outcome.status == 0, "\(outcome.standardError)")
        }
        // As an observer sees it.
        let shown = try Program.run(["runs", "show", id] + site.daemon(as: "bob"))
        #expect((try shown.json()["run"] as? [String: Any])?["state"] as? String == "finished")
        site.daemon.signal(SIGTERM)
        let end = try site.daemon.wait(seconds: 20)
        for secret in try site.secrets() {
            #expect(!seen.contains(secret), "a secret is in the process list")
            #expect(!end.standardError.contains(secret), "a secret is in the log")
        }
    }

    @Test("F1: a worker of another host is killed, another one joins, and the bits are the same")
    func lostWorker() throws {
        let reference = try ElasticRun.reference(steps: 400)
        let site = try Site(["--heartbeat-seconds", "2"])
        let workers = try (0..<2).map { _ in try site.worker() }
        let job = try site.folder.write(
            JobFixtures.small(steps: 400) + "\ncheckpoints: { every_steps: 4 }\n", to: "job.yaml")
        let launched = try Program.run(
            ["launch", "cluster", job, "--workers", "2", "--json"] + site.daemon(as: "alice"))
        let id = try #require(try launched.json()["run_id"] as? String)
        let store = try RunStore(readingFrom: site.state)
        func record() throws -> RunRecord { try store.record(of: store.id(startingWith: id)) }
        #expect(Eventually.holds(within: 60) { ((try? record().steps.count) ?? 0) > 3 })
        workers[0].signal(SIGKILL)
        let replacement = try site.worker()
        #expect(
            Eventually.holds(within: 180) { RunListing.states(site.state).first == "finished" },
            "\(site.daemon.standardError)")
        let end = try record()
        #expect(end.run.outcome?.weightsDigest == reference.digest)
        #expect(end.events.contains { $0.kind == .workerLost })
        #expect(end.events.filter { $0.kind == .workerJoined }.count >= 3)
        #expect(try replacement.wait(seconds: 30).status == 0)
    }

    @Test("B12: what a role does not permit is refused, and so is a key that was revoked, at its next request")
    func roles() throws {
        let site = try Site()
        let job = try site.folder.write(JobFixtures.small(), to: "job.yaml")
        #expect(try Program.run(["runs", "list"] + site.daemon(as: "bob")).status == 0)
        let launch = try Program.run(["launch", "wafer", job] + site.daemon(as: "bob"))
        #expect(launch.status == 1 && launch.standardError.contains("observe"), "\(launch.standardError)")
        let work = try Program.run(["worker"] + site.daemon(as: "alice"), seconds: 20)
        #expect(work.status == 2 && work.standardError.contains("worker is needed"), "\(work.standardError)")
        let look = try Program.run(["runs", "list"] + site.daemon(as: "node"))
        #expect(look.status == 1 && look.standardError.contains("worker"), "\(look.standardError)")
        #expect(RunListing.states(site.state).isEmpty)
        let revoked = try Program.run(["keys", "revoke", "bob", "--state", site.state])
        #expect(revoked.status == 0)
        let gone = try Program.run(["runs", "list"] + site.daemon(as: "bob"), seconds: 30)
        #expect(gone.status == 1 && gone.standardError.contains("refuses this key"), "\(gone.standardError)")
        #expect(Eventually.holds(within: 5) { site.daemon.standardError.contains("refused: a key was refused") })
        #expect(try Program.run(["runs", "list"] + site.daemon(as: "alice")).status == 0)
    }

    @Test("B12: another daemon's key is refused, and one without a key is not heard")
    func strangers() throws {
        let site = try Site()
        let other = site.folder.path + "/other.key"
        let made = try Program.run(
            ["keys", "new", "eve", "--role", "submit", "--keys", site.folder.path + "/k", "--out", other])
        #expect(made.status == 0)
        let eve = try Program.run(["runs", "list", "--daemon", site.address, "--key", other], seconds: 40)
        #expect(eve.status == 1 && eve.standardError.contains("did not answer"), "\(eve.standardError)")
        let nobody = try Program.run(["runs", "list", "--daemon", site.address], seconds: 40)
        #expect(nobody.status == 1 && nobody.standardError.contains("did not answer"), "\(nobody.standardError)")
        #expect(site.daemon.isRunning)
    }

    @Test("an address beyond this host is refused before anything starts, unless keys were made")
    func keysAreRequired() throws {
        let folder = try TemporaryFolder()
        for more in [
            ["--listen", "tcp://0.0.0.0:0"], ["--launcher", "external", "--workers-listen", "tcp://0.0.0.0:0"],
        ] {
            let outcome = try Program.run(
                ["serve", "--state", folder.path + "/s", "--no-dashboard"] + more, seconds: 20)
            #expect(outcome.status == 2 && outcome.standardError.contains("keys new"), "\(outcome.standardError)")
        }
        let client = try Program.run(["runs", "list", "--daemon", "tcp://192.0.2.1:5555"], seconds: 20)
        #expect(client.status == 2 && client.standardError.contains("keys new"), "\(client.standardError)")
    }

    @Test("a key file that others may read keeps the daemon from starting, and a client from asking")
    func exposedKeys() throws {
        let folder = try TemporaryFolder()
        let key = folder.path + "/a.key"
        #expect(
            try Program.run(["keys", "new", "a", "--role", "submit", "--state", folder.path + "/s", "--out", key])
                .status == 0)
        for file in [folder.path + "/s/keys/server.key", folder.path + "/s/keys/clients"] {
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
            let outcome = try Program.run(["serve", "--state", folder.path + "/s", "--no-dashboard"], seconds: 20)
            #expect(outcome.status == 2 && outcome.standardError.contains("mode 644"), "\(outcome.standardError)")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: key)
        let client = try Program.run(["runs", "list", "--daemon", "tcp://127.0.0.1:1", "--key", key], seconds: 20)
        #expect(client.status == 2 && client.standardError.contains("mode 640"), "\(client.standardError)")
    }

    @Test("what Kubernetes needs is written once, with keys that are their owner's alone")
    func kubernetes() throws {
        let folder = try TemporaryFolder()
        let job = try folder.write(
            JobFixtures.small(corpus: "text: /data/abstracts.txt"), to: "job.yaml")
        let out = folder.path + "/k"
        let arguments = ["deploy", "kubernetes", job, "--out", out, "--workers", "2", "--image", "r.example/w:1"]
        let outcome = try Program.run(arguments)
        #expect(outcome.status == 0, "\(outcome.standardError)")
        for file in ["server.key", "clients", "submit.key", "worker.key"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(out)/keys/\(file)")
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600, "\(file)")
        }
        let keys = try Program.run(["keys", "list", "--keys", out + "/keys", "--json"])
        #expect((try keys.json()["keys"] as? [Any])?.count == 2)
        #expect(try Program.run(arguments).status == 2, "a folder that is there is left alone")
        let many = try Program.run(["deploy", "kubernetes", job, "--out", folder.path + "/m", "--workers", "9"])
        #expect(many.status == 2 && many.standardError.contains("lanes"), "\(many.standardError)")
    }
}
