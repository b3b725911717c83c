import Jobs
import Subprocess
import SystemPackage

/// Starts workers as child processes of this one.
///
/// Each worker's standard input is a pipe whose other end this process holds open and never writes to: when this process
/// ends, however it ends, the worker reads the end of the file and leaves. So a killed coordinator leaves no orphans.
public struct LocalLauncher: WorkerLauncher {
    /// How long a worker that was asked to end may take before it is killed.
    public let grace: Duration

    /// A launcher that kills after `grace`.
    public init(grace: Duration = .seconds(5)) { self.grace = grace }

    public func run(_ worker: WorkerCommand, started: @escaping @Sendable (Int32) -> Void) async throws -> WorkerExit {
        let log: FileDescriptor
        do {
            log = try FileDescriptor.open(
                FilePath(worker.log), .writeOnly, options: [.create, .append, .closeOnExec],
                permissions: [.ownerReadWrite])
        } catch {
            throw LauncherError.log(path: worker.log, reason: "\(error)")
        }
        defer { try? log.close() }
        let lifeline: (readEnd: FileDescriptor, writeEnd: FileDescriptor)
        do {
            lifeline = try FileDescriptor.pipe(options: [.closeOnExec])
        } catch {
            throw LauncherError.spawn(executable: worker.executable, reason: "no pipe could be made: \(error)")
        }
        defer { try? lifeline.writeEnd.close() }

        var options = PlatformOptions()
        // A group of its own, so that Ctrl-C in the terminal reaches this process alone, which then ends the workers.
        options.processGroupID = 0
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: grace)]
        var environment = Environment.inherit
        environment = environment.updating(
            Dictionary(
                uniqueKeysWithValues: worker.environment.compactMap { name, value in
                    Environment.Key(rawValue: name).map { ($0, value) }
                }))
        do {
            let result = try await Subprocess.run(
                .path(FilePath(worker.executable)), arguments: Arguments(worker.arguments), environment: environment,
                platformOptions: options, input: .fileDescriptor(lifeline.readEnd, closeAfterSpawningProcess: true),
                output: .fileDescriptor(log, closeAfterSpawningProcess: false),
                error: .fileDescriptor(log, closeAfterSpawningProcess: false)
            ) { execution in
                started(Int32(execution.processIdentifier.value))
            }
            switch result.terminationStatus {
            case .exited(let code): return .status(Int32(code))
            case .signaled(let number): return .signal(Int32(number))
            }
        } catch let error as SubprocessError {
            throw LauncherError.spawn(executable: worker.executable, reason: "\(error)")
        }
    }
}
