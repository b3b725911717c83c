/// A report of variants as tables of text: for the terminal, and as Markdown.
public struct VariantText {
    private let report: VariantReport

    /// The text of `report`.
    public init(_ report: VariantReport) { self.report = report }

    static let titles = [
        "variant", "zeros", "harvested", "time to target", "steps to target", "step", "MLM loss at end",
    ]

    /// One row a variant, in the order of `titles`.
    var rows: [[String]] {
        report.variants.map { variant in
            [
                variant.name, variant.sparsity.map { FigureFormat.share.text(1 - $0.density) } ?? "none",
                variant.sparsity.map { FigureFormat.share.text($0.harvestedShare) } ?? "none",
                Self.spread(variant.timeToTargetHostSeconds, .duration),
                Self.spread(variant.stepsToTarget, .count), Self.spread(variant.stepHostSeconds, .duration),
                Self.spread(SeedSpread(variant.runs.compactMap { $0.evaluations.last?.mlmLossNats }), .nats),
            ]
        }
    }

    static let comparisonTitles = [
        "variant", "beside", "time", "step", "loss, equal steps", "loss, equal time",
    ]

    /// One row a comparison, in the order of `comparisonTitles`.
    var comparisonRows: [[String]] {
        report.comparisons.map { comparison in
            [
                comparison.name, comparison.reference, Self.interval(comparison.timeRatio, .ratio),
                Self.interval(comparison.stepRatio, .ratio),
                Self.interval(comparison.lossDifferenceAtEqualSteps, .nats),
                Self.interval(comparison.lossDifferenceAtEqualTime, .nats),
            ]
        }
    }

    /// What the tables' figures are.
    static let legend =
        "Host clock. Time, steps and step: mean over seeds ± standard deviation. Comparisons: mean over seeds and its "
        + "95 % interval (Student's t, ratios by their logarithms); losses are held-out MLM loss less the other's, in "
        + "nats. Harvested: the share of the encoder's multiply-adds that was not done."

    /// For the terminal: a column a variant, within 80 columns for three.
    public var terminal: String {
        func table(_ titles: [String], _ rows: [[String]]) -> String {
            let turned = titles.indices.map { index in [titles[index]] + rows.map { $0[index] } }
            let columns = turned[0].enumerated().map { TextTable.Column($1, isNumeric: $0 > 0) }
            return TextTable(columns, rows: Array(turned.dropFirst())).text()
        }
        let comparisons =
            comparisonRows.isEmpty ? "" : table(Self.comparisonTitles, comparisonRows) + "\n"
        return WrappedText.lines(report.answer, indent: 0, first: "") + "\n" + table(Self.titles, rows) + "\n"
            + comparisons + WrappedText.lines(Self.legend, indent: 0, first: "")
    }

    /// As Markdown.
    public var markdown: String {
        func table(_ titles: [String], _ rows: [[String]]) -> String {
            let lines = [titles, titles.map { _ in "---" }] + rows
            return lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
        }
        return "# Variants of \(report.job.name)\n\n" + report.answer + "\n\n" + table(Self.titles, rows) + "\n"
            + table(Self.comparisonTitles, comparisonRows) + "\n" + Self.legend + "\n"
    }

    private static func spread(_ spread: SeedSpread?, _ format: FigureFormat) -> String {
        guard let spread else { return "–" }
        let deviation = spread.standardDeviation.map { " ± " + format.text($0) } ?? ""
        return format.text(spread.mean) + deviation
    }

    private static func interval(_ spread: SeedSpread?, _ format: FigureFormat) -> String {
        guard let spread else { return "–" }
        guard let low = spread.low, let high = spread.high else { return format.text(spread.mean) }
        return "\(format.text(spread.mean)) (\(format.text(low)) to \(format.text(high)))"
    }
}
