import Foundation
import PerformanceModel
import Report

/// Validations for people, in 80 columns.
enum ValidationText {
    /// Every row, then the statistics.
    static func text(of validation: Validation) -> String {
        let rows = validation.rows.map { row in
            [
                row.id, row.stack, "\(row.nodes)x\(row.devices / max(1, row.nodes))", Figures.short(row.published),
                Figures.short(row.predicted), Figures.signed(row.errorPercent),
                (row.low <= row.published && row.published <= row.high ? "" : "o") + (row.extrapolated ? "*" : ""),
            ]
        }
        let table = TextTable(
            [
                .init("ROW", mayShrink: true), .init("STACK", mayShrink: true), .init("GPUS", isNumeric: true),
                .init("PUBLISHED", isNumeric: true), .init("PREDICTED", isNumeric: true),
                .init("ERROR %", isNumeric: true), .init(""),
            ], rows: rows)
        var text = "Sequences/s, published and predicted (modelled clock)\n"
        text += "o: outside the 90 % interval   *: EXTRAPOLATED\n\n" + table.text() + "\n" + plot(of: validation.rows)
        text += "\n" + statistics(of: validation)
        return text
    }

    private static func statistics(of validation: Validation) -> String {
        func line(_ name: String, _ value: String) -> String { name.padded(to: 36) + value.padded(left: 10) + "\n" }
        var text = line("rows", "\(validation.rows.count)")
        text += line("mean absolute error", percent(validation.meanAbsoluteErrorPercent))
        text += line("median absolute error", percent(validation.medianAbsoluteErrorPercent))
        text += line("within 12 %", percent(validation.withinTwelvePercent))
        text += line("published within the 90 % interval", percent(validation.intervalCoveragePercent))
        if let replicates = validation.replicates {
            text += line(
                "least of the \(replicates.rows) repeated rows", percent(replicates.leastMeanAbsoluteErrorPercent))
            text += "  (\(replicates.configurations) configurations measured more than once: no model can have less)\n"
        }
        let parts = validation.byScale + validation.byStack
        text += "\nmean absolute error of\n"
        for part in parts {
            let name = "  \(part.name) (\(part.rows))"
            text += line(String(name.prefix(36)), percent(part.meanAbsoluteErrorPercent))
        }
        let worst = validation.worst.joined(separator: ", ")
        return text + "\n" + WrappedText.lines(worst, indent: 14, first: "furthest off: ")
    }

    /// Errors over the number of devices, as characters: what a glance at the page's scatter plot gives.
    private static func plot(of rows: [Validation.Row]) -> String {
        let (height, width, most) = (11, 64, 25.0)
        var cells = Array(repeating: Array(repeating: Character(" "), count: width), count: height)
        let largest = rows.map(\.published).max() ?? 1
        let smallest = rows.map(\.published).min() ?? 1
        guard smallest > 0, largest > smallest else { return "" }
        for row in rows {
            let across = log(row.published / smallest) / log(largest / smallest)
            let column = min(width - 1, max(0, Int((across * Double(width - 1)).rounded())))
            let clipped = min(most, max(-most, row.errorPercent))
            let line = Int(((most - clipped) / (2 * most) * Double(height - 1)).rounded())
            cells[line][column] = row.nodes > 1 ? "#" : (row.devices > 1 ? "+" : ".")
        }
        var text = "error of each row in % over its published sequences/s (logarithmic)\n"
        for (index, line) in cells.enumerated() {
            let level = most - 2 * most * Double(index) / Double(height - 1)
            let zero = index == height / 2
            text += "\(Figures.signed(level)) |".padded(left: 8)
            text += String(line.map { zero && $0 == " " ? "-" : $0 }).trimmingTrailingSpaces + "\n"
        }
        let right = Figures.short(largest)
        text += "        " + Figures.short(smallest) + right.padded(left: width - Figures.short(smallest).count) + "\n"
        return text + "        . one device   + one node   # several nodes\n"
    }

