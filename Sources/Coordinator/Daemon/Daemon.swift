import Cluster
import Foundation
import Jobs
import Logging
import Messaging
import Runs
import ServiceLifecycle
import Wire

/// Where a run's workers come from.
public enum WorkerSource: Hashable, Sendable {
    /// The daemon starts them on its own host.
    case local
    /// It has a site's scheduler start them, and gives them a key for each run.
    case scheduler
    /// Somebody else starts them, with a key of theirs, and they ask for a place.
    case external
}

/// The coordinator daemon: takes requests, queues runs, carries them out, one at a time unless asked otherwise, and keeps
/// their records.
///
/// It is a `Service`: graceful shutdown or cancellation ends the run under way as interrupted, ends its workers, and
/// removes the sockets.
public struct Daemon: Service {
    /// How the daemon is set up.
    public struct Options: Sendable {
        /// Where it keeps its state.
        public var state: StateDirectory
        /// Endpoints at which it takes requests, beside its own socket in the state directory. Once a key was made, all of them
        /// take clients with keys alone; before that, loopback addresses take whoever is on this host, and others are refused.
        public var endpoints: [String]
        /// Where a run's workers of other hosts are taken, by their keys; nil where all are on this one.
        public var workersEndpoint: String?
        /// Where workers come from.
        public var workerSource: WorkerSource
        /// The daemon's key and the list of those that are let in.
        public var keys: KeyStore
        /// This program's own file, which is started for workers and preparation.
        public var executable: String
        /// The machine and library versions to note in each run.
        public var machine: Machine
        /// Limits of time of every run.
        public var deadlines: RunDeadlines
        /// What any run may take at most.
        public var limits = RunLimits()
        /// How many runs go on at once, and where.
        public var slots = RunSlots.one
        /// Which runs are kept once they have ended.
        public var retention = RunRetention()
        /// How the runs' processes write what they have to say.
        public var logFormat = DiagnosticLine.Format.text
        /// Whether runs that an earlier daemon left unfinished go on by themselves.
        public var resumesAll: Bool

        /// Options of the given parts.
        public init(
            state: StateDirectory, endpoints: [String] = [], executable: String, machine: Machine,
            deadlines: RunDeadlines = RunDeadlines(), resumesAll: Bool = false
        ) {
            self.state = state
            self.endpoints = endpoints
            self.workersEndpoint = nil
            self.workerSource = .local
            self.keys = state.keys
            self.executable = executable
            self.machine = machine
            self.deadlines = deadlines
            self.resumesAll = resumesAll
        }
    }

    private let options: Options
    private let launcher: any WorkerLauncher
    /// The places of a run that wait for workers of other hosts.
    private let vacancies: VacancyLauncher?
    private let logger: Logger
    private let ready: @Sendable () -> Void
    private let queue = RunQueue()

    /// - Parameters:
    ///   - launcher: starts the workers, unless a site's scheduler does.
    ///   - ready: called once the daemon takes requests.
    public init(
        options: Options, launcher: any WorkerLauncher = LocalLauncher(), logger: Logger,
        ready: @escaping @Sendable () -> Void = {}
    ) {
        self.options = options
        vacancies = options.workerSource == .external ? VacancyLauncher() : nil
        self.launcher = vacancies ?? launcher
        self.logger = logger
        self.ready = ready
    }

    /// Serves until it is shut down.
    ///
    /// - Throws: `DaemonError` where the state directory can't be had; `KeyError` where keys are missing or open to others;
    ///   `RunStoreError`, also where the store can't take a run's end; what the sockets throw.
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
        let gatekeeper = try gatekeeper()
        let desk = RequestDesk(
            state: state, store: store, queue: queue, workerSource: options.workerSource, limits: options.limits,
            vacancies: vacancies, logger: logger)
        if options.resumesAll { try await desk.resumeInterrupted() }
        let server = try ControlServer(
            try addresses(isSecured: gatekeeper != nil), gatekeeper: gatekeeper, logger: logger)
        let janitor = RunJanitor(retention: options.retention, state: state, store: store, logger: logger)
        logger.info("takes requests at \(server.endpoints.joined(separator: ", "))")
        ready()

        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await server.serve { await desk.answer($0) } }
                group.addTask {
                    try await carryOutRuns(
                        from: queue, for: desk, store: store, reserve: reserve, gatekeeper: gatekeeper,
                        janitor: janitor)
                }
                group.addTask { await janitor.watch() }
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

    /// Who knows the keys; nil where there are none and none are needed.
    private func gatekeeper() throws -> Gatekeeper? {
        if options.workerSource == .scheduler {
            try options.keys.makeServerKey()
            // Of runs that an earlier daemon's end cut short.
            for key in try options.keys.list() where key.name.hasPrefix(RunDirectory.keyPrefix) {
                try options.keys.revoke(key.name)
            }
        }
        let beyond = try (options.endpoints + [options.workersEndpoint].compactMap(\.self)).contains {
            try !Endpoint($0).isLocal
        }
        guard beyond || options.keys.isThere || options.workersEndpoint != nil else { return nil }
        return try Gatekeeper(options.keys, logger: logger)
    }

    private func addresses(isSecured: Bool) throws -> ControlServer.Addresses {
        let own = try Endpoint(options.state.controlEndpoint)
        let asked = try options.endpoints.map { try Endpoint($0) }
        let plain = asked.filter { $0.host == nil || !isSecured }
        return ControlServer.Addresses(plain: [own] + plain, secured: asked.filter { !plain.contains($0) })
    }

    /// Ends the run under way without a last checkpoint, once the daemon has been asked to end.
    public func endAtOnce() async { await queue.close() }

    /// Carries out the runs of `queue`, as many at once as there are slots, until it is closed.
    private func carryOutRuns(
        from queue: RunQueue, for desk: RequestDesk, store: RunStore, reserve: DiskReserve, gatekeeper: Gatekeeper?,
        janitor: RunJanitor
    ) async throws {
        let surroundings = RunExecution.Surroundings(
            state: options.state, store: store, reserve: reserve, launcher: launcher, executable: options.executable,
            machine: options.machine, deadlines: options.deadlines,
            remote: try options.workersEndpoint.flatMap { address in
                try gatekeeper.map { gatekeeper in
                    WorkerHub.Remote(
                        endpoint: try Endpoint(address), gatekeeper: gatekeeper,
                        issuer: options.workerSource == .scheduler ? options.keys : nil)
                }
            }, logFormat: options.logFormat, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for cores in options.slots.cores {
                var surroundings = surroundings
                surroundings.cores = cores
                surroundings.slotCount = options.slots.cores.count
                group.addTask { [surroundings] in
                    while let id = await queue.next() {
                        try await carryOut(id, from: queue, for: desk, in: surroundings)
                        janitor.tidy()
                    }
                }
            }
            // Where one ends because the store takes no more, the others are ended, too.
            do {
                while try await group.next() != nil {}
            } catch {
                await queue.close()
                throw error
            }
        }
    }

    private func carryOut(
        _ id: RunID, from queue: RunQueue, for desk: RequestDesk, in surroundings: RunExecution.Surroundings
    ) async throws {
        let execution = RunExecution(of: id, in: surroundings)
        await queue.begin(id, execution)
        // A task of its own: the daemon's end must not cut short the run's, which kills processes and writes the record.
        let end = await Task { try await execution.execute() }.result
        await queue.end(id)
        try end.get()
        if let state = try? surroundings.store.run(id).state { try await desk.settle(id, state) }
    }

    private func waitForCancellation() async {
        let (stream, _) = AsyncStream<Never>.makeStream()
        for await _ in stream {}
    }
}
