import ArgumentParser
import Coordinator
import Foundation
import Jobs

/// `wafermark bench list`: how long many stored runs take to be listed.
struct BenchListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List many stored runs, again and again.",
        discussion: """
            Stores runs of all fates in a state directory of its own and runs 'runs list',
            with and without --all and --json, as whole commands by turns. Fails where the
            median of one of them is 100 ms or more.
            """)

    @Option(help: ArgumentHelp("Stored runs.", valueName: "n"))
    var runs = 10_000

    @Option(help: ArgumentHelp("How often each command is run.", valueName: "n"))
    var repetitions = 21

    @OptionGroup var output: OutputOptions

    private static let limitMilliseconds = 100.0

    func validate() throws {
        guard (1...1_000_000).contains(runs) else {
            throw ValidationError("--runs is \(runs); 1 to 1000000 are allowed")
        }
        guard (1...1_000).contains(repetitions) else {
            throw ValidationError("--repetitions is \(repetitions); 1 to 1000 are allowed")
        }
    }

    func run() async throws {
        let scratch = try ScratchFolder()
        defer { scratch.remove() }
        let bench = ListBench(
            runs: runs, repetitions: repetitions, folder: scratch.path, executable: try ThisProgram.executable())
        let result = try await Interruption.cancels { try await bench.run() }
        if output.json {
            try Console.printJSON(result)
        } else {
            Console.print("\(result.storedRuns) stored runs, each command \(result.repetitions) times (host clock)")
            for row in result.rows {
                let name = row.arguments.joined(separator: " ").padding(toLength: 17, withPad: " ", startingAt: 0)
                Console.print(
                    "  \(name)"
                        + String(format: "median %.1f ms, most %.1f ms, ", row.medianMilliseconds, row.mostMilliseconds)
                        + "\(row.outputBytes) bytes")
            }
        }
        let slow = result.rows.filter { $0.medianMilliseconds >= Self.limitMilliseconds }
        guard slow.isEmpty else {
            throw CommandFailure.failed(
                slow.map {
                    "'\($0.arguments.joined(separator: " "))' takes \($0.medianMilliseconds) ms; below 100 is allowed"
                }.joined(separator: "; "))
        }
    }
}
