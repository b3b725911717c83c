import ArgumentParser
import Cluster
import Coordinator
import Dashboard
import Foundation
import Jobs
import Logging
import Messaging

/// `wafermark serve`: the coordinator daemon, in the foreground.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the coordinator daemon in the foreground.",
        discussion: """
            It takes requests, carries out runs, one after the other unless --runs-at-once
            says otherwise, and keeps their records in the state directory. One daemon a state directory. SIGINT or
            SIGTERM ends it in order: the run under way writes a last checkpoint, is marked
            as interrupted, and can be resumed. A second signal ends it without the
            checkpoint.

            A page to watch, launch and end runs is served to this machine's own users;
            its address is logged.

            From other hosts the daemon takes requests and workers only by keys that
            'wafermark keys new' has made, over encrypted connections; a page for them
            needs --dashboard-token and a proxy that speaks TLS.
            """)

    @OptionGroup var state: StateOptions

    @Option(
        name: .customLong("listen"),
        help: ArgumentHelp(
            "Also take requests at this ZeroMQ endpoint, such as tcp://0.0.0.0:5555.",
            discussion: "Once a key was made, TCP addresses take holders of keys alone; any but loopback needs that.",
            valueName: "endpoint"))
    var endpoints: [String] = []

    @Option(
        help: ArgumentHelp(
            "Who starts a run's workers: local (this daemon), slurm, or external (see 'worker --daemon').",
            valueName: "name"))
    var launcher = LauncherChoice.local

    @Option(
        name: .customLong("workers-listen"),
        help: ArgumentHelp(
            "Where workers of other hosts are taken, by their keys, such as tcp://0.0.0.0:5556.", valueName: "endpoint")
    )
    var workersEndpoint: String?

    @Option(
        name: .customLong("workers-host"),
        help: ArgumentHelp(
            "With --launcher slurm, the name by which the nodes reach this host; its own name by default.",
            valueName: "host"))
    var workersHost: String?

    @Option(
        name: .customLong("slurm-option"),
        help: ArgumentHelp(
            "With --launcher slurm, an option of sbatch for every worker, such as --slurm-option=--partition=gpu.",
            valueName: "option"))
    var slurmOptions: [String] = []

    @Option(
        help: ArgumentHelp(
            "The folder of the daemon's key and the list of those that it lets in; STATE/keys by default.",
            valueName: "dir"))
    var keys: String?

    @Flag(help: "Go on by itself with every run that an earlier daemon's end has interrupted.")
    var resumeAll = false

    @Option(
        name: .customLong("dashboard"),
        help: ArgumentHelp(
            "Where the page is served: a port (0 for any that is free), or an address with one.",
            discussion:
                "By default \(DashboardAddress.standard), or any port where that is taken. Any but a loopback address needs "
                + "--dashboard-token and --dashboard-host, and a proxy that speaks TLS.",
            valueName: "address"),
        transform: { try DashboardAddress($0) })
    var dashboard: DashboardAddress?

    @Option(
        help: ArgumentHelp(
            "A file of mode 0600 with the token that the page asks for: 32 characters or more.", valueName: "file"))
    var dashboardToken: String?

    @Option(
        name: .customLong("dashboard-host"),
        help: ArgumentHelp("A name under which the page is reached, such as wafermark.example.org.", valueName: "name"))
    var dashboardHosts: [String] = []

    @Flag(help: "Serve no page.")
    var noDashboard = false

    @OptionGroup var deadlines: DeadlineOptions
    @Option(help: ArgumentHelp("So many runs go on at once, each on cores of its own.", valueName: "n"))
    var runsAtOnce = 1

    @Option(help: ArgumentHelp("The cores of each run; an equal share of all by default.", valueName: "n"))
    var coresPerRun: Int?

    @OptionGroup var limits: LimitOptions
    @OptionGroup var retention: RetentionOptions
    @OptionGroup var log: LogOptions

    func validate() throws {
        if noDashboard, dashboard != nil {
            throw ValidationError("--dashboard and --no-dashboard exclude each other; give one of them")
        }
        if launcher == .external, workersEndpoint == nil {
            throw ValidationError("--launcher external needs --workers-listen, such as tcp://0.0.0.0:5556")
        }
        if let workersEndpoint, (try? Endpoint(workersEndpoint))?.port == nil {
            throw ValidationError("--workers-listen is \(workersEndpoint); tcp://HOST:PORT is allowed")
        }
    }

    func run() async throws {
        let logger = ThisProgram.logger(level: .info, format: log.logFormat)
        var options = try ThisProgram.daemonOptions(state: state.directory, endpoints: endpoints)
        options.resumesAll = resumeAll
        options.deadlines = deadlines.deadlines
        options.limits = limits.limits
        if let available = CoreSet.ofThisProcess() {
            options.slots = try RunSlots(runs: runsAtOnce, coresPerRun: coresPerRun, available: available)
        } else if runsAtOnce > 1 || coresPerRun != nil {
            throw CommandFailure.wrongUsage("this system doesn't say which cores there are, so runs can't share them")
        }
        options.retention = retention.retention
        options.logFormat = log.logFormat
        options.workersEndpoint = workersEndpoint
        if let keys { options.keys = KeyStore(directory: keys) }
        switch launcher {
        case .local: break
        case .slurm:
            options.workerSource = .scheduler
            options.workersEndpoint = workersEndpoint ?? "tcp://0.0.0.0:0"
        case .external: options.workerSource = .external
        }
        // Others start workers when they see fit.
        if launcher != .local, deadlines.joinSeconds == nil { options.deadlines.join = 3_600 }
        // Refused before anything is started.
        let access = try DashboardAccess(
            address: dashboard ?? .standard, tokenFile: dashboardToken, hosts: dashboardHosts)
        let (isReady, ready) = AsyncStream<Void>.makeStream()
        let daemon = Daemon(options: options, launcher: try workerLauncher(), logger: logger) { ready.finish() }
        do {
            try await Interruption.cancels(again: { Task { await daemon.endAtOnce() } }) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await daemon.run() }
                    if !noDashboard {
                        group.addTask {
                            for await _ in isReady {}
                            try Task.checkCancellation()
                            try await serveDashboard(access, logger)
                        }
                    }
                    // Where one fails, the other is cancelled: `waitForAll` would wait for it first.
                    while try await group.next() != nil {}
                }
            }
        } catch is CancellationError {
            logger.info("ended by a signal")
        }
    }

    /// What starts the workers.
    private func workerLauncher() throws -> any WorkerLauncher {
        switch launcher {
        case .local, .external: LocalLauncher()
        case .slurm:
            SlurmLauncher(
                settings: SlurmLauncher.Settings(
                    host: workersHost ?? ProcessInfo.processInfo.hostName, options: slurmOptions))
        }
    }

    /// Serves the page at the address asked for; at the standard one, or any port where that is taken, if none was.
    private func serveDashboard(_ access: DashboardAccess, _ logger: Logger) async throws {
        func serve(at address: DashboardAddress) async throws {
            try await Dashboard(
                address: address, access: access, state: state.directory, version: Program.version, logger: logger,
                listening: { logger.info("dashboard: http://\($0)/") }
            ).run()
        }
        do {
            try await serve(at: dashboard ?? .standard)
        } catch DashboardError.cannotListen where dashboard == nil {
            try await serve(at: DashboardAddress("0"))
        }
    }
}

/// Who starts a run's workers.
enum LauncherChoice: String, ExpressibleByArgument, CaseIterable {
    /// This daemon, on its own host.
    case local
    /// A site's Slurm, which is given a job for each worker.
    case slurm
    /// Somebody else; the daemon takes whoever comes with a worker's key.
    case external
}
