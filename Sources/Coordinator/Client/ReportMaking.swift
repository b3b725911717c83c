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
    /// - Throws: `ReportError`.
    public static func report(of records: [RunRecord], in state: StateDirectory) throws -> ComparisonReport {
        try ComparisonReport(
            runs: records, jobFile: records.first.map { JobFile.render($0.run.job) },
            modelled: records.compactMap { modelled($0) }, scaling: scaling(of: records),
            host: HostMachine.calibrated(in: state.path), generated: Date())
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
    private static func scaling(of records: [RunRecord]) -> [ModelledScaling] {
        guard let job = records.first?.run.job else { return [] }
        func profiles(_ backend: Backend) -> [HardwareProfile] {
            var names: [String] = []
            for run in records.map(\.run) where run.backend == backend {
                if let name = run.hardware, !names.contains(name) { names.append(name) }
            }
            return names.compactMap { try? HardwareCatalogue.profile($0) }
        }
        let wafer = profiles(.wafer).first
        let vocabularySize = records.lazy.compactMap(\.run.corpus?.vocabularySize).first
        return profiles(.cluster).compactMap {
            ModelledScaling(job: job, cluster: $0, wafer: wafer, vocabularySize: vocabularySize)
        }
    }

    /// The modelled time of the steps that `record` made, on the machine that it stands for; nil where it stands for none
    /// or the model can't tell.
    private static func modelled(_ record: RunRecord) -> ModelledFigures? {
        let run = record.run
        guard let name = run.hardware, let profile = try? HardwareCatalogue.profile(name),
            let newest = record.steps.last
        else { return nil }
        let layout = StepModel.Layout(workers: run.workers, vocabularySize: run.corpus?.vocabularySize)
        var total = ModelledSeconds.zero
        var first: (step: ModelledStep, plan: FloorPlan?)?
        var left = newest.step.index + 1
        for (index, phase) in run.job.phases.enumerated() where left > 0 {
            guard
                let predicted = try? StepModel.predictAndPlace(
                    job: run.job, profile: profile, layout: layout, phase: index)
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
                ? nil : try? WaferSensitivity(job: run.job, profile: profile, layout: layout))
    }
}
