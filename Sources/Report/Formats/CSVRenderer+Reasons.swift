import PerformanceModel

/// What a run's figures are followed by: where its steps' time could be saved, what its links carry, its time by MLPerf's
/// clock, and what it has in common with others of its group.
extension CSVRenderer {
    /// A figure's row, without the run's columns.
    struct Figure {
        var name: String
        var value: Double?
        var unit: String
        var clock: String?

        init(_ name: String, _ value: Double?, unit: String, clock: String? = nil) {
            self.name = name
            self.value = value
            self.unit = unit
            self.clock = clock
        }
    }

    /// Those of one run.
    func reasons(of run: RunFigures) -> [Figure] {
        remedies(of: run.runId) + criticalPath(of: run.runId) + links(of: run.runId) + mlperf(of: run.runId)
    }

    private func remedies(of runID: String) -> [Figure] {
        guard let table = report.remedies.first(where: { $0.runId == runID }) else { return [] }
        let step = Figure(
            "remedies/none/step_modelled_seconds", table.stepModelledSeconds, unit: "s", clock: "modelled")
        return [step]
            + table.rows.flatMap { row in
                let key = "remedies/\(row.remedy.rawValue)/"
                return [
                    Figure(key + "step_modelled_seconds", row.stepModelledSeconds, unit: "s", clock: "modelled"),
                    Figure(key + "saved_share", row.savedShare, unit: "share", clock: "modelled"),
                ]
            }
    }

    private func criticalPath(of runID: String) -> [Figure] {
        guard let path = report.criticalPaths.first(where: { $0.runId == runID }) else { return [] }
        let step = Figure("critical_path/step_host_seconds", path.stepHostSeconds, unit: "s", clock: "host")
        return [step]
            + path.path.enumerated().map { index, stretch in
                Figure(
                    "critical_path/\(index)/worker_\(stretch.rank)/\(stretch.part)", stretch.hostSeconds, unit: "s",
                    clock: "host")
            }
    }

    private func links(of runID: String) -> [Figure] {
        guard let topology = report.topologies.first(where: { $0.runId == runID }) else { return [] }
        var figures: [Figure] = []
        if let measured = topology.measured {
            figures += measured.links.map {
                Figure("links/workers/\($0.from)/\($0.to)/bytes_per_step", $0.bytesPerStep, unit: "B")
            }
            figures.append(Figure("links/workers/utilisation", measured.utilisation, unit: "share", clock: "host"))
        }
        for link in topology.modelled?.links ?? [] {
            let key = "links/\(link.kind.rawValue)/"
            figures += [
                Figure(key + "bytes_per_step", link.bytesPerStep, unit: "B"),
                Figure(key + "utilisation", link.utilisation, unit: "share", clock: "modelled"),
            ]
        }
        return figures
    }

    private func mlperf(of runID: String) -> [Figure] {
        guard let run = report.mlperf?.runs.first(where: { $0.runId == runID }) else { return [] }
        return [
            Figure("mlperf/init_wall_seconds", run.initWallSeconds, unit: "s", clock: "wall"),
            Figure("mlperf/run_wall_seconds", run.runWallSeconds, unit: "s", clock: "wall"),
        ]
    }

    /// Those of a group of runs.
    func figures(of group: SeedGroup) -> [Figure] {
        func spread(_ key: String, _ spread: SeedSpread?, unit: String, clock: String? = nil) -> [Figure] {
            guard let spread else { return [] }
            return [
                Figure(key + "/median", spread.median, unit: unit, clock: clock),
                Figure(key + "/median_low", spread.medianLow, unit: unit, clock: clock),
                Figure(key + "/median_high", spread.medianHigh, unit: unit, clock: clock),
                Figure(key + "/least", spread.least, unit: unit, clock: clock),
                Figure(key + "/most", spread.most, unit: unit, clock: clock),
            ]
        }
        let result = report.mlperf?.results.first { $0.runIds == group.runIds }
        return spread("time_to_target_host_seconds", group.timeToTargetHostSeconds, unit: "s", clock: "host")
            + spread("training_host_seconds", group.trainingHostSeconds, unit: "s", clock: "host")
            + spread("step_median_host_seconds", group.stepMedianHostSeconds, unit: "s", clock: "host")
            + spread("final_held_out_mlm_loss_nats", group.finalHeldOutMlmLossNats, unit: "nats")
            + spread("final_held_out_mlm_accuracy", group.finalHeldOutMlmAccuracy, unit: "share")
            + [
                Figure(
                    "mlperf/olympic_mean_wall_seconds", result?.olympicMeanWallSeconds, unit: "s", clock: "wall")
            ]
    }
}
