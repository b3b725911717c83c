import Coordinator
import Jobs
import Report
import Runs

/// Follows a run on the terminal, for every command that watches one.
struct RunWatching {
    /// Where the run's record is.
    var state: StateDirectory
    /// Whether standard output is kept for one JSON document, so that progress goes to standard error.
    var json: Bool

    /// Shows progress until the run has ended; then prints its document where asked for.
    ///
    /// Interrupting ends the watching, not the run.
    /// - Throws: `CommandFailure` where the run ended otherwise than finished.
    func follow(_ id: RunID) async throws {
        let store = try RunStore(readingFrom: state.path)
        let display = TerminalProgress(on: json ? .standardError : .standardOutput)
        let state = state
        let last: RunWatcher.Snapshot
        do {
            last = try await Interruption.cancels {
                try await RunWatcher(store: store, id: id).follow(state: state) { snapshot in
                    await display.show(RunProgress(snapshot))
                }
            }
        } catch is CancellationError {
            Console.diagnose(
                "run \(id) goes on; 'wafermark runs watch \(id)' shows it, 'wafermark runs cancel \(id)' ends it")
            throw CancellationError()
        }
        if json { Console.printExactly(String(decoding: try RunJSON.show(try store.record(of: id)), as: UTF8.self)) }
        switch last.run.state {
        case .finished: return
        case .failed: throw last.run.hasGivenUp == true ? CommandFailure.gaveUp : CommandFailure.alreadyReported
        case .queued, .preparing, .running, .cancelled, .interrupted:
            throw CommandFailure.failed("run \(id) was \(last.run.state.name)")
        }
    }
}

extension RunProgress {
    /// How a run stood when it was looked at.
    init(_ snapshot: RunWatcher.Snapshot) {
        self.init(
            run: snapshot.run, steps: snapshot.steps, evaluations: snapshot.evaluations, workers: snapshot.workers,
            events: snapshot.events)
    }
}
