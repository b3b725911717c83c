import Report
import Training

/// What `wafermark bench kernels --sparse` measured, for people: a curve of bars by pattern and density.
struct SparseBenchText {
    private let result: SparseBench.Result
    private let model: String

    init(_ result: SparseBench.Result, model: String) {
        self.result = result
        self.model = model
    }

    /// All lines.
    var text: String {
        let dense = result.denseSeconds
        var text = WrappedText.lines(
            "\(model), an encoder layer's products, \(result.tokens) tokens a thread, \(result.threads) threads "
                + "(host clock)", indent: 0, first: "")
        text += WrappedText.lines(
            "dense: \(Figures.milliseconds(dense.total)), of them forward \(Figures.milliseconds(dense.forward)), "
                + "inputs' gradient \(Figures.milliseconds(dense.inputGradient)), weights' gradient "
                + "\(Figures.milliseconds(dense.weightGradient)); sparse, in times the dense:", indent: 0, first: "")
        text += "\n" + table.text() + "\n"
        for breakEven in result.breakEvens {
            let place = breakEven.sparsity.map { "at \(Figures.percent($0)) zeros" } ?? "at none of these densities"
            text += "\(breakEven.pattern) breaks even \(place)\n"
        }
        let activations = result.activations.map {
            "\(Figures.fixed($0.ratio, 2)) at \(Figures.percent(1 - $0.density))"
        }
        text += WrappedText.lines(
            "what ReLU leaves instead, the feed-forward layer's five products that see it, packing included: "
                + activations.joined(separator: ", ") + " zeros", indent: 0, first: "")
        return text
            + WrappedText.lines(
                "training multiplies no zero where \(Figures.percent(1 - result.densityLimit)) of the weights or more "
                    + "are zero, or \(Figures.percent(1 - result.activationDensityLimit)) of what ReLU gives: limits for "
                    + "every machine, so that a job's bits are the same on all", indent: 0, first: "")
    }

    private var table: TextTable {
        let dense = result.denseSeconds
        let rows = result.points.map { point in
            [
                point.pattern, Figures.percent(1 - point.density), Self.times(point.seconds.forward / dense.forward),
                Self.times(point.seconds.inputGradient / dense.inputGradient),
                Self.times(point.seconds.weightGradient / dense.weightGradient),
                Self.times(point.seconds.packing / dense.total), Self.times(point.ratio),
                String(repeating: "#", count: max(0, min(20, Int((point.ratio * 16).rounded())))),
            ]
        }
        return TextTable(
            [
                .init("pattern"), .init("zeros", isNumeric: true), .init("forward", isNumeric: true),
                .init("input", isNumeric: true), .init("weight", isNumeric: true), .init("packing", isNumeric: true),
                .init("all", isNumeric: true), .init("16 #: dense"),
            ], rows: rows)
    }

    /// Four characters at most: with more, the table is wider than a terminal.
    private static func times(_ ratio: Double) -> String {
        ratio < 9.995 ? Figures.fixed(ratio, 2) : Figures.short(ratio)
    }
}
