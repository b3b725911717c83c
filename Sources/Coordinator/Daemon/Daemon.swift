import Cluster
import Foundation
import Jobs
import Logging
import Runs
import ServiceLifecycle
import Wire

/// The coordinator daemon: takes requests, queues runs, carries them out one at a time and keeps their records.
///
/// It is a `Service`: graceful shutdown or cancellation ends the run under way as interrupted, ends its workers, and
/// removes the sockets.
public struct Daemon: Service {
    /// How the daemon is set up.
    public struct Options: Sendable {
        /// Where it keeps its state.
        public var state: StateDirectory
        /// Endpoints at which it takes requests, beside its own socket in the state directory.
        public var endpoints: [String]
        /// This program's own file, which is started for workers and preparation.
        public var executable: String
        /// The machine and library versions to note in each run.
        public var machine: Machine
        /// Limits of time of every run.
        public var deadlines: RunDeadlines
        /// Whether runs that an earlier daemon left unfinished go on by themselves.
        public var resumesAll: Bool

        /// Options of the given parts.
        public init(
            state: StateDirectory, endpoints: [String] = [], executable: String, machine: Machine,
            deadlines: RunDeadlines = RunDeadlines(), resumesAll: Bool = false
        ) {
            self.state = state
            self.endpoints = endpoints
            self.executable = executable
            self.machine = machine
            self.deadlines = deadlines
            self.resumesAll = resumesAll
        }
    }

    private let options: Options
    private let launcher: any WorkerLauncher
    private let logger: Logger
    private let ready: @Sendable () -> Void
    private let queue = RunQueue()

    /// - Parameters:
    ///   - launcher: starts the workers.
    ///   - ready: called once the daemon takes requests.
    public init(
        options: Options, launcher: any WorkerLauncher = LocalLauncher(), logger: Logger,
        ready: @escaping @Sendable () -> Void = {}
    ) {
        self.options = options
        self.launcher = launcher
        self.logger = logger
        self.ready = ready
    }

    /// Serves until it is shut down.
    ///
    /// - Throws: `DaemonError` where the state directory can't be had; `RunStoreError`, also where the store can't take a
    ///   run's end; what the sockets throw.
    public func run() async throws {
        let state = options.state
        try state.create()
        let lock = try DaemonLock(in: state)
        state.clearSockets()
        defer { withExtendedLifetime(lock) { state.clearSockets() } }
        let reserve = DiskReserve(of: state)
        try reserve.fill()
        let store = try RunStore(directory: state.path)
        for id in try store.markInterrupted() {
            logger.warning("run \(id) was under way when an earlier daemon ended; it is marked as interrupted")
        }
        let desk = RequestDesk(state: state, store: store, queue: queue, logger: logger)
        if options.resumesAll { try await desk.resumeInterrupted() }
        let server = try ControlServer(endpoints: [state.controlEndpoint] + options.endpoints, logger: logger)
        logger.info("takes requests at \(server.endpoints.joined(separator: ", "))")
        ready()

        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await server.serve { await desk.answer($0) } }
                group.addTask { try await carryOutRuns(from: queue, store: store, reserve: reserve) }
                group.addTask {
                    await waitForCancellation()
                    await queue.close()
                    server.close()
                }
                // The first to end by itself is the one that carries out runs, and only because the store takes no more.
                defer { server.close() }
                while try await group.next() != nil {}
            }
        }
    }

    /// Ends the run under way without a last checkpoint, once the daemon has been asked to end.
    public func endAtOnce() async { await queue.close() }

    /// Carries out the runs of `queue`, one after the other, until it is closed.
    private func carryOutRuns(from queue: RunQueue, store: RunStore, reserve: DiskReserve) async throws {
        let surroundings = RunExecution.Surroundings(
            state: options.state, store: store, reserve: reserve, launcher: launcher, executable: options.executable,
            machine: options.machine, deadlines: options.deadlines, logger: logger)
        while let id = await queue.next() {
            let execution = RunExecution(of: id, in: surroundings)
            await queue.begin(id, execution)
            // A task of its own: the daemon's end must not cut short the run's, which kills processes and writes the record.
            let end = await Task { try await execution.execute() }.result
            await queue.end()
            try end.get()
        }
    }

    private func waitForCancellation() async {
        let (stream, _) = AsyncStream<Never>.makeStream()
        for await _ in stream {}
    }
}
