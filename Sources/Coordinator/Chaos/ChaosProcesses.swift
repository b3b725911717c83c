import Cluster
import Foundation
import Jobs
import Runs

/// The processes of a bench: a daemon on a state directory of its own, and workers, found by their command lines.
struct ChaosProcesses: Sendable {
    let state: StateDirectory
    let executable: String
    /// The daemon's options. Its deadlines are short in a chaos bench, so that faults are found while the bench looks.
    var serving = ["--heartbeat-seconds", "3", "--collective-seconds", "20", "--stall-seconds", "2", "--no-dashboard"]

    private var daemonArguments: [String] { ["serve", "--state", state.path] + serving }

    /// Runs a daemon until it ends; its number is told once it has one.
    func serve(started: @escaping @Sendable (Int32) -> Void) async throws {
        _ = try await run(daemonArguments, log: state.path + ".daemon.log", started: started)
    }

    /// Runs a worker that joins run `id` by itself, until it ends.
    func join(_ id: RunID) async throws {
        _ = try await run(
            ["worker", "--join", state.workersEndpoint(of: id)], log: state.path + ".joined.log", started: { _ in })
    }

    private func run(
        _ arguments: [String], log: String, started: @escaping @Sendable (Int32) -> Void
    ) async throws -> WorkerExit {
        try await LocalLauncher(grace: .seconds(10)).run(
            WorkerCommand(
                rank: WorkerRank(0), executable: executable, arguments: arguments, environment: [:], log: log),
            started: started)
    }

    /// The workers and preparations that run for the state directory now.
    func workers() -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).filter { process in
            guard let data = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
            let words = String(decoding: data, as: UTF8.self).split(separator: "\0")
            return words.contains { $0.contains(state.path + "/") }
                && (words.contains("worker") || words.contains("prepare-dataset"))
        }.sorted()
    }

    /// Sockets that are left of runs that have ended.
    func leftSockets() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: state.sockets)) ?? []
        return names.filter { $0 != "control" }.sorted()
    }
}
