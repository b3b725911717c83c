import ArgumentParser
import Coordinator
import Foundation

/// `wafermark bench control`: what a daemon takes.
struct BenchControlCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "control", abstract: "Load a daemon with many workers' signs of life and many clients at once.",
        discussion: """
            The workers are simulated: each has a connection of its own and gives a sign of
            life every second. The clients ask twice a second each, as commands do, with a
            connection for every request. Fails where a request takes 20 ms or more at the
            99th percentile, where anything was lost, or where memory grows by a tenth.
            """)

    @Option(name: .customLong("clients"), help: ArgumentHelp("Simulated workers.", valueName: "n"))
    var workers = 1_000

    @Option(help: ArgumentHelp("Clients that ask.", valueName: "n"))
    var askers = 50

    @Option(help: ArgumentHelp("For how long.", valueName: "s"))
    var seconds = 60.0

    @OptionGroup var output: OutputOptions

    private static let limitMilliseconds = 20.0

    func validate() throws {
        guard (1...4_000).contains(workers) else {
            throw ValidationError("--clients is \(workers); 1 to 4000 are allowed")
        }
        guard (1...1_000).contains(askers) else {
            throw ValidationError("--askers is \(askers); 1 to 1000 are allowed")
        }
        guard seconds >= 1, seconds <= 86_400 else {
            throw ValidationError("--seconds is \(seconds); 1 to 86400 are allowed")
        }
    }

    func run() async throws {
        let folder = "/tmp/wafermark-control-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bench = ControlBench(
            settings: ControlBench.Settings(workers: workers, clients: askers, seconds: seconds), folder: folder,
            executable: try ThisProgram.executable())
        let result = try await Interruption.cancels { try await bench.run() }
        if output.json {
            try Console.printJSON(result)
        } else {
            func text(_ latency: ControlBench.Latency) -> String {
                String(
                    format: "median %.2f ms, 99 %% within %.2f ms, most %.1f ms", latency.median, latency.p99,
                    latency.most)
            }
            Console.print("\(result.workers) workers, \(result.clients) clients, \(Int(result.hostSeconds)) s")
            Console.print(
                "  requests: \(result.requests), failed \(result.failedRequests); \(text(result.requestMilliseconds))")
            Console.print(
                "  signs of life: \(result.heartbeats), answered \(result.answeredHeartbeats); "
                    + text(result.heartbeatMilliseconds))
            Console.print("  on record: \(result.joinedEvents) joined, \(result.lostWorkers) lost")
            for (when, print) in zip(["start", "middle", "end"], result.daemon) {
                Console.print(
                    "  daemon, \(when): "
                        + String(format: "%.1f MiB, ", print.residentMebibytes)
                        + "\(print.descriptors) descriptors, \(print.threads) threads")
            }
        }
        let problems = problems(of: result)
        guard problems.isEmpty else { throw CommandFailure.failed(problems.joined(separator: "; ")) }
    }

    private func problems(of result: ControlBench.Result) -> [String] {
        var problems: [String] = []
        if result.requestMilliseconds.p99 >= Self.limitMilliseconds {
            problems.append(
                "the 99th percentile of requests is \(result.requestMilliseconds.p99) ms; below 20 is allowed")
        }
        if result.failedRequests > 0 { problems.append("\(result.failedRequests) requests were not answered") }
        if result.joinedEvents != result.workers || result.lostWorkers > 0 {
            problems.append(
                "of \(result.workers) workers \(result.joinedEvents) are on record and \(result.lostWorkers) lost")
        }
        // The last ones' answers may be on their way.
        if result.answeredHeartbeats < result.heartbeats - result.workers {
            problems.append("of \(result.heartbeats) signs of life \(result.answeredHeartbeats) were answered")
        }
        if let first = result.daemon.first, let last = result.daemon.last,
            last.residentMebibytes > first.residentMebibytes * 1.1 + 4
        {
            problems.append("memory grew from \(first.residentMebibytes) to \(last.residentMebibytes) MiB")
        }
        return problems
    }
}
