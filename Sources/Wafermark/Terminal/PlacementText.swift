import PerformanceModel
import Report

/// A placement for people, in 80 columns.
struct PlacementText {
    private let placement: Placement
    private let title: String

    init(_ placement: Placement, title: String) {
        self.placement = placement
        self.title = title
    }

    /// The whole text.
    var text: String {
        let head = title + "\nmodelled clock\n\n"
        switch placement.schedule {
        case .pipelined(let plan, let time):
            return head + kernels(plan) + "\n" + listed(lines(plan, time) + common) + "\n"
                + assumed(Self.assumptions)
        case .streaming(let plan):
            let text = StreamingText(plan, of: placement)
            return head + text.stages + "\n" + listed(text.lines + common) + "\n" + assumed(StreamingText.assumptions)
        }
    }

    /// The kernels by their part in the network: how many, the smallest and the largest.
    private func kernels(_ plan: FloorPlan) -> String {
        let rows = WaferKernel.Role.allCases.compactMap { role -> [String]? in
            let all = plan.rectangles.filter { plan.graph.kernels[$0.kernel].role == role }
            guard let least = all.map(\.layout.area).min(), let most = all.map(\.layout.area).max(),
                let slowest = all.map(\.layout.cycles).max(), let fullest = all.map(\.layout.bytesPerCore).max()
            else { return nil }
            let area = least == most ? "\(least)" : "\(least) to \(most)"
            return [
                role.rawValue.replacing("_", with: " "), "\(all.count)", area, Figures.short(slowest),
                Figures.percent(slowest / plan.slowestCycles), Figures.percent(fullest / plan.core.dataBytes),
            ]
        }
        return TextTable(
            [
                TextTable.Column("KERNEL"), .init("COUNT", isNumeric: true), .init("CORES EACH", isNumeric: true),
                .init("CYCLES", isNumeric: true), .init("LOAD", isNumeric: true), .init("MEMORY", isNumeric: true),
            ], rows: rows
        ).text()
    }

    private func lines(_ plan: FloorPlan, _ time: PipelineTime) -> [(String, String)] {
        let slowest = plan.slowest.map { plan.graph.kernels[$0.kernel].name } ?? "none"
        return [
            ("execution", "pipelined: the whole network lies on the wafer"),
            ("grid", "\(plan.columns) x \(plan.rows) cores, \(Figures.percent(plan.occupiedShare)) with a kernel"),
            ("copies", "\(plan.replicas)"),
            ("slowest kernel", "\(slowest), \(Figures.short(plan.slowestCycles)) cycles a sample"),
            (
                "lower bound",
                "\(Figures.short(plan.leastIntervalCycles)) cycles: \(Figures.percent(plan.leastIntervalCycles / plan.intervalCycles)) "
                    + "of the interval is work"
            ),
            ("busy", "\(Figures.percent(plan.busyShare)) of the grid's time"),
            (
                "wires",
                "\(Figures.short(plan.meanWireCores)) cores a byte; \(Figures.short(plan.leastMeanWireCores)) if all touched"
            ),
            (
                "interval",
                "\(micro(time.interval)) (kernels \(micro(time.kernelInterval)), streams "
                    + "\(micro(time.streamInterval)), input \(micro(time.inputInterval)))"
            ),
            ("pipeline depth", "\(Figures.short(time.depth)) samples"),
            (
                "step",
                "\(Figures.milliseconds(time.seconds)) for \(placement.globalBatch) sequences: fill "
                    + "\(Figures.milliseconds(time.fill)), update \(Figures.milliseconds(time.update)), start "
                    + "\(Figures.milliseconds(time.launch))"
            ),
        ]
    }

    /// What every placement has.
    private var common: [(String, String)] {
        let step = placement.schedule.seconds
        return [
            ("sequences/s", Figures.short(Double(placement.globalBatch) / step)),
            ("all \(placement.steps) steps", PredictionText.span(Double(placement.steps) * step)),
            (
                "replay",
                "\(placement.replayedSamples) samples in \(Figures.milliseconds(placement.replayedSeconds)); the formula "
                    + "says \(Figures.milliseconds(placement.formulaSeconds))"
            ),
        ] + (placement.sparsity.map(Self.sparsityLines) ?? [])
    }

    private static func sparsityLines(_ effect: SparsityEffect) -> [(String, String)] {
        [
            (
                "sparsity",
                "\(Figures.percent(1 - effect.density)) of the encoder's weights are zero (\(effect.pattern.rawValue)): "
                    + "\(Figures.percent(effect.multiplyAddShare)) of all multiply-adds remain; the fullest core has "
                    + "\(Figures.short(effect.imbalance)) times its kernel's mean"
            ),
            (
                "saved",
                "\(Figures.percent(effect.savedShare)) of the step: dense \(Figures.milliseconds(effect.denseStep.seconds)), "
                    + "sparse \(Figures.milliseconds(effect.sparseStep.seconds))"
            ),
        ]
    }

    private func listed(_ lines: [(String, String)]) -> String {
        let width = lines.map(\.0.count).max() ?? 0
        return lines.map { name, value in
            WrappedText.lines(
                value, indent: width + 2, first: name + String(repeating: " ", count: width + 2 - name.count))
        }.joined()
    }

    private func micro(_ seconds: Double) -> String { Figures.short(seconds * 1e6) + " us" }

    private func assumed(_ text: String) -> String { WrappedText.lines(text, indent: 9, first: "assumed: ") }

    private static let assumptions =
        "a kernel sustains the profile's share of peak; \(Figures.percent(WaferCore.programShare)) of a core's memory "
        + "holds its program; a parameter takes \(Int(WaferCore.bytesPerParameter)) bytes with its optimizer "
        + "state; activations are kept, not computed again."
}
