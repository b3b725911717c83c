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
        /// What happened so far.
        public var events: [RunEvent]
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
    /// - Throws: `RunStoreError`; `CancellationError`; `DaemonError.notRunning` where the daemon has gone and left the run
    ///   unfinished.
    public func follow(
        state: StateDirectory, look: @Sendable (Snapshot) async throws -> Void
    ) async throws -> Snapshot {
        var steps: [StepRecord] = []
        var workers: [WorkerStepRecord] = []
        while true {
            let isHeld = DaemonLock.isHeld(in: state)
            let news = try store.record(of: id, stepsFrom: StepNumber(steps.count))
            steps += news.steps
            if !news.workerSteps.isEmpty { workers = news.newestWorkerSteps }
            let snapshot = Snapshot(
                run: news.run, steps: steps, evaluations: news.evaluations, workers: workers,
                events: news.events)
            try await look(snapshot)
            if news.run.state.isFinal { return snapshot }
            guard isHeld else { throw DaemonError.notRunning(state: state.path) }
            try await Task.sleep(for: interval)
        }
    }
}