    /// Every batch.
    static func text(of validation: ConvergenceValidation) -> String {
        let table = TextTable(
            [
                .init("BATCH", isNumeric: true), .init("PUBLISHED", isNumeric: true),
                .init("PREDICTED", isNumeric: true), .init("ERROR %", isNumeric: true),
                .init("HELD OUT %", isNumeric: true),
            ],
            rows: validation.rows.map { row in
                [
                    Figures.fixed(row.globalBatch, 0), Figures.fixed(row.publishedSamples, 0),
                    Figures.fixed(row.predictedSamples, 0), Figures.signed(row.errorPercent),
                    row.leftOutErrorPercent.map(Figures.signed) ?? "-",
                ]
            })
        var text = "Samples to the target by global batch\n"
        text += "held out: predicted from the other batches alone\n\n" + table.text() + "\n"
        text += "mean absolute error  \(percent(validation.meanAbsoluteErrorPercent))\n"
        if let held = validation.leftOutMeanAbsoluteErrorPercent {
            text += "  each batch held out \(percent(held))\n"
        }
        if let scatter = validation.scatter {
            text += "rows about any smooth curve: a standard deviation of \(percent(scatter.deviationPercent))\n"
            text += "  so to be expected of a law known exactly           \(percent(scatter.knownLawErrorPercent))\n"
            text += "  of two constants fitted to the other batches       \(percent(scatter.leftOutErrorPercent))\n"
        }
        return text + "law: \(validation.law)\n"
    }

    /// Every training.
    static func text(of validation: TrainingValidation) -> String {
        let table = TextTable(
            [
                .init("ROW", mayShrink: true), .init("STACK", mayShrink: true), .init("GPUS", isNumeric: true),
                .init("HOURS", isNumeric: true), .init("MODEL", isNumeric: true),
                .init("90 % INTERVAL", isNumeric: true), .init("ERROR %", isNumeric: true),
            ],
            rows: validation.rows.map { row in
                [
                    row.id, row.stack, "\(row.devices)", Figures.short(row.publishedHours),
                    Figures.short(row.predictedHours), "\(Figures.short(row.low)) to \(Figures.short(row.high))",
                    Figures.signed(row.errorPercent) + (row.extrapolated ? "*" : ""),
                ]
            })
        return "Hours of whole trainings (modelled clock)   *: EXTRAPOLATED\n\n" + table.text()
            + "\nmean absolute error  \(percent(validation.meanAbsoluteErrorPercent))\n"
            + "least of any model   \(percent(validation.leastMeanAbsoluteErrorPercent))"
            + "  (in which more devices never take fewer device-hours)\n"
    }

    /// The seed case as a table of days.
    static func text(of seed: SeedCase) -> String {
        let table = TextTable(
            [TextTable.Column("GPUS", isNumeric: true)]
                + seed.stacks.map { TextTable.Column($0.uppercased(), isNumeric: true) },
            rows: seed.rows.map { row in
                ["\(row.devices)"] + row.cells.map { Figures.short($0.days) + ($0.extrapolated ? "*" : " ") }
            })
        let claims = seed.claims.map { "  \($0.text): \(Figures.short($0.days)) days\n" }.joined()
        return "Days of bert-large-pubmed on \(seed.hardware) (modelled clock)\n\n" + table.text()
            + "\nsaid of it (AstraZeneca and Cerebras, 26 April 2021):\n" + claims
    }

