import Jobs
import Runs
import Synchronization

/// Runs that a comparison or a measurement launches one after the other and follows to their ends.
package final class FollowedRuns: Sendable {
    private let client: DaemonClient
    private let state: StateDirectory
    /// The run that is under way.
    private let underWay = Mutex<RunID?>(nil)

    /// Runs through `client`, whose daemon keeps its records in `state`.
    package init(client: DaemonClient, state: StateDirectory) {
        self.client = client
        self.state = state
    }

    /// Launches `job` and returns its record once it has finished.
    ///
    /// - Parameter look: called with every snapshot.
    /// - Throws: `BackendComparison.Failure` where it ended otherwise; what the client and the store throw;
    ///   `CancellationError` once the run of a cancelled task has ended.
    package func record(
        of job: Job, on backend: Backend, workers: Int = 1, hardware: String? = nil,
        exchange: ExchangeSettings = ExchangeSettings(), emulation: EmulationSettings? = nil,
        look: @escaping @Sendable (RunWatcher.Snapshot) async throws -> Void = { _ in }
    ) async throws -> RunRecord {
        let store = try RunStore(readingFrom: state.path)
        let id = try await client.launch(
            job, on: backend, workers: workers, hardware: hardware, exchange: exchange, emulation: emulation)
        let run = try await follow(id, in: store, look: look).run
        guard case .finished = run.state else { throw BackendComparison.Failure.run(run) }
        return try store.record(of: id)
    }

    /// The record of a run that is launched for what its steps take. The run is removed then, with its files: checkpoints of
    /// many runs would fill a disk.
    ///
    /// - Throws: as `record`, and what the client throws where the run can't be removed.
    package func measurement(
        of job: Job, on backend: Backend, workers: Int = 1, hardware: String? = nil,
        exchange: ExchangeSettings = ExchangeSettings(), emulation: EmulationSettings? = nil
    ) async throws -> RunRecord {
        let record = try await record(
            of: job, on: backend, workers: workers, hardware: hardware, exchange: exchange, emulation: emulation)
        try await client.delete(record.run.id)
        return record
    }

    /// The end of the run that was submitted with `key`: of the one that is there, which goes on where it has ended before it
    /// was complete, or of a new one.
    ///
    /// - Parameter look: called with every snapshot.
    /// - Throws: what the client and the store throw; `CancellationError` once the run of a cancelled task has ended.
    func end(
        of point: SweepPoint, submittedWith key: String,
        look: @escaping @Sendable (RunWatcher.Snapshot) async throws -> Void
    ) async throws -> Run {
        let store = try RunStore(readingFrom: state.path)
        if let known = try store.run(submittedWith: key) {
            switch known.state {
            case .finished: return known
            case .queued, .preparing, .running: break
            case .failed, .cancelled, .interrupted: try await client.resume(known.id)
            }
            return try await follow(known.id, in: store, look: look).run
        }
        let id = try await client.launch(
            point.job, on: point.backend, workers: point.workers, hardware: point.hardware, exchange: point.exchange,
            terms: SubmissionTerms(key: key), emulation: point.emulation)
        return try await follow(id, in: store, look: look).run
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
