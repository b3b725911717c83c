import Foundation
import Jobs
import Runs

/// How a report tells the runs' time.
public enum ReportClock: String, Hashable, Sendable, CaseIterable {
    /// Host time alone: from the start of the first step.
    case host
    /// MLPerf Training's rules besides.
    case mlperf
}

/// The runs' times by the clock rules of MLPerf Training (mlcommons/training_policies, training_rules.adoc, "Timing" and
/// "Run results"): initialisation has an allowance of its own; the clock then runs without a pause, evaluations,
/// checkpoints and restarts included, until an evaluation meets the target; a result is the mean of several runs without
/// the fastest and the slowest.
///
/// Only the clock is MLPerf's. Benchmark, data, target and number of runs are the job's own.
public struct MLPerfTimes: Sendable, Encodable {
    /// A run by this clock.
    public struct Run: Sendable, Encodable {
        public var runId: String
        public var seed: UInt64
        /// Starting the workers and giving them their weights; nil where the record doesn't tell.
        public var initWallSeconds: Double?
        /// Whether that is within the allowance.
        public var isInitWithinAllowance: Bool?
        /// From the moment at which workers were given their lanes until the target was met; nil where it was not.
        public var runWallSeconds: Double?
        /// How much of it is not in the run's host time: what went by between a stop and going on, and loading.
        public var pausedWallSeconds: Double?
        /// `success` where the target was met, `aborted` elsewhere.
        public var status: Status
    }

    /// How a run ended.
    public enum Status: String, Sendable, Encodable {
        case success
        case aborted
    }

    /// The mean of runs that differ in their seeds alone, without the fastest and the slowest.
    public struct Result: Sendable, Encodable {
        public var label: String
        public var runIds: [String]
        public var runCount: Int
        /// Runs that did not meet the target: one counts as the slowest; with two there is no result.
        public var aborted: Int
        public var olympicMeanWallSeconds: Double?
        /// Why there is no mean.
        public var obstacle: String?
    }

    /// The time that initialisation may take before it counts: that of the open division, which these runs fit.
    public var initAllowanceWallSeconds: Double
    /// Runs that MLPerf wants of a BERT result.
    public var runsRequired: Int
    public var runs: [Run]
    public var results: [Result]

    /// Of the rules of training 4.1 and 5.0: 240 minutes in the open division, 30 in the closed.
    static let openInitAllowance = 240.0 * 60
    /// training_rules.adoc, "Run results", for language models such as BERT.
    static let runsRequired = 10
    /// The fewest of which a mean without fastest and slowest can be made.
    static let fewestRuns = 3

    /// The times of `records`.
    ///
    /// - Parameter groups: those of `records` that differ in their seeds alone.
    init(_ records: [RunRecord], groups: [SeedGroup]) {
        initAllowanceWallSeconds = Self.openInitAllowance
        runsRequired = Self.runsRequired
        let runs = records.map(Run.init)
        self.runs = runs
        results = groups.map { Result($0, runs) }
    }
}

extension MLPerfTimes.Run {
    init(_ record: RunRecord) {
        runId = record.run.id.text
        seed = record.run.job.seed
        let wall = RunWallClock(record)
        initWallSeconds = wall?.initialisation
        isInitWithinAllowance = wall?.initialisation.map { $0 < MLPerfTimes.openInitAllowance }
        status = record.run.outcome?.timeToTarget == nil ? .aborted : .success
        guard status == .success, let wall, let stop = wall.targetReached else { return }
        runWallSeconds = stop.timeIntervalSince(wall.start)
        pausedWallSeconds = record.run.outcome?.timeToTarget.map {
            max(0, stop.timeIntervalSince(wall.start) - $0.seconds)
        }
    }
}

extension MLPerfTimes.Result {
    init(_ group: SeedGroup, _ all: [MLPerfTimes.Run]) {
        label = group.label
        runIds = group.runIds
        runCount = group.runIds.count
        let runs = all.filter { group.runIds.contains($0.runId) }
        let times = runs.map { $0.runWallSeconds ?? .infinity }
        aborted = times.filter { !$0.isFinite }.count
        if runs.count < MLPerfTimes.fewestRuns {
            obstacle = "a mean without the fastest and the slowest needs three runs"
        } else if aborted > 1 {
            obstacle = "more than one run did not meet the target"
        } else {
            olympicMeanWallSeconds = OlympicMean.of(times)
        }
    }
}

/// The mean of what is left without the least and the most.
public enum OlympicMean {
    /// The mean of `values` without one of the least and one of the most; nil with fewer than three, or where what is left
    /// is not finite.
    public static func of(_ values: [Double]) -> Double? {
        guard values.count >= 3 else { return nil }
        return finite(mean(values.sorted().dropFirst().dropLast()))
    }
}