    /// Every trial on this machine.
    static func text(of outcome: HostTrials.Outcome) -> String {
        let table = TextTable(
            [
                .init("JOB"), .init("WORKERS", isNumeric: true), .init("EXCHANGE"),
                .init("HOST", isNumeric: true), .init("MODELLED", isNumeric: true), .init("ERROR %", isNumeric: true),
                .init("+/-", isNumeric: true), .init("RUNS", isNumeric: true), .init("SLOWED", isNumeric: true),
            ],
            rows: outcome.rows.map { row in
                [
                    row.id, "\(row.workers)",
                    row.workers == 1 ? "none" : "\(row.algorithm.rawValue) \(row.transport.rawValue)",
                    Figures.milliseconds(row.measuredStepHostSeconds),
                    Figures.milliseconds(row.predictedStepModelledSeconds), Figures.signed(row.errorPercent),
                    Figures.fixed(row.standardErrorPercent, 1), "\(row.runs.count)", slowed(row),
                ]
            })
        let (median, worst) = (
            outcome.asCalibratedMedianAbsoluteErrorPercent, outcome.asCalibratedWorstAbsoluteErrorPercent
        )
        return "Median steps on this host, calibrated \(outcome.calibratedAt)\n\n" + table.text()
            + "\nmedian absolute error  \(percent(outcome.medianAbsoluteErrorPercent))\n"
            + "worst                  \(percent(outcome.worstAbsoluteErrorPercent))\n"
            + "as calibrated          \(percent(median)), worst \(percent(worst)): not allowing for 'slowed'\n"
            + "disturbed by           \(percent(outcome.calibrationDisturbancePercent)) when it was calibrated\n"
            + "+/-: the standard error, from how much a job's runs differ; the row is the\n"
            + "     run whose error is the median one\n"
            + "slowed: by how many % kernels, and what moves memory, exceeded the profile's\n"
            + "     beside that run\n"
    }

    /// Kernels and memory.
    private static func slowed(_ row: HostTrials.Row) -> String {
        [row.slowedPercent, row.memorySlowedPercent].map { Figures.fixed($0, 0) }.joined(separator: "/")
    }

    /// Every emulated cluster.
    static func text(of outcome: EmulationTrials.Outcome) -> String {
        let table = TextTable(
            [
                .init("WORKERS", isNumeric: true), .init("NETWORK", mayShrink: true), .init("EXCHANGE"),
                .init("DILATION", isNumeric: true), .init("EMULATED", isNumeric: true),
                .init("MODELLED", isNumeric: true), .init("DIFF. %", isNumeric: true), .init(""),
            ],
            rows: outcome.rows.map { row in
                let mark =
                    row.isHostOverloaded
                    ? "INVALID" : (row.faults.isEmpty && row.oversubscription == 1 ? "" : "f") + row.mark
                return [
                    "\(row.nodes)x\(row.workers / row.nodes)", row.network, row.algorithm.rawValue,
                    Figures.short(row.dilation), row.stepEmulatedSeconds.map(Figures.milliseconds) ?? "-",
                    Figures.milliseconds(row.stepModelledSeconds), row.differencePercent.map(Figures.signed) ?? "-",
                    mark,
                ]
            })
        func share(_ value: Double?) -> String { value.map(percent) ?? "-" }
        return "Mean steps of emulated clusters, and their replay (emulated and modelled clocks)\n"
            + "f: with faults or an oversubscribed core   d: other dilation   r: repeated   "
            + "v: virtual devices among them\n\n" + table.text()
            + "\nmedian absolute difference   \(share(outcome.medianAbsoluteDifferencePercent))\n"
            + "worst                        \(share(outcome.worstAbsoluteDifferencePercent))\n"
            + "spread over three dilations  \(share(outcome.otherDilationSpreadPercent))\n"
            + "spread over repetitions      \(share(outcome.repetitionSpreadPercent))\n"
            + "virtual for half the devices \(share(outcome.virtualWorstDifferencePercent)) (worst)\n"
    }

    private static func percent(_ value: Double) -> String { Figures.fixed(value, 2) + " %" }
}

extension EmulationTrials.Row {
    fileprivate var mark: String {
        switch purpose {
        case .comparison: ""
        case .otherDilation: "d"
        case .repetition: "r"
        case .virtualWorkers: "v"
        }
    }
}

extension String {
    /// The text without spaces at its end.
    var trimmingTrailingSpaces: String { String(prefix(count - reversed().prefix { $0 == " " }.count)) }
}
