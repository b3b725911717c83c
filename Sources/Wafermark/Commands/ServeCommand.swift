import ArgumentParser
import Coordinator

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
            """)

    @OptionGroup var state: StateOptions

    @Option(
        name: .customLong("listen"),
        help: ArgumentHelp(
            "Also take requests at this ZeroMQ endpoint, such as tcp://127.0.0.1:5555.", valueName: "endpoint"))
    var endpoints: [String] = []

    @Flag(help: "Go on by itself with every run that an earlier daemon's end has interrupted.")
    var resumeAll = false

    @OptionGroup var deadlines: DeadlineOptions

    func run() async throws {
        let logger = ThisProgram.logger(level: .info)
        var options = try ThisProgram.daemonOptions(state: state.directory, endpoints: endpoints)
        options.resumesAll = resumeAll
        options.deadlines = deadlines.deadlines
        let daemon = Daemon(options: options, logger: logger)
        do {
            try await Interruption.cancels(again: { Task { await daemon.endAtOnce() } }) { try await daemon.run() }
        } catch is CancellationError {
            logger.info("ended by a signal")
        }
    }
}
