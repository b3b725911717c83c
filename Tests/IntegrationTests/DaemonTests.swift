import Coordinator
import Foundation
import Jobs
import Runs
import TestSupport
import Testing

@Suite("The daemon", .serialized)
struct DaemonTests {
    private func serve(_ state: String, _ more: [String] = []) throws -> RunningProgram {
        let daemon = try Program.start(["serve", "--state", state] + more)
        let isUp = Eventually.holds(within: 30) {
            FileManager.default.fileExists(atPath: state + "/sockets/control") || !daemon.isRunning
        }
        #expect(isUp && daemon.isRunning, "\(daemon.standardError)")
        return daemon
    }

    private func launch(_ backend: String, _ job: String, _ state: String, _ more: [String] = []) throws -> String {
        let outcome = try Program.run(["launch", backend, job, "--state", state, "--json"] + more)
        #expect(outcome.status == 0, "\(outcome.standardError)")
        return try #require(try outcome.json()["run_id"] as? String)
    }

    @Test("stops cleanly when asked", arguments: [SIGINT, SIGTERM])
    func stopsCleanly(signal: Int32) throws {
        let folder = try TemporaryFolder()
        let daemon = try serve(folder.path + "/s")
        daemon.signal(signal)
        let outcome = try daemon.wait(seconds: 20)
        #expect(outcome.status == 0, "\(outcome.standardError)")
        #expect(Leftovers.sockets(of: folder.path + "/s").isEmpty)
    }

    @Test("a run that was made for its times alone leaves its record with who asked, and nothing else")
    func measurement() async throws {
        let folder = try TemporaryFolder()
        let state = StateDirectory(path: folder.path + "/s")
        let daemon = try serve(state.path)
        let job = try JobFile.read(folder.write(JobFixtures.small(steps: 6), to: "job.yaml"))
        let runs = FollowedRuns(client: DaemonClient(state: state), state: state)
        let record = try await runs.measurement(of: job, on: .cluster, workers: 2)
        #expect(record.steps.count == 6, "\(daemon.standardError)")
        #expect(try RunStore(readingFrom: state.path).list().isEmpty)
        #expect(!FileManager.default.fileExists(atPath: state.run(record.run.id).path))
    }

    @Test("B18, F17: a second one on the same state directory is refused and names the first")
    func secondDaemonIsRefused() throws {
        let folder = try TemporaryFolder()
        let daemon = try serve(folder.path + "/s")
        let second = try Program.run(["serve", "--state", folder.path + "/s"], seconds: 20)
        #expect(second.status == 1)
        #expect(second.standardError.contains("already runs"))
        #expect(second.standardError.contains("\(daemon.processID)"))
        #expect(daemon.isRunning)
    }

    @Test("F19: a port that is taken is named")
    func busyPort() throws {
        let folder = try TemporaryFolder()
        let taken = try TakenPort()
        let outcome = try Program.run(
            ["serve", "--state", folder.path + "/s", "--listen", "tcp://127.0.0.1:\(taken.number)"], seconds: 20)
        #expect(outcome.status == 1)
        #expect(outcome.standardError.contains("\(taken.number)"))
        #expect(outcome.standardError.contains("in use"))
    }

    @Test("F15: one that was killed leaves no orphan and comes back knowing its runs, the broken one as interrupted")
    func killedDaemon() throws {
        let folder = try TemporaryFolder()
        let state = folder.path + "/s"
        let first = try serve(state)
        let short = try launch("wafer", try folder.write(JobFixtures.small(steps: 6), to: "short.yaml"), state)
        #expect(Eventually.holds(within: 60) { RunListing.states(state) == ["finished"] }, "\(first.standardError)")
        let long = try launch("cluster", try folder.write(JobFixtures.small(steps: 100_000), to: "long.yaml"), state)
        #expect(Eventually.holds(within: 60) { (steps(of: long, state) ?? 0) > 0 }, "\(first.standardError)")
        first.signal(SIGKILL)
        #expect(Eventually.holds(within: 20) { Leftovers.processes(of: state).isEmpty })
        let second = try serve(state)
        let isKnown = Eventually.holds(within: 20) {
            let states = RunListing.runs(state).map { ($0["run_id"] as? String, $0["state"] as? String) }
            return Dictionary(states) { first, _ in first } == [short: "finished", long: "interrupted"]
        }
        #expect(isKnown, "\(RunListing.runs(state))")
        second.signal(SIGTERM)
        #expect(try second.wait(seconds: 20).status == 0)
    }

    @Test("runs are cancelled and deleted, with their files")
    func cancelAndDelete() throws {
        let folder = try TemporaryFolder()
        let state = folder.path + "/s"
        let daemon = try serve(state)
        let job = try folder.write(JobFixtures.small(steps: 100_000), to: "job.yaml")
        let running = try launch("wafer", job, state)
        let waiting = try launch("wafer", job, state)
        #expect(Eventually.holds(within: 60) { (steps(of: running, state) ?? 0) > 0 }, "\(daemon.standardError)")
        #expect(try Program.run(["runs", "delete", running, "--state", state]).status == 1)
        #expect(try Program.run(["runs", "cancel", waiting, "--state", state]).status == 0)
        #expect(try Program.run(["runs", "cancel", running, "--state", state]).status == 0)
        #expect(Eventually.holds(within: 20) { RunListing.states(state) == ["cancelled", "cancelled"] })
        #expect(try Program.run(["runs", "delete", running, "--state", state]).status == 0)
        #expect(RunListing.runs(state).map { $0["run_id"] as? String } == [waiting])
        #expect(!FileManager.default.fileExists(atPath: state + "/runs/\(running)"))
    }

    private func steps(of id: String, _ state: String) -> Int? {
        RunListing.runs(state).first { $0["run_id"] as? String == id }?["steps_made"] as? Int
    }
}

/// A TCP port of the loopback interface that is in use while this lives.
final class TakenPort {
    /// Its number.
    let number: UInt16
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRNOTAVAIL) }
        number = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }
}
