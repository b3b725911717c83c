import ArgumentParser
import Coordinator
import Foundation
import Jobs
import Runs

/// Which stored runs are kept.
struct RetentionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Keep the newest so many runs.", valueName: "n"))
    var keepRuns: Int?

    @Option(help: ArgumentHelp("Keep runs that have ended within so many days.", valueName: "d"))
    var keepDays: Double?

    @Option(
        help: ArgumentHelp("Let the files of all runs take at most so much; the oldest go first.", valueName: "GiB"))
    var quotaGib: Double?

    func validate() throws {
        if let keepRuns, keepRuns < 0 { throw ValidationError("--keep-runs is \(keepRuns); 0 and more are allowed") }
        if let keepDays, !(keepDays >= 0 && keepDays <= 36_500) {
            throw ValidationError("--keep-days is \(keepDays); 0 to 36500 are allowed")
        }
        if let quotaGib, !(quotaGib >= 0 && quotaGib <= 1e6) {
            throw ValidationError("--quota-gib is \(quotaGib); 0 to 1000000 are allowed")
        }
    }

    /// What the user means.
    var retention: RunRetention {
        RunRetention(keepRuns: keepRuns, keepDays: keepDays, quota: quotaGib.map { Bytes(Int($0 * 0x1p30)) })
    }
}

/// `wafermark runs prune`.
struct RunsPruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove old runs, with their files.",
        discussion: """
            Kept in any case: runs that have not ended, that are pinned ('runs pin'), or
            after which another run comes ('--after') that has not finished. 'serve' takes
            the same options, and then removes by itself.
            """)

    @OptionGroup var retention: RetentionOptions

    @Flag(help: "Only say what would be removed.")
    var dryRun = false

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    private struct Removed: Encodable {
        struct Entry: Encodable {
            var runId: String
            var bytes: Int
            var reason: String
        }
        var isDryRun: Bool
        var runs: [Entry]
    }

    func validate() throws {
        if retention.retention.isEmpty { throw ValidationError("give --keep-runs, --keep-days or --quota-gib") }
    }

    func run() async throws {
        let directory = state.directory
        let removals = try retention.retention.removals(
            in: directory, store: try RunStore(readingFrom: directory.path))
        let client = DaemonClient(state: directory)
        for removal in removals {
            if !dryRun { try await client.delete(removal.id) }
            if !output.json {
                let mebibytes = String(format: "%.1f MiB", Double(removal.size.count) / 0x1p20)
                Console.print("\(dryRun ? "would remove" : "removed") \(removal.id), \(mebibytes): \(removal.reason)")
            }
        }
        if output.json {
            try Console.printJSON(
                Removed(
                    isDryRun: dryRun,
                    runs: removals.map {
                        Removed.Entry(runId: $0.id.text, bytes: $0.size.count, reason: $0.reason)
                    }))
        } else if removals.isEmpty {
            Console.print("nothing to remove")
        }
    }
}

/// `wafermark runs pin`.
struct RunsPinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Keep a run when room is made, by 'runs prune' or the daemon.",
        discussion: "'runs delete' still removes it.")

    @Argument(help: "The run's id, or a beginning of it.")
    var run: String

    @Flag(help: "Keep it no longer.")
    var undo = false

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let path = state.directory.path
        let id = try RunStore(readingFrom: path).id(startingWith: run)
        try RunStore(directory: path).pin(id, !undo)
        try RunAnswer(runId: id.text, state: undo ? "unpinned" : "pinned").print(json: output.json)
    }
}
