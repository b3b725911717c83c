import ArgumentParser
import Coordinator
import Foundation

/// `wafermark bench soak`: whether a daemon leaks.
struct BenchSoakCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak", abstract: "Queue, finish, fail, cancel and delete runs again and again; look for leaks.",
        discussion: """
            A daemon of its own gets the same round of small runs until the time is up:
            runs that finish on both backends, fail before and in the training, are
            cancelled while they wait and while they run; all but one are deleted. Between
            the rounds it is looked at what the daemon's process holds; the first tenth of
            the time is left out. Fails where, from the first tenth of the rest to the
            last, memory grows by more than a tenth and 8 MiB, threads by more than 4,
            descriptors or sockets by more than 2, or where a process or socket is left
            after a round.
            """)

    @Option(help: ArgumentHelp("How long, at least; the round under way is finished.", valueName: "m"))
    var minutes = 60.0

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard minutes > 0, minutes <= 10_080 else {
            throw ValidationError("--minutes is \(minutes); more than 0 and at most 10080 are allowed")
        }
    }

    func run() async throws {
        let folder = "/tmp/wafermark-soak-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let bench = SoakBench(minutes: minutes, folder: folder, executable: try ThisProgram.executable()) {
            Console.diagnose($0)
        }
        let result = try await Interruption.cancels { try await bench.run() }
        if output.json { try Console.printJSON(result) } else { print(result) }
        guard result.reasons.isEmpty else {
            throw CommandFailure.failed(
                "\(result.reasons.joined(separator: "; ")); the records and logs are in \(folder)")
        }
        try FileManager.default.removeItem(atPath: folder)
    }

    private func print(_ result: SoakBench.Result) {
        Console.print("\(result.rounds) rounds, \(Int(result.hostSeconds)) s, \(result.storedRuns) runs on record")
        for (fate, count) in result.runs.sorted(by: { $0.key < $1.key }) {
            Console.print("  \(fate.replacingOccurrences(of: "_", with: ", ")): \(count)")
        }
        for (when, print) in [("start", result.start), ("middle", result.middle), ("end", result.end)] {
            guard let print else { continue }
            Console.print(
                "  \(when): " + String(format: "%.1f MiB, ", print.residentMebibytes)
                    + "\(print.descriptors) descriptors, \(print.sockets) sockets, \(print.threads) threads, "
                    + "\(print.children) children")
        }
    }
}
