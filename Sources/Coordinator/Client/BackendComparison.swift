import Foundation
import Jobs
import Report
import Runs
import Synchronization

/// Trains one job on both backends, one after the other, and reports on the two side by side.
public struct BackendComparison: Sendable {
    /// What is compared and where the report goes.
    public struct Request: Sendable {
        /// The job.
        public var job: Job
        /// Worker processes of the cluster.
        public var workers: Int
        /// How they sum gradients.
        public var algorithm: CollectiveAlgorithm
        /// The size of the buckets in which they do; nil for the usual.
        public var bucket: Bytes?
        /// Hardware profiles that the backends stand for.
        public var clusterHardware: String?
        public var waferHardware: String?
        /// The report's folder.
        public var output: String

        /// A request of the given parts.
        public init(
            job: Job, workers: Int, algorithm: CollectiveAlgorithm, bucket: Bytes? = nil, clusterHardware: String?,
            waferHardware: String?, output: String
        ) {
            self.job = job
            self.workers = workers
            self.algorithm = algorithm
            self.bucket = bucket
            self.clusterHardware = clusterHardware
            self.waferHardware = waferHardware
            self.output = output
        }
    }

    /// Why there is no comparison.
    public enum Failure: Error, Sendable, CustomStringConvertible {
        /// A run ended otherwise than finished.
        case run(Run)

        public var description: String {
            switch self {
            case .run(let run):
                if case .failed(let reason) = run.state {
                    "run \(run.id) on the \(run.backend.rawValue) failed: \(reason)"
                } else {
                    "run \(run.id) on the \(run.backend.rawValue) ended: \(run.state.name)"
                }
            }
        }
    }

    private let request: Request
    private let state: StateDirectory
    private let client: DaemonClient
    private let underWay = UnderWay()

    /// The run that is under way.
    private final class UnderWay: Sendable {
        let id = Mutex<RunID?>(nil)
    }

    /// A comparison through `client`, whose daemon keeps its records in `state`.
    public init(_ request: Request, state: StateDirectory, client: DaemonClient) {
        self.request = request
        self.state = state
        self.client = client
    }

    /// Trains, writes the report, and returns what `compare --json` prints.
    ///
    /// Cancelling the task cancels the runs and returns once they have ended.
    ///
    /// - Parameter look: called with every snapshot of the run that is under way.
    /// - Throws: `Failure`; what the client, the store and the report throw; `CancellationError`.
    public func run(
        look: @escaping @Sendable (RunWatcher.Snapshot) async throws -> Void
    ) async throws -> ComparisonSummary {
        let store = try RunStore(readingFrom: state.path)
        var records: [RunRecord] = []
        for backend in [Backend.cluster, .wafer] {
            let id = try await client.launch(
                request.job, on: backend, workers: backend == .cluster ? request.workers : 1,
                hardware: backend == .cluster ? request.clusterHardware : request.waferHardware,
                algorithm: request.algorithm, bucket: request.bucket)
            let run = try await follow(id, in: store, look: look).run
            guard case .finished = run.state else { throw Failure.run(run) }
            records.append(try store.record(of: id))
        }
        let report = try ReportMaking.report(of: records, in: state)
        let paths = try ReportMaking.write(report, of: records, to: request.output)
        return ComparisonSummary(report, reportPath: paths.first)
    }

    /// Ends the run that is being cancelled without a last checkpoint.
    public func endAtOnce() async {
        if let id = underWay.id.withLock({ $0 }) { try? await client.cancel(id) }
    }

    private func follow(
        _ id: RunID, in store: RunStore, look: @escaping @Sendable (RunWatcher.Snapshot) async throws -> Void
    ) async throws -> RunWatcher.Snapshot {
        underWay.id.withLock { $0 = id }
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
