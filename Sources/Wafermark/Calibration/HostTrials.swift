import Coordinator
import Jobs
import PerformanceModel
import Report
import Runs

/// Runs small jobs on this machine and compares their steps with the replay on its calibrated profile.
struct HostTrials: Sendable {
    /// One run of a trial.
    struct Run: Encodable, Sendable {
        /// The median over its steps.
        var measuredStepHostSeconds: Double
        /// The same steps, replayed, slowed as measured beside the run.
        var predictedStepModelledSeconds: Double
        /// The same steps, replayed on the profile as it is.
        var asCalibratedStepModelledSeconds: Double
        /// How much slower the machine was than when it was calibrated, right before the run and right after.
        var slowdownsBefore: HostPace.Sample
        var slowdownsAfter: HostPace.Sample
        /// The medians of all.
        var slowdown: HostStep.Slowdown

        /// The prediction over the measurement.
        var ratio: Double { predictedStepModelledSeconds / measuredStepHostSeconds }
    }

    /// A trial's outcome: that of its median run.
    struct Row: Encodable, Sendable {
        var id: String
        var workers: Int
        var algorithm: CollectiveAlgorithm
        var transport: Transport
        var bucketBytes: Int?
        var measuredStepHostSeconds: Double
        /// The same steps, replayed, slowed as measured before and after the run.
        var predictedStepModelledSeconds: Double
        var errorPercent: Double
        /// The standard error of that, from how much the runs differ.
        var standardErrorPercent: Double
        /// By how much kernels, and what moves memory, exceeded the profile's.
        var slowedPercent: Double
        var memorySlowedPercent: Double
        /// The error of the replay on the profile as it is.
        var asCalibratedErrorPercent: Double
        var measuredPartsHostSeconds: HostModelCheck.Parts
        var predictedPartsModelledSeconds: HostModelCheck.Parts
        var runs: [Run]
    }

    /// All outcomes.
    struct Outcome: Encodable, Sendable {
        var calibratedAt: String
        /// How disturbed the machine was then, as the profile says.
        var calibrationDisturbancePercent: Double
        var rows: [Row]
        var medianAbsoluteErrorPercent: Double
        var worstAbsoluteErrorPercent: Double
        /// The same without allowing for how much slower the machine was than when it was calibrated.
        var asCalibratedMedianAbsoluteErrorPercent: Double
        var asCalibratedWorstAbsoluteErrorPercent: Double
    }

    /// A run with where its time went.
    private struct Visit {
        var run: Run
        var check: HostModelCheck.Row
    }

    /// The calibrated machine.
    var host: HostMachine
    /// By which the trials run.
    var runs: FollowedRuns

    /// Runs of each trial at least and at most.
    private static let visits = 5...11
    /// The standard error of the median ratio with which they are enough.
    private static let tolerance = 0.025

    /// Runs every trial in order, then in the reverse, and so on, those whose runs don't agree more often than the others;
    /// each run between measurements of how slow the machine is: what else runs on the machine slows both alike, and
    /// differently from one minute to the next.
    func run(progress: @Sendable (String) -> Void) async throws -> Outcome {
        let trials = HostTrial.all
        var visits: [[Visit]] = trials.map { _ in [] }
        var order = Array(trials.indices)
        while !order.isEmpty {
            for index in order {
                let visit = try await visit(trials[index])
                visits[index].append(visit)
                progress(
                    "\(Self.name(of: trials[index])), run \(visits[index].count): \(Self.sentence(on: visit.run))")
            }
            order = order.reversed().filter { !Self.isEnough(visits[$0].map(\.run.ratio)) }
        }
        return outcome(of: zip(trials, visits).compactMap(Self.row))
    }

    private static func name(of trial: HostTrial) -> String {
        "\(trial.name), \(Figures.plural(trial.workers, "worker")), \(trial.algorithm.rawValue)"
    }

