import PerformanceModel

/// What repeated runs tell, and where a step's time could be saved.
extension MarkdownRenderer {
    private func label(of runID: String) -> String { report.runs.first { $0.runId == runID }?.label ?? runID }

    var seeds: String {
        if report.seedGroups.isEmpty { return "" }
        let duration = FigureFormat.duration
        let rows = report.seedGroups.map { group in
            let time = group.timeToTargetHostSeconds ?? group.trainingHostSeconds
            return [
                group.label, "\(group.runCount)", duration.text(time?.median),
                "\(duration.text(time?.medianLow)) to \(duration.text(time?.medianHigh))",
                "\(duration.text(time?.least)) to \(duration.text(time?.most))",
                duration.text(group.stepMedianHostSeconds?.median),
                FigureFormat.nats.text(group.finalHeldOutMlmLossNats?.median),
            ]
        }
        return "### From run to run (host clock)\n\n"
            + Self.table(
                [
                    "Runs of one job", "Runs", "Median time", "95 % interval", "Least to most", "Median step",
                    "MLM loss",
                ],
                rows) + "\n"
    }

    var remedies: String {
        report.remedies.enumerated().map { index, table in
            let rows =
                table.rows.map { row in
                    [
                        row.remedy.title, FigureFormat.duration.text(row.stepModelledSeconds),
                        row.obstacle.map { "not told: \($0)" } ?? FigureFormat.share.text(row.savedShare),
                    ]
                } + [["As it is", FigureFormat.duration.text(table.stepModelledSeconds), ""]]
            return "### What would help (modelled clock)\n\n"
                + Self.escaped(table.sentence("/remedies/\(index)", name: label(of: table.runId)).plain) + " "
                + Self.escaped(table.basis.sentence(hardware: table.hardware)) + "\n\n"
                + Self.table(["Remedy", "The step", "Saved"], rows) + "\n"
        }.joined()
    }

    var criticalPaths: String {
        report.criticalPaths.enumerated().map { index, path in
            "### The critical path of a step: \(Self.escaped(label(of: path.runId))) (host clock)\n\n"
                + Self.escaped(path.sentence("/critical_paths/\(index)").plain) + "\n\n"
        }.joined()
    }

    var links: String {
        let rows = report.topologies.flatMap { topology -> [[String]] in
            let name = label(of: topology.runId)
            let measured = topology.measured.map {
                [
                    "\(name): between the workers, all together (host clock)", FigureFormat.bytes.text($0.bytesPerStep),
                    FigureFormat.share.text($0.utilisation),
                ]
            }
            let modelled = topology.modelled.map { machine in
                machine.links.map {
                    [
                        "\(name): \($0.kind.title.lowercased()) of \(machine.hardware), each (modelled clock)",
                        FigureFormat.bytes.text($0.bytesPerStep), FigureFormat.share.text($0.utilisation),
                    ]
                }
            }
            return (measured.map { [$0] } ?? []) + (modelled ?? [])
        }
        if rows.isEmpty { return "" }
        return "### Links\n\n" + Self.table(["Links", "Bytes a step", "Used"], rows) + "\n"
    }

    var curves: String {
        let rows = report.scalingCurves.flatMap { curve in
            curve.points.map {
                [
                    curve.name, "\($0.workers)", FigureFormat.rate.text($0.sequencesPerSecond),
                    FigureFormat.percent.text($0.scalingEfficiency),
                ]
            }
        }
        if rows.isEmpty { return "" }
        return "### Throughput and efficiency (each on its clock)\n\n"
            + Self.table(["Curve", "Workers", "Sequences/s", "Efficiency"], rows) + "\n"
    }

    var mlperf: String {
        guard let times = report.mlperf else { return "" }
        let rows =
            times.runs.map { run in
                [
                    label(of: run.runId), FigureFormat.duration.text(run.initWallSeconds),
                    FigureFormat.duration.text(run.runWallSeconds), run.status.rawValue,
                ]
            }
            + times.results.map { result in
                [
                    "\(result.label): mean of \(result.runCount) without fastest and slowest", "",
                    FigureFormat.duration.text(result.olympicMeanWallSeconds), result.obstacle ?? "",
                ]
            }
        return "### By MLPerf’s clock (wall clock)\n\n"
            + Self.table(["Run", "Initialisation", "To the target", "Status"], rows) + "\n"
            + Self.escaped(MLPerfTimes.disclaimer) + "\n\n"
    }
}
