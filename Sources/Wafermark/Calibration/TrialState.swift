import Coordinator
import Foundation
import Jobs
import Runs

/// A daemon in a state directory of its own, for what is measured by training; both are gone afterwards.
enum TrialState {
    /// Lets `body` launch runs there; ended by a signal, it cancels them.
    static func run<Outcome: Sendable>(
        _ body: @escaping @Sendable (StateDirectory, DaemonSession) async throws -> Outcome
    ) async throws -> Outcome {
        let scratch = try ScratchFolder()
        defer { scratch.remove() }
        let directory = StateDirectory(path: scratch.path)
        let session = DaemonSession(
            options: try ThisProgram.daemonOptions(state: directory, endpoints: []),
            logger: ThisProgram.logger(level: .warning))
        return try await Interruption.cancels { try await body(directory, session) }
    }

    /// The record of the run `id`, once it has finished.
    ///
    /// - Throws: `failed` where it ends in another way.
    static func record(of id: RunID, in state: StateDirectory) async throws -> RunRecord {
        let store = try RunStore(readingFrom: state.path)
        let last = try await RunWatcher(store: store, id: id).follow(state: state) { _ in }
        guard case .finished = last.run.state else {
            let reason = if case .failed(let reason) = last.run.state { ": \(reason)" } else { "" }
            throw CommandFailure.failed(
                "run \(id) of \(last.run.job.name) ended: \(last.run.state.name)\(reason)")
        }
        return try store.record(of: id)
    }
}
