import Foundation
import Jobs
import Runs

/// Writes a report's figures as CSV (RFC 4180): one row a figure, with its unit and clock.
public struct CSVRenderer {
    let report: ComparisonReport

    /// A renderer of `report`.
    public init(_ report: ComparisonReport) { self.report = report }

    /// The figures of every run, and of every group of repeated runs, whose ids stand with spaces between them: run_id, label, backend, workers, figure, value, unit, clock.
    public func render() -> String {
        var rows = [["run_id", "label", "backend", "workers", "figure", "value", "unit", "clock"]]
        for run in report.runs {
            func row(_ figure: String, _ value: Double?, unit: String, clock: String?) {
                guard let value, value.isFinite else { return }
                rows.append([
                    run.runId, run.label, run.backend.rawValue, String(run.workers), figure, Markup.number(value), unit,
                    clock ?? "",
                ])
            }
            for figure in FigureDefinition.all {
                row(figure.key, figure.value(run), unit: figure.unit, clock: figure.clock)
            }
            for (part, seconds) in run.stepParts?.all ?? [] {
                row("step_parts/" + part.key, seconds, unit: "s", clock: "host")
            }
            if let compression = run.compression {
                for (key, bytes) in [
                    ("sent_bytes_per_step", compression.sentBytesPerStep),
                    ("uncompressed_bytes_per_step", compression.uncompressedBytesPerStep),
                    ("saved_bytes_per_step", compression.savedBytesPerStep),
                ] {
                    row("compression/" + key, bytes, unit: "B", clock: nil)
                }
                row("compression/saved_share", compression.savedShare, unit: "share", clock: nil)
            }
            if let effect = report.compression.first(where: { $0.runId == run.runId }) {
                for (key, nats) in [
                    ("mean_loss_difference_nats", effect.meanLossDifferenceNats),
                    ("last_loss_difference_nats", effect.lastLossDifferenceNats),
                    ("held_out_mlm_loss_difference_nats", effect.heldOutMlmLossDifferenceNats),
                ] {
                    row("compression/" + key, nats, unit: "nats", clock: nil)
                }
            }
            for worker in run.workerParts {
                for (part, seconds) in worker.stepParts.all {
                    row("worker_parts/\(worker.rank)/" + part.key, seconds, unit: "s", clock: "host")
                }
                row("worker_parts/\(worker.rank)/sent_bytes_per_step", worker.sentBytesPerStep, unit: "B", clock: nil)
                let key = "worker_parts/\(worker.rank)/"
                row(key + "lanes_per_step", worker.lanesPerStep, unit: "lanes", clock: nil)
                row(
                    key + "own_work_per_lane_host_seconds", worker.ownWorkPerLaneHostSeconds, unit: "s", clock: "host")
                row(key + "own_work_ratio", worker.ownWorkRatio, unit: "ratio", clock: nil)
                row(key + "straggler_z_score", worker.stragglerZScore, unit: "deviations", clock: nil)
            }
            for figure in reasons(of: run) { row(figure.name, figure.value, unit: figure.unit, clock: figure.clock) }
        }
        for group in report.seedGroups {
            for figure in figures(of: group) {
                guard let value = figure.value, value.isFinite else { continue }
                rows.append([
                    group.runIds.joined(separator: " "), group.label, group.backend.rawValue, String(group.workers),
                    figure.name, Markup.number(value), figure.unit, figure.clock ?? "",
                ])
            }
        }
        return Self.text(rows + curveRows)
    }

    /// The points of all scaling curves; those that the model alone made are of no run.
    private var curveRows: [[String]] {
        report.scalingCurves.flatMap { curve in
            curve.points.flatMap { point -> [[String]] in
                let rate = "sequences_per_\(curve.basis.clock)_second"
                return [
                    (rate, point.sequencesPerSecond, "1/s"), ("low_" + rate, point.low, "1/s"),
                    ("high_" + rate, point.high, "1/s"), ("scaling_efficiency", point.scalingEfficiency, "share"),
                ].compactMap { name, value, unit in
                    value.map {
                        [
                            point.runIds.joined(separator: " "), curve.name, Backend.cluster.rawValue,
                            String(point.workers), "scaling_curves/\(curve.basis.rawValue)/\(name)", Markup.number($0),
                            unit, curve.basis.clock,
                        ]
                    }
                }
            }
        }
    }

    /// Every step of every run, one row each.
    public static func steps(_ tables: [StepTable]) -> String {
        var rows = [
            [
                "run_id", "step", "loss_nats", "mlm_loss_nats", "nsp_loss_nats", "mlm_accuracy", "learning_rate",
                "gradient_norm", "sequences", "tokens", "elapsed_host_seconds", "step_host_seconds",
            ]
        ]
        for table in tables {
            for step in table.steps {
                rows.append(
                    [table.runID, String(step.step.index)]
                        + [
                            step.loss, step.maskedLoss, step.nextSentenceLoss, step.maskedAccuracy, step.learningRate,
                            step.gradientNorm, Double(step.sequences), Double(step.tokens), step.elapsed.seconds,
                            step.duration.seconds,
                        ].map { $0.isFinite ? Markup.number($0) : "" })
            }
        }
        return text(rows)
    }

    static func text(_ rows: [[String]]) -> String {
        rows.map { $0.map(field).joined(separator: ",") + "\r\n" }.joined()
    }

    /// One field. A text that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV
    /// Injection"); numbers stay numbers.
    package static func field(_ text: String) -> String {
        var text = text
        if let first = text.unicodeScalars.first, "=+-@\t\r\n".unicodeScalars.contains(first), Double(text) == nil {
            text = "'" + text
        }
        let needsQuotes = text.unicodeScalars.contains {
            $0 == "," || $0 == "\"" || $0 == "\n" || $0 == "\r" || $0 == ";"
        }
        return needsQuotes ? "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : text
    }
}

/// The steps of one run, whole.
public struct StepTable: Sendable {
    var runID: String
    var steps: [StepRecord]

    /// The steps of `record`.
    public init(_ record: RunRecord) {
        runID = record.run.id.text
        steps = record.steps
    }
}
