import Cluster
import Foundation
import Jobs
import Messaging
import Runs
import Wire

/// Loads a daemon of its own with the signs of life of many workers and the requests of many clients at once.
///
/// The workers are simulated and belong to one run, which waits for one more that never comes; so all of a daemon's control
/// path is at work, from sockets through the run's state machine to the record, and no training.
public struct ControlBench: Sendable {
    /// How much load, for how long.
    public struct Settings: Sendable {
        /// Simulated workers, and clients that ask twice a second each.
        public var workers: Int
        public var clients: Int
        public var seconds: Double

        /// The given load.
        public init(workers: Int, clients: Int, seconds: Double) {
            self.workers = workers
            self.clients = clients
            self.seconds = seconds
        }
    }

    /// Host milliseconds of many requests.
    public struct Latency: Sendable, Encodable {
        public var median: Double
        public var p99: Double
        public var most: Double

        init(_ milliseconds: [Double]) {
            let spread = Quantiles(milliseconds)
            median = spread.median ?? 0
            p99 = spread.quantile(0.99) ?? 0
            most = spread.maximum ?? 0
        }
    }

    /// What was found.
    public struct Result: Sendable, Encodable {
        public var workers: Int
        public var clients: Int
        public var hostSeconds: Double
        /// Requests that were answered, and those that were not.
        public var requests: Int
        public var failedRequests: Int
        public var requestMilliseconds: Latency
        /// Signs of life, and the answers to them.
        public var heartbeats: Int
        public var answeredHeartbeats: Int
        public var heartbeatMilliseconds: Latency
        /// Workers of whose arrival the record tells, and of whose loss it does.
        public var joinedEvents: Int
        public var lostWorkers: Int
        /// The daemon under load: at the beginning, in the middle and at the end.
        public var daemon: [ProcessFootprint]
    }

    private let settings: Settings
    private let executable: String
    private let state: StateDirectory

    /// Signs of life of each worker before anything is measured, and of all of them in a second: libzmq keeps two pieces of
    /// 256 frames for each direction of a connection (`message_pipe_granularity` in its src/config.hpp), whose pages are
    /// found as messages of two frames first pass. That is 64 KiB a worker, once.
    private static let warmUp = (each: 300, perSecond: 10_000.0)
    /// From there to the first measured request: answers that are on their way arrive.
    private static let rest = Duration.seconds(3)
    /// Sockets of one simulating thread.
    private static let share = 100

    /// - Parameter folder: takes the state directory; short enough for sockets.
    public init(settings: Settings, folder: String, executable: String) {
        self.settings = settings
        self.executable = executable
        state = StateDirectory(path: folder + "/s")
    }

    /// Loads the daemon until the time is up. Cancelling the task ends it.
    ///
    /// - Throws: what the daemon, the store and the sockets throw; `CancellationError`.
    public func run() async throws -> Result {
        raiseDescriptorLimit()
        try state.create()
        _ = try state.keys.create(name: "bench", role: .worker)
        let processes = ChaosProcesses(
            state: state, executable: executable,
            serving: [
                "--no-dashboard", "--launcher", "external", "--workers-listen", "tcp://127.0.0.1:0",
                "--join-seconds", "86400",
            ])
        return try await ChaosDaemon.running(processes) { daemon, _ in try await load(daemon.processID) }
    }

    private func load(_ daemon: Int32) async throws -> Result {
        let client = DaemonClient(state: state)
        let store = try RunStore(readingFrom: state.path)
        let id = try await client.launch(
            try JobFile.parse(job, name: "the bench's job"), on: .cluster, workers: settings.workers + 1, hardware: nil)
        try await wait("the run's workers to be awaited") {
            try store.record(of: id).events.contains { $0.kind == .datasetPrepared }
        }
        // The search for a checkpoint, which a new run has none of, comes in between.
        try await Task.sleep(for: .seconds(1))
        let crowds = try simulate(id)
        defer { for crowd in crowds { crowd.stop() } }
        func joined() throws -> Int { try store.record(of: id).events.count { $0.kind == .workerJoined } }
        try await wait("all workers to be on record") { try joined() >= settings.workers }
        try await warmUp(crowds)
        let before = crowds.map(\.current)
        let start = MonotonicInstant.now()
        let first = ProcessFootprint(of: daemon)
        let requests = try await askAll(client, daemon)
        let last = ProcessFootprint(of: daemon)
        let elapsed = MonotonicInstant.now().elapsed(since: start).seconds
        let tallies = crowds.map(\.current)
        let record = try store.record(of: id)
        try await client.cancel(id)
        return Result(
            workers: settings.workers, clients: settings.clients, hostSeconds: elapsed,
            requests: requests.milliseconds.count, failedRequests: requests.failed,
            requestMilliseconds: Latency(requests.milliseconds),
            heartbeats: zip(tallies, before).reduce(0) { $0 + $1.0.sent - $1.1.sent },
            answeredHeartbeats: zip(tallies, before).reduce(0) { $0 + $1.0.answered - $1.1.answered },
            heartbeatMilliseconds: Latency(
                zip(tallies, before).flatMap { Array($0.milliseconds.dropFirst($1.milliseconds.count)) }),
            joinedEvents: record.events.count { $0.kind == .workerJoined },
            lostWorkers: record.events.count { $0.kind == .workerLost },
            daemon: [first, requests.middle ?? first, last])
    }

