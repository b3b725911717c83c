import PerformanceModel
import Report

/// A placement with streamed weights for people, in 80 columns.
struct StreamingText {
    private let plan: StreamingPlan
    private let placement: Placement

    init(_ plan: StreamingPlan, of placement: Placement) {
        self.plan = plan
        self.placement = placement
    }

    /// The stages by their kind: how many, and what sets their time.
    var stages: String {
        var (order, groups) = ([String](), [String: [StreamingPlan.Stage]]())
        for stage in plan.stages {
            let kind = Self.kind(stage)
            if groups[kind] == nil { order.append(kind) }
            groups[kind, default: []].append(stage)
        }
        let rows = order.map { kind -> [String] in
            let all = groups[kind] ?? []
            func micro(_ value: (StreamingPlan.Stage) -> Double) -> String {
                Figures.short((all.map(value).max() ?? 0) * 1e6)
            }
            let total = all.reduce(0) { $0 + $1.seconds }
            return [
                kind, "\(all.count)", micro(\.computeSeconds), micro(\.inSeconds), micro(\.outSeconds),
                Figures.percent(total / plan.passSeconds),
            ]
        }
        return TextTable(
            [
                TextTable.Column("STAGE"), .init("COUNT", isNumeric: true), .init("COMPUTES us", isNumeric: true),
                .init("IN us", isNumeric: true), .init("OUT us", isNumeric: true), .init("TIME", isNumeric: true),
            ], rows: rows
        ).text()
    }

    private static func kind(_ stage: StreamingPlan.Stage) -> String {
        let name = stage.name.drop { $0.isNumber || $0 == " " }
        return String(name) + (stage.isBackward ? ", back" : "")
    }

    /// Figures of a step, each with its name.
    var lines: [(String, String)] {
        let full = plan.activationBytesPerCore / plan.core.dataBytes
        return [
            ("execution", "streaming: weights come from outside, layer by layer"),
            (
                "grid",
                "\(plan.columns) x \(plan.rows) cores; a token's features on \(plan.featureRows) of them, "
                    + "activations in \(Figures.percent(full)) of their memory"
            ),
            (
                "passes",
                "\(plan.passes) of \(plan.samplesOfPass) sequences, each \(Figures.milliseconds(plan.passSeconds))"
            ),
            (
                "traffic",
                "\(Figures.short(plan.bytesIn / 1e9)) GB in and \(Figures.short(plan.bytesOut / 1e9)) GB out a step, at "
                    + "\(Figures.short(plan.bytesPerSecond / 1e9)) GB/s each way"
            ),
            (
                "step",
                "\(Figures.milliseconds(plan.seconds)) for \(placement.globalBatch) sequences: computing "
                    + "\(Figures.milliseconds(plan.computeSeconds)), waiting for weights or gradients "
                    + "\(Figures.milliseconds(plan.exposedSeconds))"
            ),
        ]
    }

    /// What the plan rests on.
    static let assumptions =
        "a core sustains the profile's share of peak; activations are kept, not computed again; a pass takes all samples "
        + "that there is room for; the memory outside updates weights as fast as gradients arrive; a weight comes in once "
        + "forward and once back, its gradient goes out once a pass."
}
