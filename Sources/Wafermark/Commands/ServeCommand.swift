import ArgumentParser
import Coordinator
import Dashboard
import Logging

/// `wafermark serve`: the coordinator daemon, in the foreground.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the coordinator daemon in the foreground.",
        discussion: """
            It takes requests, carries out runs one after the other, and keeps their
            records in the state directory. One daemon a state directory. SIGINT or
            SIGTERM ends it in order: the run under way writes a last checkpoint, is marked
            as interrupted, and can be resumed. A second signal ends it without the
            checkpoint.

            A page to watch, launch and end runs is served to this machine's own users;
            its address is logged.
            """)

    @OptionGroup var state: StateOptions

    @Option(
        name: .customLong("listen"),
        help: ArgumentHelp(
            "Also take requests at this ZeroMQ endpoint, such as tcp://127.0.0.1:5555.", valueName: "endpoint"))
    var endpoints: [String] = []

    @Flag(help: "Go on by itself with every run that an earlier daemon's end has interrupted.")
    var resumeAll = false

    @Option(
        name: .customLong("dashboard"),
        help: ArgumentHelp(
            "Where the page is served: a port (0 for any that is free) or a loopback address with one.",
            discussion: "By default \(DashboardAddress.standard), or any port where that is taken.",
            valueName: "address"),
        transform: { try DashboardAddress($0) })
    var dashboard: DashboardAddress?

    @Flag(help: "Serve no page.")
    var noDashboard = false

    @OptionGroup var deadlines: DeadlineOptions

    func validate() throws {
        if noDashboard, dashboard != nil {
            throw ValidationError("--dashboard and --no-dashboard exclude each other; give one of them")
        }
    }

    func run() async throws {
        let logger = ThisProgram.logger(level: .info)
        var options = try ThisProgram.daemonOptions(state: state.directory, endpoints: endpoints)
        options.resumesAll = resumeAll
        options.deadlines = deadlines.deadlines
        let (isReady, ready) = AsyncStream<Void>.makeStream()
        let daemon = Daemon(options: options, logger: logger) { ready.finish() }
        do {
            try await Interruption.cancels(again: { Task { await daemon.endAtOnce() } }) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await daemon.run() }
                    if !noDashboard {
                        group.addTask {
                            for await _ in isReady {}
                            try Task.checkCancellation()
                            try await serveDashboard(logger)
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

    /// Serves the page at the address asked for; at the standard one, or any port where that is taken, if none was.
    private func serveDashboard(_ logger: Logger) async throws {
        func serve(at address: DashboardAddress) async throws {
            try await Dashboard(
                address: address, state: state.directory, version: Program.version, logger: logger,
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
