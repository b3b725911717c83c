import Coordinator
import Foundation
import Jobs
import Runs
import TestSupport
import Testing

/// A daemon of its own, and one run of the small job on it.
struct ElasticRun {
    /// What a run amounted to, to the bit.
    struct Trace: Equatable {
        var digest: String?
        var losses: [UInt64]
        var evaluations: [UInt64]
        var examples: [UInt64]
    }

    let state: String
    let id: String
    private(set) var daemon: RunningProgram
    /// The relay between all processes of the run, where one was asked for.
    let network: ChaosNetwork?
    private let folder: TemporaryFolder

    /// Starts a daemon with `serve` and `environment`, and the run; with a relay between all that connect to each other where
    /// `network` is asked for, and with so many `descriptors` at most for every process. `keys` are added to the job,
    /// which writes a checkpoint every `checkpointSteps` steps.
    init(
        steps: Int, lanes: Int = 4, batch: Int = 16, keys: String = "", backend: String = "cluster", workers: Int = 1,
        launch: [String] = [], checkpointSteps: Int = 4,
        serve: [String] = [], environment: [String: String] = [:], network: Bool = false, descriptors: Int? = nil
    ) throws {
        folder = try TemporaryFolder()
        state = folder.path + "/s"
        daemon = try Self.serve(state, serve, environment, descriptors: descriptors)
        self.network =
            network ? try ChaosNetwork(between: state + "/sockets", aside: folder.path + "/n") : nil
        let job = try folder.write(
            JobFixtures.small(steps: steps, lanes: lanes, batch: batch)
                + "\ncheckpoints: { every_steps: \(checkpointSteps) }\n\(keys)\n",
            to: "job.yaml")
        let outcome = try Program.run(
            ["launch", backend, job, "--state", state, "--json"]
                + (backend == "wafer" ? [] : ["--workers", "\(workers)"]) + launch)
        #expect(outcome.status == 0, "\(outcome.standardError)")
        id = try #require(try outcome.json()["run_id"] as? String)
    }

    private static func serve(
        _ state: String, _ more: [String], _ environment: [String: String], descriptors: Int? = nil
    ) throws -> RunningProgram {
        let daemon = try Program.start(
            ["serve", "--state", state] + more, environment: environment, descriptors: descriptors)
        let isUp = Eventually.holds(within: 30) {
            FileManager.default.fileExists(atPath: state + "/sockets/control") || !daemon.isRunning
        }
        #expect(isUp && daemon.isRunning, "\(daemon.standardError)")
        return daemon
    }

    /// Starts another daemon, without faults, once the first one has ended.
    mutating func serveAgain(_ more: [String] = []) throws {
        _ = try daemon.wait(seconds: 20)
        // The socket of a daemon that was killed is still there; the next one is up once it has made its own.
        try? FileManager.default.removeItem(atPath: state + "/sockets/control")
        daemon = try Self.serve(state, more, [:])
    }

    /// Waits until the run has ended, and expects that it finished.
    func waitForEnd(seconds: Double = 120) throws {
        let hasEnded = Eventually.holds(within: seconds) {
            usleep(100_000)
            return (try? record())?.run.state.isFinal ?? false
        }
        let state = try record().run.state
        #expect(hasEnded && state == .finished, "\(state): \(words) \(daemon.standardError.suffix(2_000))")
    }

    /// What is on record now.
    func record() throws -> RunRecord {
        let store = try RunStore(readingFrom: state)
        return try store.record(of: store.id(startingWith: id))
    }

    var events: [RunEvent] { (try? record().events) ?? [] }
    var words: [String] { events.map(\.message) }
    var stepsMade: Int { (try? record().steps.last).map { $0.step.index + 1 } ?? 0 }

    /// The processes of its workers that have been stopped and not gone on.
    var stoppedWorkers: [Int32] {
        Leftovers.processes(of: state, kinds: ["worker"]).filter { process in
            // The name, which comes before the state, is in parentheses.
            let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
            return status?.split(separator: ")").last?.hasPrefix(" T") ?? false
        }
    }

    /// The names of the run's checkpoints, oldest first.
    var checkpoints: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: state + "/runs/\(id)/checkpoints")) ?? [])
            .filter { $0.hasPrefix("step-") }.sorted()
    }

    /// What the run amounted to.
    func trace() throws -> Trace {
        let record = try record()
        return Trace(
            digest: record.run.outcome?.weightsDigest, losses: record.steps.map(\.loss.bitPattern),
            evaluations: record.evaluations.map(\.maskedLoss.bitPattern),
            examples: record.steps.map(\.examplesChecksum))
    }

    /// Expects the very bits of `reference`, and that no process and no socket of the run is left.
    func expect(like reference: Trace) throws {
        let trace = try trace()
        #expect(trace.digest == reference.digest && trace.digest != nil)
        #expect(trace.losses == reference.losses)
        #expect(trace.evaluations == reference.evaluations)
        #expect(trace.examples == reference.examples)
        #expect(Eventually.holds(within: 20) { Leftovers.processes(of: state).isEmpty })
        #expect(Leftovers.sockets(of: state) == ["control"])
    }

    /// What a run of `steps` steps amounts to that nothing disturbs: on the wafer.
    static func reference(steps: Int, lanes: Int = 4, keys: String = "") throws -> Trace {
        let run = try ElasticRun(steps: steps, lanes: lanes, keys: keys, backend: "wafer")
        try run.waitForEnd()
        return try run.trace()
    }
}
