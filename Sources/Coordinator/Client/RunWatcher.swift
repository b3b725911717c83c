import Foundation
import Jobs
import Runs

/// Follows a run through the store, so that it can be watched whether or not the daemon that makes it answers.
public struct RunWatcher: Sendable {
    /// How a run stood at one moment.
    public struct Snapshot: Sendable {
        /// The run.
        public var run: Run
        /// All steps and evaluations so far.
        public var steps: [StepRecord]
        public var evaluations: [EvaluationRecord]
        /// What each worker's time went into at the newest step.
        public var workers: [WorkerStepRecord]
    }

    private let store: RunStore
    private let id: RunID
    private let interval: Duration

    /// A watcher of run `id` that looks every `interval`.
    public init(store: RunStore, id: RunID, interval: Duration = .milliseconds(250)) {
        self.store = store
        self.id = id
        self.interval = interval
    }

    /// Calls `look` with every new snapshot until the run has ended, and returns the last one.
    ///
    /// - Throws: `StoreError`; `CancellationError`; `DaemonError.notRunning` where the daemon has gone and left the run
    ///   unfinished.
    public func follow(
        state: StateDirectory, look: @Sendable (Snapshot) async throws -> Void
    ) async throws -> Snapshot {
        var steps: [StepRecord] = []
        while true {
            let isHeld = DaemonLock.isHeld(in: state)
            let run = try store.run(id)
            steps += try store.steps(of: id, from: StepNumber(steps.count))
            let snapshot = Snapshot(
                run: run, steps: steps, evaluations: try store.evaluations(of: id),
                workers: try steps.last.map { try store.workerSteps(of: id, step: $0.step) } ?? [])
            try await look(snapshot)
            if run.state.isFinal { return snapshot }
            guard isHeld else { throw DaemonError.notRunning(state: state.path) }
            try await Task.sleep(for: interval)
        }
    }
}
