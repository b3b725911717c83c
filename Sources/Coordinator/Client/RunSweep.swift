import Digests
import Foundation
import Jobs
import Report
import Runs

/// Carries a sweep's runs out, one after the other, and reports on all of them.
///
/// A run is known again by a key made of all that was asked for. So a sweep that was interrupted goes on with what is
/// missing, and one that has changed makes the runs that are new.
public struct RunSweep: Sendable {
    /// How a run of the sweep stands before anything is done.
    public struct Standing: Sendable {
        /// What is asked for.
        public var point: SweepPoint
        /// The run that is there already.
        public var run: Run?
    }

    /// Why there is no report.
    public enum Failure: Error, Sendable, CustomStringConvertible {
        /// No run has finished; the first reason.
        case noneFinished(reason: String)

        public var description: String {
            switch self {
            case .noneFinished(let reason): "no run of the sweep has finished: \(reason)"
            }
        }
    }

    private let plan: SweepPlan
    private let state: StateDirectory
    private let runs: FollowedRuns

    /// A sweep through `client`, whose daemon keeps its records in `state`.
    public init(_ plan: SweepPlan, state: StateDirectory, client: DaemonClient) {
        self.plan = plan
        self.state = state
        runs = FollowedRuns(client: client, state: state)
    }

    /// Every run of `plan`, with the one that is in `state` already.
    ///
    /// - Throws: `RunStoreError`.
    public static func standings(of plan: SweepPlan, in state: StateDirectory) throws -> [Standing] {
        let store = try RunStore(readingFrom: state.path)
        return try plan.points.map { point in
            Standing(point: point, run: try store.run(submittedWith: key(of: point, in: plan)))
        }
    }

    /// Trains what is missing, writes the report of all runs that have finished, and returns it with the paths of its
    /// files.
    ///
    /// A run that fails doesn't end the sweep. Cancelling the task cancels the run under way and returns once it has ended.
    ///
    /// - Parameters:
    ///   - next: called before each run, with its place in the plan.
    ///   - look: called with every snapshot of the run that is under way.
    /// - Throws: `Failure`; what the client, the store and the report throw; `CancellationError`.
    public func run(
        into output: String, next: @escaping @Sendable (Int) async -> Void,
        look: @escaping @Sendable (RunWatcher.Snapshot) async throws -> Void
    ) async throws -> (report: ComparisonReport, paths: [String]) {
        var rows: [SweepGrid.Row] = []
        var records: [RunRecord] = []
        for (index, point) in plan.points.enumerated() {
            await next(index)
            do {
                let run = try await runs.end(of: point, submittedWith: Self.key(of: point, in: plan), look: look)
                let isFinished = if case .finished = run.state { true } else { false }
                if isFinished { records.append(try RunStore(readingFrom: state.path).record(of: run.id)) }
                rows.append(
                    SweepGrid.Row(point, run: run, placeInReport: isFinished ? records.count - 1 : nil))
            } catch DaemonError.refused(let reason) {
                rows.append(SweepGrid.Row(point, refused: reason))
            }
        }
        guard !records.isEmpty else {
            throw Failure.noneFinished(reason: rows.lazy.compactMap(\.reason).first ?? "it has no runs")
        }
        var report = try ReportMaking.report(of: records, in: state)
        report.sweep = SweepGrid(name: plan.name, axes: plan.axes, rows: rows)
        return (report, try ReportMaking.write(report, of: records, to: output))
    }

    /// Ends the run that is being cancelled without a last checkpoint.
    public func endAtOnce() async { await runs.endAtOnce() }

    /// The key by which a run of the sweep is known again: the same for the same request, whichever other runs there are.
    static func key(of point: SweepPoint, in plan: SweepPlan) -> String {
        let digest = SHA256()
        let emulation = point.emulation.map { settings in
            // Equal settings give equal text.
            "\(settings.dilation ?? 0)|\(settings.standsFor ?? "")|\(settings.devicesPerNode ?? 0)|"
                + "\(settings.oversubscription)|\(settings.faults)"
        }
        for part in [
            JobFile.json(point.job), point.backend.rawValue, "\(point.workers)", point.hardware ?? "",
            point.exchange.algorithm.rawValue, point.exchange.transport.rawValue, point.exchange.laneShares.rawValue,
            "\(point.exchange.bucket.count)", emulation ?? "",
        ] {
            digest.update("\(part.utf8.count):\(part)")
        }
        return "sweep:\(plan.name):\(digest.finish().prefix(24))"
    }
}
