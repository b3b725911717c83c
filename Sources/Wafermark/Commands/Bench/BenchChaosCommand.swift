import ArgumentParser
import Coordinator
import Foundation

/// `wafermark bench chaos`: whether anything shows of faults.
struct BenchChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos", abstract: "Train while processes and connections fail; look for traces.",
        discussion: """
            Trains a small job again and again on a daemon of its own while workers and
            the coordinator are killed, stopped, delayed, ended and added, and connections
            between them delayed, cut and made deaf, at moments that the seed chooses.
            Every run must end with the losses and weights of an undisturbed one, to the
            bit, and leave no process and no socket.
            """)

    @Option(help: ArgumentHelp("How long, at least; the run under way is finished.", valueName: "m"))
    var minutes = 1.0

    @Option(help: ArgumentHelp("Chooses faults and moments.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Steps of each run.", valueName: "n"))
    var steps = 400

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard minutes > 0, minutes <= 1_440 else {
            throw ValidationError("--minutes is \(minutes); more than 0 and at most 1440 are allowed")
        }
        guard (1...100_000).contains(steps) else {
            throw ValidationError("--steps is \(steps); 1 to 100000 are allowed")
        }
    }

    func run() async throws {
        let folder = "/tmp/wafermark-chaos-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let bench = ChaosBench(
            seed: seed, minutes: minutes, steps: steps, folder: folder, executable: try ThisProgram.executable()
        ) { Console.diagnose($0) }
        let result = try await Interruption.cancels { try await bench.run() }
        if output.json {
            try Console.printJSON(result)
        } else {
            Console.print("\(result.runs) runs, \(result.steps) steps, seed \(seed)")
            for (kind, count) in result.faults.sorted(by: { $0.key < $1.key }) {
                Console.print("  \(kind.replacingOccurrences(of: "_", with: " ")): \(count)")
            }
            Console.print(
                "hangs: \(result.hangs), failures: \(result.failures), wrong digests: \(result.wrongDigests), "
                    + "wrong examples: \(result.wrongExamples), orphans: \(result.orphans), "
                    + "sockets left: \(result.leftSockets)")
        }
        guard result.isClean else {
            throw CommandFailure.failed(
                "\(result.reasons.joined(separator: "; ")); the records and logs are in \(folder)")
        }
        try FileManager.default.removeItem(atPath: folder)
    }
}
