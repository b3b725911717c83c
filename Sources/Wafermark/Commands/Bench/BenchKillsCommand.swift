import ArgumentParser
import Coordinator
import Foundation

/// `wafermark bench kills`: whether a kill of the daemon loses anything.
struct BenchKillsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kills", abstract: "Kill a daemon at random moments while it writes; look at its database.",
        discussion: """
            A daemon of its own carries out runs of two workers. It is killed by SIGKILL at
            moments that the seed chooses, while a client hands in another run. After every
            kill SQLite's integrity_check looks at the database as it was left; the events
            and steps that were on record, and the run that was accepted, must be in it.
            The next daemon goes on with the run, which must end with the losses and
            weights of an undisturbed one, to the bit.
            """)

    @Option(help: ArgumentHelp("How often.", valueName: "n"))
    var times = 200

    @Option(help: ArgumentHelp("Chooses the moments.", valueName: "n"))
    var seed: UInt64 = 1

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...100_000).contains(times) else {
            throw ValidationError("--times is \(times); 1 to 100000 are allowed")
        }
    }

    func run() async throws {
        let folder = "/tmp/wafermark-kills-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let bench = KillBench(seed: seed, times: times, folder: folder, executable: try ThisProgram.executable()) {
            Console.diagnose($0)
        }
        let result = try await Interruption.cancels { try await bench.run() }
        if output.json {
            try Console.printJSON(result)
        } else {
            Console.print("\(result.kills) kills, seed \(seed), \(Int(result.hostSeconds)) s")
            Console.print("  while the record was being written: \(result.killsWhileWriting)")
            Console.print("  sound databases: \(result.soundDatabases)")
            Console.print("  steps and events that had to be there: \(result.steps), \(result.events)")
            Console.print("  submissions answered: \(result.acknowledged), not answered: \(result.unanswered)")
            Console.print("  runs that ended as if undisturbed: \(result.finishedRuns)")
        }
        guard result.reasons.isEmpty else {
            throw CommandFailure.failed(
                "\(result.reasons.joined(separator: "; ")); the records and logs are in \(folder)")
        }
        try FileManager.default.removeItem(atPath: folder)
    }
}
