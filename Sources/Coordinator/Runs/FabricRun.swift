import Cluster
import Foundation
import Jobs
import Runs

/// A fabric process, from its start to its end. It runs on this host, whatever starts the workers.
struct FabricRun: Sendable {
    /// What became of it.
    enum Outcome: Sendable {
        case ended(WorkerExit, lastWords: String?)
        case notStarted(reason: String)
    }

    private let task: Task<Void, Never>

    /// Starts the fabric of `plan`.
    ///
    /// - Parameters:
    ///   - cores: where it may run; nil for all.
    ///   - notify: told its end, unless it was asked for by `end`.
    init(
        _ plan: FabricPlan, executable: String, directory: RunDirectory, cores: CoreSet? = nil,
        notify: @escaping @Sendable (Outcome) -> Void
    ) {
        let file = directory.fabricPlan(epoch: plan.epoch)
        let command = WorkerCommand(
            rank: nil, executable: executable,
            arguments: ["fabric", "--plan", file, "--report", directory.fabricReport],
            environment: CoreSet.environment(cores),
            log: directory.fabricLog)
        task = Task {
            do {
                try? FileManager.default.removeItem(atPath: directory.fabricReport)
                try JSONEncoder().encode(plan).write(to: URL(fileURLWithPath: file), options: .atomic)
                let exit = try await LocalLauncher().run(command) { _ in }
                if Task.isCancelled { return }
                notify(.ended(exit, lastWords: LogTail.lastLine(of: command.log)))
            } catch is CancellationError {
                return
            } catch {
                if !Task.isCancelled { notify(.notStarted(reason: "\(error)")) }
            }
        }
    }

    /// Asks the process to end; without effect where it has.
    func end() { task.cancel() }

    /// Returns once the process has ended; asks it to where the caller's task is cancelled.
    func waitForEnd() async {
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// What the last fabric of a run carried; nil where it left no report.
    static func report(in directory: RunDirectory) -> FabricReport? {
        guard let data = FileManager.default.contents(atPath: directory.fabricReport) else { return nil }
        return try? JSONDecoder().decode(FabricReport.self, from: data)
    }
}

extension EmulatedLinkRecord {
    /// What `link` carried in `watched` time.
    init(_ link: FabricReport.Link, watched: EmulatedSeconds) {
        self.init(
            name: link.name, bytesPerSecond: link.bytesPerSecond, bytes: link.bytes, busy: link.busy,
            watched: watched, deepestQueue: link.deepestQueue, observedBusy: link.observedBusy, lost: link.lost)
    }
}
