import Foundation
import Jobs
import Report
import Runs

/// Trains variants of one job on the wafer backend under several seeds, and each sparse one once on the cluster too, to
/// compare bits; then reports on the variants side by side.
public struct VariantComparison: Sendable {
    /// What is compared and where the report goes.
    public struct Request: Sendable {
        /// The job; its seed is the first.
        public var job: Job
        /// The variants; the others are compared with the first.
        public var variants: [SparsityVariant]
        /// How many seeds.
        public var seeds: Int
        /// Worker processes of the cluster, and how they share lanes and exchange gradients.
        public var workers: Int
        public var exchange: ExchangeSettings
        /// The hardware profile that the wafer backend stands for.
        public var waferHardware: String?
        /// The report's folder.
        public var output: String

        /// A request of the given parts.
        public init(
            job: Job, variants: [SparsityVariant], seeds: Int, workers: Int, exchange: ExchangeSettings,
            waferHardware: String?, output: String
        ) {
            self.job = job
            self.variants = variants
            self.seeds = seeds
            self.workers = workers
            self.exchange = exchange
            self.waferHardware = waferHardware
            self.output = output
        }
    }

    private let request: Request
    private let runs: FollowedRuns

    /// A comparison through `client`, whose daemon keeps its records in `state`.
    public init(_ request: Request, state: StateDirectory, client: DaemonClient) {
        self.request = request
        runs = FollowedRuns(client: client, state: state)
    }

    /// Trains, writes the report, and returns it with the paths of its files.
    ///
    /// Cancelling the task cancels the run under way and returns once it has ended.
    ///
    /// - Parameter look: called with every snapshot of the run that is under way.
    /// - Throws: `BackendComparison.Failure`; what the client, the store and the report throw; `CancellationError`.
    public func run(
        look: @escaping @Sendable (RunWatcher.Snapshot) async throws -> Void
    ) async throws -> (report: VariantReport, paths: [String]) {
        var entries: [[VariantReport.Entry]] = request.variants.map { _ in [] }
        for index in 0..<request.seeds {
            let seed = request.job.seed &+ UInt64(index)
            // Every other seed in reverse, so that a machine that grows slower favours no variant.
            let order = request.variants.indices.map { index % 2 == 0 ? $0 : request.variants.count - 1 - $0 }
            for place in order {
                let variant = request.variants[place]
                let job = variant.job(request.job, seed: seed)
                let record = try await runs.record(of: job, on: .wafer, hardware: request.waferHardware, look: look)
                entries[place].append(VariantReport.Entry(variant: variant, record: record))
            }
        }
        for place in request.variants.indices where request.variants[place].percentZeros > 0 {
            let job = request.variants[place].job(request.job, seed: request.job.seed)
            entries[place][0].cluster = try await runs.record(
                of: job, on: .cluster, workers: request.workers, exchange: request.exchange, look: look)
        }
        let report = try VariantReport(entries.flatMap { $0 }, generated: Date())
        return (report, try report.write(to: request.output))
    }

    /// Ends the run that is being cancelled without a last checkpoint.
    public func endAtOnce() async { await runs.endAtOnce() }
}
