import Foundation
import Runs
import TestSupport
import Testing

@Suite("The queue", .serialized)
struct QueueTests {
    private struct Desk {
        let folder: TemporaryFolder
        let daemon: RunningProgram
        var state: String { folder.path + "/s" }

        init(_ serve: [String] = []) throws {
            let folder = try TemporaryFolder()
            let daemon = try Program.start(["serve", "--state", folder.path + "/s", "--no-dashboard"] + serve)
            let isUp = Eventually.holds(within: 30) {
                FileManager.default.fileExists(atPath: folder.path + "/s/sockets/control") || !daemon.isRunning
            }
            #expect(isUp && daemon.isRunning, "\(daemon.standardError)")
            (self.folder, self.daemon) = (folder, daemon)
        }

        func launch(_ more: [String] = [], steps: Int = 6, seed: Int = 11) throws -> Program.Outcome {
            let text = JobFixtures.small(steps: steps).replacing("seed: 11", with: "seed: \(seed)")
            let job = try folder.write(text, to: "job-\(steps)-\(seed).yaml")
            return try Program.run(["launch", "wafer", job, "--state", state, "--json"] + more)
        }

        func id(_ more: [String] = [], steps: Int = 6, seed: Int = 11) throws -> String {
            let outcome = try launch(more, steps: steps, seed: seed)
            #expect(outcome.status == 0, "\(outcome.standardError)")
            return try #require(try outcome.json()["run_id"] as? String)
        }

        func run(_ id: String) throws -> Run { try RunStore(readingFrom: state).find(id) }
        func state(of id: String) -> String { (try? run(id).state.name) ?? "" }

        func started(_ id: String) throws -> Date { try #require(try run(id).started) }
    }

    @Test("a run of a higher priority goes before those that wait, and a run after the one that it follows")
    func order() throws {
        let desk = try Desk()
        let first = try desk.id(steps: 100_000)
        #expect(Eventually.holds(within: 60) { desk.state(of: first) == "running" })
        let plain = try desk.id()
        let follower = try desk.id(["--after", plain, "--priority", "50"])
        let urgent = try desk.id(["--priority", "10"], seed: 12)
        #expect(try Program.run(["runs", "cancel", first, "--state", desk.state]).status == 0)
        #expect(
            Eventually.holds(within: 120) { [plain, follower, urgent].allSatisfy { desk.state(of: $0) == "finished" } })
        #expect(try desk.started(urgent) < desk.started(plain))
        #expect(try desk.started(plain) < desk.started(follower))
    }

    @Test("a run that follows one that is cancelled fails, and says why; one that follows a cancelled run is refused")
    func hopeless() throws {
        let desk = try Desk()
        let first = try desk.id(steps: 100_000)
        let follower = try desk.id(["--after", first])
        let last = try desk.id(["--after", follower])
        #expect(Eventually.holds(within: 60) { desk.state(of: first) == "running" })
        #expect(try Program.run(["runs", "cancel", first, "--state", desk.state]).status == 0)
        #expect(Eventually.holds(within: 60) { desk.state(of: last) == "failed" })
        guard case .failed(let reason) = try desk.run(follower).state else {
            Issue.record("it is \(desk.state(of: follower))")
            return
        }
        #expect(reason.contains(first) && reason.contains("cancelled"))
        let refused = try desk.launch(["--after", first])
        #expect(refused.status == 1 && refused.standardError.contains("cancelled"), "\(refused.standardError)")
        #expect(try desk.launch(["--after", "zzzzzzzz"]).status == 1)
    }

    @Test(
        "two runs go on at once, on cores of their own, and are cancelled one by one",
        .enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1))
    func atOnce() throws {
        let desk = try Desk(["--runs-at-once", "2", "--cores-per-run", "1"])
        let first = try desk.id(steps: 100_000)
        let second = try desk.id(steps: 100_000, seed: 12)
        let third = try desk.id(seed: 13)
        #expect(
            Eventually.holds(within: 60) { desk.state(of: first) == "running" && desk.state(of: second) == "running" })
        #expect(desk.state(of: third) == "queued")
        let cores = Leftovers.processes(of: desk.state, kinds: ["worker"]).map { worker in
            let status = (try? String(contentsOfFile: "/proc/\(worker)/status", encoding: .utf8)) ?? ""
            return status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }.map(String.init) ?? ""
        }
        #expect(cores.count == 2 && Set(cores).count == 2, "\(cores)")
        #expect(try Program.run(["runs", "cancel", second, "--state", desk.state]).status == 0)
        #expect(Eventually.holds(within: 60) { desk.state(of: second) == "cancelled" })
        #expect(Eventually.holds(within: 60) { desk.state(of: third) == "finished" })
        #expect(desk.state(of: first) == "running")
        desk.daemon.signal(SIGTERM)
        _ = try desk.daemon.wait(seconds: 60)
        #expect(desk.state(of: first) == "interrupted")
    }

    @Test("who submits twice with one key gets one run; another job by it is refused")
    func idempotency() throws {
        let desk = try Desk()
        let first = try desk.id(["--submission-key", "nightly-1"])
        #expect(try desk.id(["--submission-key", "nightly-1"]) == first)
        let other = try desk.launch(["--submission-key", "nightly-1"], seed: 12)
        #expect(other.status == 1 && other.standardError.contains(first), "\(other.standardError)")
        #expect(RunListing.runs(desk.state).count == 1)
        #expect(try desk.id(["--submission-key", "nightly-2"]) != first)
    }

    @Test("seeds give a run each, and their logs tell who wrote what")
    func seedsAndLogs() throws {
        let desk = try Desk()
        let outcome = try desk.launch(["--seeds", "3,4", "--submission-key", "k"])
        let runs = try #require(try outcome.json()["runs"] as? [[String: Any]])
        #expect(runs.compactMap { $0["seed"] as? Int } == [3, 4])
        let ids = runs.compactMap { $0["run_id"] as? String }
        #expect(try ids.map { try desk.run($0).job.seed } == [3, 4])
        let again = try desk.launch(["--seeds", "3,4", "--submission-key", "k"])
        #expect((try again.json()["runs"] as? [[String: Any]])?.compactMap { $0["run_id"] as? String } == ids)
        #expect(Eventually.holds(within: 60) { ids.allSatisfy { desk.state(of: $0) == "finished" } })
        let log = desk.state + "/runs/\(ids[0])/worker-0.log"
        let handle = try #require(FileHandle(forWritingAtPath: log))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("hello \u{1B}[31m\nno end".utf8))
        try handle.close()
        let followed = try Program.run(["logs", ids[0], "--follow", "--state", desk.state], seconds: 20)
        #expect(followed.status == 0, "\(followed.standardError)")
        #expect(followed.standardOutput.contains("worker 0 | hello "), "\(followed.standardOutput)")
        #expect(followed.standardOutput.contains("worker 0 | no end\n") && !followed.standardOutput.contains("\u{1B}"))
        let other = try Program.run(["logs", ids[0], "--worker", "1", "--state", desk.state])
        #expect(other.status == 0 && other.standardOutput.isEmpty)
        for wrong in ["", "1,1", "x", "1,", "-1"] {
            #expect(try desk.launch(["--seeds=\(wrong)"]).status == 2, "\(wrong)")
        }
    }
}
