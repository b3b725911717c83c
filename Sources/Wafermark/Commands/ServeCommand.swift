import ArgumentParser
import Coordinator
import ServiceLifecycle

/// `wafermark serve`: the coordinator daemon, in the foreground.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the coordinator daemon in the foreground.",
        discussion: """
            It takes requests, carries out runs one after the other, and keeps their
            records in the state directory. One daemon a state directory. SIGINT or
            SIGTERM ends it in order: workers end, and the run under way is marked as
            interrupted.
            """)

    @OptionGroup var state: StateOptions

    @Option(
        name: .customLong("listen"),
        help: ArgumentHelp(
            "Also take requests at this ZeroMQ endpoint, such as tcp://127.0.0.1:5555.", valueName: "endpoint"))
    var endpoints: [String] = []

    func run() async throws {
        let logger = ThisProgram.logger(level: .info)
        let daemon = Daemon(
            options: try ThisProgram.daemonOptions(state: state.directory, endpoints: endpoints), logger: logger)
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: daemon, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: [.sigint, .sigterm], logger: logger))
        try await services.run()
    }
}
