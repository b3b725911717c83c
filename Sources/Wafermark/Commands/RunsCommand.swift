import ArgumentParser
import Coordinator
import Foundation
import Jobs
import Report
import Runs

/// `wafermark runs`: what was run, is running and waits.
struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "List, show, watch, end, resume, move and delete runs.",
        discussion: "A run is named by its id, or by any beginning of it that no other run shares.",
        subcommands: [
            RunsListCommand.self, RunsShowCommand.self, RunsEventsCommand.self, RunsWatchCommand.self,
            RunsResumeCommand.self, RunsCancelCommand.self, RunsDeleteCommand.self, RunsExportCommand.self,
            RunsImportCommand.self, RunsPinCommand.self, RunsPruneCommand.self,
        ])
}

/// A run by its id or a beginning of it, and where to look for it.
struct RunOptions: ParsableArguments {
    @Argument(help: "The run's id, or a beginning of it.")
    var run: String

    @OptionGroup var state: StateOptions
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions
}

/// `wafermark runs list`.
struct RunsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List all runs, newest first.",
        discussion: "With --daemon, prints the JSON document of that daemon's runs; so do show and events.")

    @Option(
        help: ArgumentHelp(
            "The most that are listed; \(RunsListCommand.usualLimit) by default, and all as JSON.", valueName: "n"))
    var limit: Int?

    @Flag(help: "List all of them.")
    var all = false

    private static let usualLimit = 50

    @OptionGroup var state: StateOptions
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit is \(limit); 1 and more are allowed") }
        if limit != nil, all { throw ValidationError("--limit and --all exclude each other; give one of them") }
    }

    func run() async throws {
        if try await daemon.printDocument(.list) { return }
        let store = try RunStore(readingFrom: state.directory.path)
        let runs = try store.list(limit: limit ?? (all || output.json ? nil : Self.usualLimit))
        if output.json {
            Console.printExactly(String(decoding: RunJSON.list(runs), as: UTF8.self))
            return
        }
        Console.printExactly(RunText.list(runs, now: Date()))
        // A run may have been added in between.
        let others = max(0, try store.count() - runs.count)
        if others > 0 { Console.print("\(others) more; --all or --limit N lists them") }
    }
}

/// `wafermark runs show`.
struct RunsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one run's figures.")

    @OptionGroup var options: RunOptions

    func run() async throws {
        if try await options.daemon.printDocument(.show(options.run)) { return }
        let store = try RunStore(readingFrom: options.state.directory.path)
        let record = try store.record(of: try store.id(startingWith: options.run))
        if options.output.json {
            Console.printExactly(String(decoding: try RunJSON.show(record), as: UTF8.self))
        } else {
            Console.printExactly(RunText.show(record))
        }
    }
}

/// `wafermark runs events`.
struct RunsEventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show everything that happened to a run.")

    @OptionGroup var options: RunOptions

    func run() async throws {
        if try await options.daemon.printDocument(.events(options.run)) { return }
        let store = try RunStore(readingFrom: options.state.directory.path)
        let record = try store.record(of: try store.id(startingWith: options.run))
        if options.output.json {
            Console.printExactly(String(decoding: try RunJSON.events(record), as: UTF8.self))
        } else {
            Console.printExactly(RunText.events(record))
        }
    }
}

/// `wafermark runs resume`.
struct RunsResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Go on with a run that ended before it was complete.",
        discussion: """
            It goes on from its newest whole checkpoint, also by another number of workers,
            and ends with the same losses and weights to the bit as if nothing had happened.
            """)

    @Argument(help: "The run's id, or a beginning of it.")
    var run: String?

    @Flag(help: "Go on with every run that a daemon's end has interrupted.")
    var resumeAll = false

    @Option(help: ArgumentHelp("Worker processes from now on; as many as before by default.", valueName: "n"))
    var workers: Int?

    @OptionGroup var state: StateOptions
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (run != nil) != resumeAll else { throw ValidationError("give a run, or --resume-all") }
        if let workers, workers < 1 { throw ValidationError("--workers is \(workers); 1 and more are allowed") }
    }

    func run() async throws {
        let directory = state.directory
        let ids =
            try run.map { [try daemon.run(named: $0, in: directory)] }
            ?? RunStore(readingFrom: directory.path).list().reversed().filter { $0.state == .interrupted }.map(\.id)
        let client = try daemon.client(of: directory)
        for id in ids { try await client.resume(id, workers: workers) }
        if output.json {
            try Console.printJSON(Resumed(runs: ids.map { RunAnswer(runId: $0.text, state: "queued") }))
        } else {
            for id in ids { Console.print("run \(id) goes on") }
        }
    }

    private struct Resumed: Encodable {
        var runs: [RunAnswer]
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
        commandName: "cancel", abstract: "End a run that waits or is under way.",
        discussion: "A last checkpoint is written first; asked a second time, the run ends at once.")

    @OptionGroup var options: RunOptions

    func run() async throws {
        let directory = options.state.directory
        let id = try options.daemon.run(named: options.run, in: directory)
        try await options.daemon.client(of: directory).cancel(id)
        guard try options.daemon.remote() == nil else {
            return try RunAnswer(runId: id.text, state: "cancelling").print(json: options.output.json)
        }
        // One that trains writes a last checkpoint first.
        let state = try RunStore(readingFrom: directory.path).run(id).state
        try RunAnswer(runId: id.text, state: state.isFinal ? state.name : "cancelling").print(json: options.output.json)
    }
}

/// `wafermark runs delete`.
struct RunsDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Remove a run that has ended, with its files.")

    @OptionGroup var options: RunOptions

    func run() async throws {
        let directory = options.state.directory
        let id = try options.daemon.run(named: options.run, in: directory)
        try await options.daemon.client(of: directory).delete(id)
        try RunAnswer(runId: id.text, state: "deleted").print(json: options.output.json)
    }
}

/// What became of a run by request.
struct RunAnswer: Encodable {
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
