import Foundation
import Jobs
import Subprocess
import SystemPackage

/// Prepares a job's dataset in a process of its own, so that neither a hostile file nor a lack of memory can take the
/// daemon down with it. The process is this program's `prepare-dataset`; it prints a `PreparedDataset` as JSON.
struct DatasetPreparationProcess: Sendable {
    /// The program.
    let executable: String
    /// The folder of all datasets; one that was prepared before is found there.
    let datasets: String
    /// The file that takes the process's standard error.
    let log: String
    /// Where it may run; nil for all.
    var cores: CoreSet?

    /// Prepares the dataset of `job`. Cancelling the task ends the process.
    ///
    /// - Throws: `RunFault.dataset` with the process's own words where it fails.
    func run(for job: Job) async throws -> PreparedDataset {
        let file = log + ".job.json"
        do {
            try JSONEncoder().encode(job).write(to: URL(fileURLWithPath: file))
            let errors = try FileDescriptor.open(
                FilePath(log), .writeOnly, options: [.create, .truncate, .closeOnExec],
                permissions: [.ownerReadWrite])
            defer { try? errors.close() }
            var options = PlatformOptions()
            options.processGroupID = 0
            options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
            let environment = Environment.inherit.updating(
                Dictionary(
                    uniqueKeysWithValues: CoreSet.environment(cores).compactMap { name, value in
                        Environment.Key(rawValue: name).map { ($0, value) }
                    }))
            let result = try await Subprocess.run(
                .path(FilePath(executable)), arguments: ["prepare-dataset", "--job", file, "--into", datasets],
                environment: environment, platformOptions: options, output: .data(limit: 1 << 20),
                error: .fileDescriptor(errors, closeAfterSpawningProcess: false))
            try Task.checkCancellation()
            guard result.terminationStatus.isSuccess else {
                throw RunFault.dataset(
                    reason: LogTail.lastLine(of: log) ?? "the preparation of the dataset \(result.terminationStatus)")
            }
            return try JSONDecoder().decode(PreparedDataset.self, from: result.standardOutput)
        } catch let fault as RunFault {
            throw fault
        } catch {
            throw RunFault.dataset(reason: "the dataset could not be prepared: \(error)")
        }
    }
}
