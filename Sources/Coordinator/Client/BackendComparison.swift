import Foundation
import Jobs
import Report
import Runs

/// Trains one job on both backends, one after the other, and reports on the two side by side.
public struct BackendComparison: Sendable {
    /// What is compared and where the report goes.
    public struct Request: Sendable {
        /// The job.
        public var job: Job
        /// Worker processes of the cluster.
        public var workers: Int
        /// How they share lanes and exchange gradients.
        public var exchange: ExchangeSettings
        /// Hardware profiles that the backends stand for.
        public var clusterHardware: String?
        public var waferHardware: String?
        /// The report's folder.
        public var output: String

        /// A request of the given parts.
        public init(
            job: Job, workers: Int, exchange: ExchangeSettings = ExchangeSettings(), clusterHardware: String?,
            waferHardware: String?, output: String
        ) {
            self.job = job
            self.workers = workers
            self.exchange = exchange
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
    private let runs: FollowedRuns

    /// A comparison through `client`, whose daemon keeps its records in `state`.
    public init(_ request: Request, state: StateDirectory, client: DaemonClient) {
        self.request = request
        self.state = state
        runs = FollowedRuns(client: client, state: state)
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
        var records: [RunRecord] = []
        for backend in [Backend.cluster, .wafer] {
            records.append(
                try await runs.record(
                    of: request.job, on: backend, workers: backend == .cluster ? request.workers : 1,
                    hardware: backend == .cluster ? request.clusterHardware : request.waferHardware,
                    exchange: request.exchange, look: look))
        }
        let report = try ReportMaking.report(of: records, in: state)
        let paths = try ReportMaking.write(report, of: records, to: request.output)
        return ComparisonSummary(report, reportPath: paths.first)
    }

    /// Ends the run that is being cancelled without a last checkpoint.
    public func endAtOnce() async { await runs.endAtOnce() }
}
