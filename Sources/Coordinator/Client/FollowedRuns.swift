import Jobs
import Runs
import Synchronization

/// Runs that a comparison launches one after the other and follows to their ends.
final class FollowedRuns: Sendable {
    private let client: DaemonClient
    private let state: StateDirectory
    /// The run that is under way.
    private let underWay = Mutex<RunID?>(nil)

    init(client: DaemonClient, state: StateDirectory) {
        self.client = client
        self.state = state
    }

    /// Launches `job` and returns its record once it has finished.
    ///
    /// - Parameter look: called with every snapshot.
    /// - Throws: `BackendComparison.Failure` where it ended otherwise; what the client and the store throw;
    ///   `CancellationError` once the run of a cancelled task has ended.
    func record(
        of job: Job, on backend: Backend, workers: Int = 1, hardware: String? = nil,
        exchange: ExchangeSettings = ExchangeSettings(), emulation: EmulationSettings? = nil,
        look: @escaping @Sendable (RunWatcher.Snapshot) async throws -> Void
    ) async throws -> RunRecord {
        let store = try RunStore(readingFrom: state.path)
        let id = try await client.launch(
            job, on: backend, workers: workers, hardware: hardware, exchange: exchange, emulation: emulation)
        let run = try await follow(id, in: store, look: look).run
        guard case .finished = run.state else { throw BackendComparison.Failure.run(run) }
        return try store.record(of: id)
    }

    /// Ends the run that is being cancelled without a last checkpoint.
    func endAtOnce() async {
        if let id = underWay.withLock({ $0 }) { try? await client.cancel(id) }
    }

    private func follow(
        _ id: RunID, in store: RunStore, look: @escaping @Sendable (RunWatcher.Snapshot) async throws -> Void
    ) async throws -> RunWatcher.Snapshot {
        underWay.withLock { $0 = id }
        let watcher = RunWatcher(store: store, id: id)
        do {
            return try await watcher.follow(state: state, look: look)
        } catch is CancellationError {
            let client = client
            let state = state
            // The clean-up must outlive the cancelled task.
            _ = try? await Task {
                try await client.cancel(id)
                return try await watcher.follow(state: state) { _ in }
            }.value
            throw CancellationError()
        }
    }
}
