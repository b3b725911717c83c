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

/// `wafermark worker`: what a launcher starts, once for each worker. The run's secret comes in the environment.
struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Be a worker of a run (started by the daemon).", shouldDisplay: false)

    @Option(help: "The coordinator's endpoint.")
    var join: String

    @Option(name: .customLong("run"), help: "The run.")
    var runName: String

    @Option(help: "The worker's number.")
    var rank: Int

    func run() throws {
        guard let id = RunID(runName), rank >= 0 else {
            throw CommandFailure.wrongUsage(
                "--run '\(runName)' --rank \(rank): a run's id and a number from 0 are needed")
        }
        guard let token = ProcessInfo.processInfo.environment[WorkerEnvironment.token] else {
            throw CommandFailure.wrongUsage("\(WorkerEnvironment.token) is not set: workers are started by the daemon")
        }
        try WorkerProcess(
            options: WorkerProcess.Options(
                coordinator: join, run: id, rank: WorkerRank(rank), token: token,
                libraries: WorkerProcess.Libraries(
                    instructionSet: KernelLibrary.instructionSet, oneDNN: KernelLibrary.oneDNNVersion,
                    wafermark: Program.version)),
            makeWafer: WaferBackend.backend(for:)
        ).run()
    }
}
