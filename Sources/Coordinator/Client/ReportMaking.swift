import Foundation
import Jobs
import PerformanceModel
import Report
import Runs

/// Makes reports of stored runs: their records, and what the performance model says of the machines that they stand for.
public enum ReportMaking {
    /// The report of `records`, which are kept in `state`: its machine's calibration, if there is one, tells the model's
    /// error.
    ///
    /// - Parameters:
    ///   - clock: how the runs' time is told besides.
    ///   - plans: where wafers' floor plans are kept and looked up; with one that outlives the report, the next one of the
    ///     same job needs no planning.
    /// - Throws: `ReportError`.
    public static func report(
        of records: [RunRecord], in state: StateDirectory, clock: ReportClock = .host, plans: PlanMemory = PlanMemory()
    ) throws -> ComparisonReport {
        let profiles = profiles(of: records)
        return try ComparisonReport(
            runs: records, jobFile: records.first.map { JobFile.render($0.run.job) },
            modelled: modelled(records, profiles, plans), scaling: scaling(of: records, profiles, plans),
            profiles: profiles, host: HostMachine.calibrated(in: state.path), clock: clock, generated: Date())
    }

    /// The machines that the runs stand for, as far as they are known here, by their names.
    private static func profiles(of records: [RunRecord]) -> [String: HardwareProfile] {
        var profiles: [String: HardwareProfile] = [:]
        for name in records.compactMap(\.run.hardware) where profiles[name] == nil {
            profiles[name] = try? HardwareCatalogue.profile(name)
        }
        return profiles
    }

    /// Writes the report of `records` into `directory` and returns the paths, that of the first format first.
    ///
    /// - Throws: `ReportError`.
    public static func write(
        _ report: ComparisonReport, of records: [RunRecord], to directory: String,
        formats: [ReportFormat] = ReportFormat.allCases
    ) throws -> [String] {
        try ReportWriter(report, steps: records.map(StepTable.init)).write(to: directory, formats: formats)
    }

    /// How the job scales on each cluster that a run stands for, beside the first wafer that one stands for.
    private static func scaling(
        of records: [RunRecord], _ known: [String: HardwareProfile], _ plans: PlanMemory
    ) -> [ModelledScaling] {
        guard let job = records.first?.run.job else { return [] }
        func profiles(_ backend: Backend) -> [HardwareProfile] {
            var names: [String] = []
            for run in records.map(\.run) where run.backend == backend {
                if let name = run.hardware, !names.contains(name) { names.append(name) }
            }
            return names.compactMap { known[$0] }
        }
        let wafer = profiles(.wafer).first
        let vocabularySize = records.lazy.compactMap(\.run.corpus?.vocabularySize).first
        return profiles(.cluster).compactMap { profile in
            ModelledScaling(
                job: job, cluster: profile, wafer: wafer, vocabularySize: vocabularySize,
                noise: noise(among: records.filter { $0.run.hardware.flatMap { known[$0] }?.name == profile.name }),
                plans: plans)
        }
    }

    /// The noise scale that the last evaluation of the first cluster run measured which has one.
    private static func noise(among records: [RunRecord]) -> BatchGrowth.Noise? {
        records.lazy.filter { $0.run.backend == .cluster }.compactMap { record in
            record.evaluations.lazy.compactMap(\.noise?.scale).last.map {
                BatchGrowth.Noise(runId: record.run.id.text, scaleSequences: $0, devices: record.run.workers)
            }
        }.first
    }

    /// The modelled times of all runs that stand for a machine. Of runs that have the same plan, only the first shows it
    /// and what its time rests on.
    private static func modelled(
        _ records: [RunRecord], _ profiles: [String: HardwareProfile], _ plans: PlanMemory
    ) -> [ModelledFigures] {
        var figures: [ModelledFigures] = []
        for record in records {
            guard let profile = record.run.hardware.flatMap({ profiles[$0] }),
                var next = modelled(record, on: profile, plans)
            else { continue }
            if let plan = next.floorPlan, figures.contains(where: { $0.floorPlan == plan }) {
                next.floorPlan = nil
                next.sensitivity = nil
            }
            figures.append(next)
        }
        return figures
    }

    /// The modelled time of the steps that `record` made, on the machine that it stands for; nil where it stands for none
    /// or the model can't tell.
    private static func modelled(
        _ record: RunRecord, on profile: HardwareProfile, _ plans: PlanMemory
    ) -> ModelledFigures? {
        let run = record.run
        guard let newest = record.steps.last else { return nil }
        let layout = StepModel.Layout(workers: run.workers, vocabularySize: run.corpus?.vocabularySize)
        var total = ModelledSeconds.zero
        var first: (step: ModelledStep, plan: FloorPlan?)?
        var left = newest.step.index + 1
        for (index, phase) in run.job.phases.enumerated() where left > 0 {
            guard
                let predicted = try? StepModel.predictAndPlace(
                    job: run.job, profile: profile, layout: layout, phase: index, plans: plans)
            else { return nil }
            let steps = min(left, phase.steps)
            total += predicted.step.step * Double(steps)
            left -= steps
            first = first ?? predicted
        }
        guard let first else { return nil }
        return ModelledFigures(
            hardware: profile.name, backend: run.backend, workers: run.workers, step: first.step.step,
            timeToTarget: total,
            basis: "the performance model's time of the \(newest.step.index + 1) steps that this run made, "
                + "\(first.step.precision.rawValue) matrix products, bound by \(first.step.boundBy.rawValue)",
            floorPlan: first.plan,
            sensitivity: profile.wafer == nil
                ? nil : try? WaferSensitivity(job: run.job, profile: profile, layout: layout, plans: plans))
    }
}