    /// Starts all simulated workers of the run `id`, some to a thread.
    private func simulate(_ id: RunID) throws -> [SimulatedWorkers] {
        let token = try PrivateFile.read(state.run(id).tokenFile)
        let endpoint = try Endpoint(state.workersEndpoint(of: id))
        let hello = WorkerHello(
            token: token, processID: 0, dataEndpoint: "ipc:///none", stateEndpoint: "ipc:///none",
            instructionSet: "none", oneDNNVersion: "none", zeroMQVersion: "none", wafermarkVersion: "none")
        return stride(from: 0, to: settings.workers, by: Self.share).map { first in
            SimulatedWorkers(
                first..<min(first + Self.share, settings.workers), of: id, token: token, endpoint: endpoint,
                hello: hello)
        }
    }

    private func warmUp(_ crowds: [SimulatedWorkers]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let period = HostSeconds(max(0.01, Double(settings.workers) / Self.warmUp.perSecond))
            for crowd in crowds { group.addTask { try await crowd.hurry(Self.warmUp.each, every: period) } }
            try await group.waitForAll()
        }
        try await Task.sleep(for: Self.rest)
    }

    /// What clients' requests came to, and the daemon in the middle of them.
    private struct Requests: Sendable {
        var milliseconds: [Double] = []
        var failed = 0
        var middle: ProcessFootprint?
    }

    /// Has all clients ask until the time is up.
    private func askAll(_ client: DaemonClient, _ daemon: Int32) async throws -> Requests {
        try await withThrowingTaskGroup(of: Requests.self) { group in
            for number in 0..<settings.clients { group.addTask { try await ask(client, number) } }
            group.addTask {
                try await Task.sleep(for: .seconds(settings.seconds / 2))
                return Requests(middle: ProcessFootprint(of: daemon))
            }
            return try await group.reduce(into: Requests()) { all, part in
                all.milliseconds += part.milliseconds
                all.failed += part.failed
                all.middle = part.middle ?? all.middle
            }
        }
    }

    /// Asks twice a second until the time is up, for the daemon and for the list of runs by turns.
    private func ask(_ client: DaemonClient, _ number: Int) async throws -> Requests {
        var requests = Requests()
        let period = 0.5
        let start = ContinuousClock.now + .seconds(period * Double(number) / Double(settings.clients))
        for turn in 0..<Int(settings.seconds / period) {
            try await Task.sleep(until: start + .seconds(period * Double(turn)))
            let sent = MonotonicInstant.now()
            do {
                if turn.isMultiple(of: 2) { _ = try await client.ping() } else { _ = try await client.document(.list) }
                requests.milliseconds.append(MonotonicInstant.now().elapsed(since: sent).seconds * 1_000)
            } catch is DaemonError {
                requests.failed += 1
            }
        }
        return requests
    }

    private func wait(_ what: String, until condition: () throws -> Bool) async throws {
        for _ in 0..<1_200 {
            if try condition() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw DaemonError.refused(reason: "waited two minutes for \(what)")
    }

    /// A worker each lane, and one lane for the worker that never comes.
    private var job: String {
        """
        name: control
        model: { layers: 2, hidden: 64, heads: 2, positions: 64 }
        corpus: { synthetic: { documents: 300, seed: 5 }, vocabulary: 600, held_out: 0.1 }
        lanes: \(settings.workers + 1)
        seed: 11
        phases:
          - { sequence: 64, masked_positions: 10, global_batch: \(settings.workers + 1), steps: 10, learning_rate: 1.0e-3 }
        """
    }

    /// Every worker takes two descriptors here and one in the daemon, which inherits the limit.
    private func raiseDescriptorLimit() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
    }
}
