import Foundation
import Jobs

/// Starts workers as batch jobs of a site's Slurm, one each, follows their state, and ends them with the run.
///
/// The job's script holds no secret: the worker reads its key and the run's secret from files of the run's folder, which
/// coordinator and nodes share.
public struct SlurmLauncher: WorkerLauncher {
    /// What the site wants of every job.
    public struct Settings: Sendable {
        /// The coordinator's host, as the nodes know it.
        public var host: String
        /// Options of sbatch, such as `--partition=gpu`.
        public var options: [String]

        /// The given settings.
        public init(host: String, options: [String]) {
            self.host = host
            self.options = options
        }
    }

    private let settings: Settings
    private let queue = SlurmQueue()

    /// How often a job's state is looked at.
    private static let pause = Duration.seconds(1)
    /// How long a worker may take to end by itself with its run, and Slurm to end it.
    private static let grace = 5.0
    private static let cancelDeadline = 60.0

    /// A launcher of the given settings.
    public init(settings: Settings) { self.settings = settings }

    public func run(_ worker: WorkerCommand, started: @escaping @Sendable (Int32) -> Void) async throws -> WorkerExit {
        let (script, arguments) = try Self.job(of: worker, settings)
        let queue = queue
        // A job that was handed in must be followed, and ended, also where this task is cancelled meanwhile.
        let number = try await Task { try await queue.submit(script, arguments: arguments) }.value
        await queue.follow(number)
        let exit = await follow(number)
        if let exit {
            await queue.forget(number)
            return exit
        }
        await Task { await end(number) }.value
        throw CancellationError()
    }

    /// Waits until job `number` has ended; nil where this task is cancelled first.
    private func follow(_ number: String) async -> WorkerExit? {
        while !Task.isCancelled {
            if case .ended(let state) = await queue.state(of: number) {
                return await queue.exit(of: number, state: state)
            }
            try? await Task.sleep(for: Self.pause)
        }
        return nil
    }

    /// Ends job `number`: one that waits at once, one that runs once it has had time to end by itself.
    private func end(_ number: String) async {
        if await !hasEnded(number, within: Self.grace) {
            await queue.cancel(number)
            _ = await hasEnded(number, within: Self.cancelDeadline)
        }
        await queue.forget(number)
    }

    private func hasEnded(_ number: String, within seconds: Double) async -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        repeat {
            switch await queue.state(of: number) {
            case .ended: return true
            case .waiting where seconds == Self.grace: return false
            case .waiting, .running, nil: break
            }
            try? await Task.sleep(for: Self.pause)
        } while ContinuousClock.now < end
        return false
    }

    /// The batch script of `worker`, and sbatch's arguments.
    ///
    /// - Throws: `LauncherError.spawn` where the command says not all that a worker of another host needs.
    static func job(of worker: WorkerCommand, _ settings: Settings) throws -> (script: String, arguments: [String]) {
        guard let run = worker.run, let rank = worker.rank, let port = worker.port, let keyFile = worker.keyFile,
            let tokenFile = worker.tokenFile
        else {
            throw LauncherError.spawn(executable: worker.executable, reason: "workers of other hosts are not taken")
        }
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        let command = [
            "srun", "--ntasks=1", "--input=none", worker.executable, "worker", "--join", "tcp://\(host):\(port)",
            "--run", run.text,
            "--rank", String(rank.index), "--transport", worker.transport.rawValue, "--key", keyFile,
            "--token-file", tokenFile,
        ]
        let arguments = [
            "--job-name=wafermark-\(run)-\(rank)", "--ntasks=1", "--cpus-per-task=\(worker.cores)",
            "--output=\(worker.log)", "--open-mode=append", "--no-requeue", "--chdir=/",
        ]
        return ("#!/bin/sh\nexec \(command.map(quoted).joined(separator: " "))\n", arguments + settings.options)
    }

    /// `text` as one word of the shell's.
    private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: #"'\''"#) + "'" }
}