    /// What is left of a run where a later one fails.
    private static func sentence(on run: Run) -> String {
        "measured \(Figures.milliseconds(run.measuredStepHostSeconds)), replayed "
            + "\(Figures.milliseconds(run.predictedStepModelledSeconds)), \(Figures.signed(100 * (run.ratio - 1))) %"
    }

    /// Whether the median of `ratios`, which there are in an odd number, is known well enough, or they are too many.
    private static func isEnough(_ ratios: [Double]) -> Bool {
        guard ratios.count >= visits.lowerBound, !ratios.count.isMultiple(of: 2) else { return false }
        guard ratios.count < visits.upperBound, let error = Quantiles(ratios).medianStandardError else { return true }
        return error <= tolerance
    }

    /// One run. The replay knows how many tokens its steps had; their times are not looked at.
    private func visit(_ trial: HostTrial) async throws -> Visit {
        let job = trial.job
        guard let pace = HostPace(of: host, workers: trial.workers) else {
            throw CommandFailure.failed(
                "the host's profile has no rates of the kernels that others are measured beside; "
                    + "run 'wafermark calibrate' again")
        }
        let before = try await pace.sample()
        let record = try await runs.measurement(
            of: job, on: .cluster, workers: trial.workers, exchange: try trial.exchange())
        let after = try await pace.sample()
        let slowdown = HostStep.Slowdown([before, after])
        guard let check = HostModelCheck.rows(record, on: host, slowed: slowdown).first,
            let asCalibrated = HostModelCheck.rows(record, on: host).first
        else {
            throw CommandFailure.failed("run \(record.run.id) of \(job.name) made too few steps to be compared")
        }
        return Visit(
            run: Run(
                measuredStepHostSeconds: check.stepMedianHostSeconds,
                predictedStepModelledSeconds: check.stepModelledSeconds,
                asCalibratedStepModelledSeconds: asCalibrated.stepModelledSeconds, slowdownsBefore: before,
                slowdownsAfter: after, slowdown: slowdown),
            check: check)
    }

    /// The run of a trial whose error is the median one; nil without any.
    private static func row(_ trial: HostTrial, _ visits: [Visit]) -> Row? {
        guard !visits.isEmpty else { return nil }
        let visit = visits.sorted { $0.run.ratio < $1.run.ratio }[visits.count / 2]
        let (run, check) = (visit.run, visit.check)
        let error = Quantiles(visits.map(\.run.ratio)).medianStandardError ?? 0
        return Row(
            id: trial.name, workers: trial.workers, algorithm: trial.algorithm, transport: trial.transport,
            bucketBytes: trial.bucket?.count, measuredStepHostSeconds: run.measuredStepHostSeconds,
            predictedStepModelledSeconds: run.predictedStepModelledSeconds, errorPercent: 100 * (run.ratio - 1),
            standardErrorPercent: 100 * error, slowedPercent: 100 * (run.slowdown.kernels - 1),
            memorySlowedPercent: 100 * (run.slowdown.memory - 1),
            asCalibratedErrorPercent: 100
                * (run.asCalibratedStepModelledSeconds / run.measuredStepHostSeconds - 1),
            measuredPartsHostSeconds: check.measured, predictedPartsModelledSeconds: check.modelled,
            runs: visits.map(\.run))
    }

    private func outcome(of rows: [Row]) -> Outcome {
        let errors = Quantiles(rows.map { abs($0.errorPercent) })
        let asCalibrated = Quantiles(rows.map { abs($0.asCalibratedErrorPercent) })
        return Outcome(
            calibratedAt: host.measuredAt, calibrationDisturbancePercent: host.disturbancePercent, rows: rows,
            medianAbsoluteErrorPercent: errors.median ?? 0, worstAbsoluteErrorPercent: errors.maximum ?? 0,
            asCalibratedMedianAbsoluteErrorPercent: asCalibrated.median ?? 0,
            asCalibratedWorstAbsoluteErrorPercent: asCalibrated.maximum ?? 0)
    }
}
