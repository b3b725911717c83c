import ArgumentParser
import Cluster
import Coordinator
import Foundation
import Jobs
import Kernels
import Wafer

/// `wafermark prepare-dataset`: what the daemon starts to turn text into examples. Prints a `PreparedDataset` as JSON.
struct PrepareDatasetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prepare-dataset", abstract: "Prepare a job's dataset (started by the daemon).",
        shouldDisplay: false)

    @Option(help: "The job as JSON.")
    var job: String

    @Option(help: "The folder of all datasets.")
    var into: String

    func run() throws {
        let job = try JSONDecoder().decode(Job.self, from: try Data(contentsOf: URL(fileURLWithPath: self.job)))
        let dataset = try DatasetCache.dataset(for: job, under: into)
        Console.print(String(decoding: try JSONEncoder().encode(dataset), as: UTF8.self))
    }
}

/// `wafermark fabric`: what the daemon starts for each membership of an emulated run.
struct FabricCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fabric", abstract: "Hold the links of an emulated network (started by the daemon).",
        shouldDisplay: false)

    @Option(help: "The plan as JSON.")
    var plan: String

    @Option(help: "The file that takes what passed.")
    var report: String

    func run() throws { try FabricProcess(planFile: plan, reportFile: report).run() }
}

/// `wafermark worker`: what a launcher starts, once for each worker, or a user to add one to a run that is under way. The
/// run's secret comes in the environment, or is read where the daemon keeps it.
struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Join a run that is under way as one more worker.",
        discussion: """
            It is admitted after the step in flight, gets weights and optimizer state from
            another worker, and takes lanes; the run's bits stay the same. The daemon
            starts a run's first workers by itself.
            """)

    @Option(
        help: ArgumentHelp(
            "The run's endpoint: ipc://STATE/sockets/RUN in the daemon's state directory.", valueName: "endpoint"))
    var join: String

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("The run's id; by default what the endpoint ends with.", valueName: "id"))
    var runName: String?

    @Option(help: .hidden)
    var rank: Int?

    @Option(help: .hidden)
    var transport = Transport.sharedMemory

    func run() throws {
        let name = runName ?? String(join.split(separator: "/").last ?? "")
        guard let id = RunID(name), rank ?? 0 >= 0 else {
            throw CommandFailure.wrongUsage("'\(name)' is no run's id: give --join ipc://STATE/sockets/RUN, or --run")
        }
        try WorkerProcess(
            options: WorkerProcess.Options(
                coordinator: join, run: id, rank: rank.map { WorkerRank($0) }, transport: transport,
                token: try token(of: id),
                libraries: WorkerProcess.Libraries(
                    instructionSet: KernelLibrary.instructionSet, oneDNN: KernelLibrary.oneDNNVersion,
                    wafermark: Program.version)),
            makeWafer: WaferBackend.backend(for:)
        ).run()
    }

    private func token(of id: RunID) throws -> String {
        if let token = ProcessInfo.processInfo.environment[WorkerEnvironment.token] { return token }
        let sockets = URL(fileURLWithPath: String(join.dropFirst("ipc://".count))).deletingLastPathComponent()
        let file = StateDirectory(path: sockets.deletingLastPathComponent().path).run(id).tokenFile
        guard join.hasPrefix("ipc://"), let token = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw CommandFailure.wrongUsage(
                "the run's secret is not known: \(WorkerEnvironment.token) is not set and \(file) can't be read; "
                    + "is run \(id) under way?")
        }
        return token
    }
}
