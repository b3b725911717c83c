import ArgumentParser
import Coordinator
import Foundation
import Jobs
import Report
import Runs

/// `wafermark runs`: what was run, is running and waits.
struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "List, show, watch, cancel and delete runs.",
        discussion: "A run is named by its id, or by any beginning of it that no other run shares.",
        subcommands: [
            RunsListCommand.self, RunsShowCommand.self, RunsWatchCommand.self, RunsCancelCommand.self,
            RunsDeleteCommand.self,
        ])
}

/// A run by its id or a beginning of it, and where to look for it.
struct RunOptions: ParsableArguments {
    @Argument(help: "The run's id, or a beginning of it.")
    var run: String

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions
}

/// `wafermark runs list`.
struct RunsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List all runs, newest first.")

    @Option(help: ArgumentHelp("The most that are listed.", valueName: "n"))
    var limit: Int?

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit is \(limit); 1 and more are allowed") }
    }

    func run() throws {
        let runs = try RunStore(readingFrom: state.directory.path).list(limit: limit)
        if output.json {
            Console.printExactly(String(decoding: try RunJSON.list(runs), as: UTF8.self))
        } else {
            Console.printExactly(RunText.list(runs, now: Date()))
        }
    }
}

/// `wafermark runs show`.
struct RunsShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one run's figures.")

    @OptionGroup var options: RunOptions

    func run() throws {
        let store = try RunStore(readingFrom: options.state.directory.path)
        let record = try store.record(of: try store.id(startingWith: options.run))
        if options.output.json {
            Console.printExactly(String(decoding: try RunJSON.show(record), as: UTF8.self))
        } else {
            Console.printExactly(RunText.show(record))
        }
    }
}

/// `wafermark runs watch`.
struct RunsWatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Show a run's progress until it has ended.",
        discussion: "Redrawn in place on a terminal, plain lines elsewhere. Ctrl-C ends the watching, not the run.")

    @OptionGroup var options: RunOptions

    func run() async throws {
        let directory = options.state.directory
        let id = try RunStore(readingFrom: directory.path).id(startingWith: options.run)
        try await RunWatching(state: directory, json: options.output.json).follow(id)
    }
}

/// `wafermark runs cancel`.
struct RunsCancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End a run that waits or is under way.")

    @OptionGroup var options: RunOptions

    func run() async throws {
        let directory = options.state.directory
        let id = try RunStore(readingFrom: directory.path).id(startingWith: options.run)
        try await DaemonClient(state: directory).cancel(id)
        try RunAnswer(runId: id.text, state: "cancelled").print(json: options.output.json)
    }
}

/// `wafermark runs delete`.
struct RunsDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Remove a run that has ended, with its files.")

    @OptionGroup var options: RunOptions

    func run() async throws {
        let directory = options.state.directory
        let id = try RunStore(readingFrom: directory.path).id(startingWith: options.run)
        try await DaemonClient(state: directory).delete(id)
        try RunAnswer(runId: id.text, state: "deleted").print(json: options.output.json)
    }
}

/// What became of a run by request.
private struct RunAnswer: Encodable {
    var runId: String
    var state: String

    func print(json: Bool) throws {
        if json {
            try Console.printJSON(self)
        } else {
            Console.print("run \(runId) \(state)")
        }
    }
}
