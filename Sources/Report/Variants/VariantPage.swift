import Jobs

/// Lays out a report of variants as one HTML file without network or script.
public struct VariantPage {
    private let report: VariantReport

    /// The page of `report`.
    public init(_ report: VariantReport) { self.report = report }

    /// The whole file.
    public func render() -> String {
        var page = Markup()
        page.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        page.raw("<meta name=\"color-scheme\" content=\"light dark\">\n")
        page.raw(
            """
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">\n
            """)
        page.raw("<title>")
        page.escaped("Variants of \(report.job.name) – Wafermark")
        page.raw("</title>\n<style>\n")
        page.raw(String(decoding: PackageResources.report_css, as: UTF8.self))
        page.raw("</style>\n</head>\n<body>\n<main>\n<section>\n")
        page.element("h1", "Variants of \(report.job.name)")
        page.element("p", report.answer)
        let text = VariantText(report)
        table("Each variant", VariantText.titles, text.rows, in: &page)
        table("Beside the first", VariantText.comparisonTitles, text.comparisonRows, in: &page)
        page.element("p", VariantText.legend)
        for chart in charts { page.raw("<figure>\n" + chart.svg() + "\n</figure>\n") }
        runs(in: &page)
        page.raw("</section>\n</main>\n</body>\n</html>\n")
        return page.text
    }

    private func table(_ title: String, _ titles: [String], _ rows: [[String]], in page: inout Markup) {
        guard !rows.isEmpty else { return }
        page.element("h2", title)
        page.raw("<div class=\"scroll\"><table class=\"compact\">\n<thead><tr>")
        for title in titles { page.element("th", title) }
        page.raw("</tr></thead>\n<tbody>\n")
        for row in rows {
            page.raw("<tr>")
            for cell in row { page.element("td", cell) }
            page.raw("</tr>\n")
        }
        page.raw("</tbody></table></div>\n")
    }

    private static let styles = [
        SeriesStyle(colour: "wafer", mark: .circle, dash: 0), SeriesStyle(colour: "cluster", mark: .square, dash: 0),
        SeriesStyle(colour: "neutral", mark: .diamond, dash: 0),
    ]

    /// Held-out loss against steps and against time; a line a run, a colour a variant.
    private var charts: [LineChart] {
        let last = report.variants.flatMap(\.runs).compactMap { $0.evaluations.last?.elapsedHostSeconds }.max() ?? 1
        func chart(_ id: String, _ title: String, _ axis: LineChart.Axis, _ x: @escaping (EvaluationFigures) -> Double)
            -> LineChart
        {
            LineChart(
                id: id, title: title, description: report.answer, x: axis, y: LineChart.Axis("held-out MLM loss, nats"),
                series: report.variants.enumerated().flatMap { index, variant in
                    variant.runs.map { run in
                        LineChart.Series(
                            name: "\(variant.name), seed \(run.seed)", style: Self.styles[index % Self.styles.count],
                            points: run.evaluations.map { (x: x($0), y: $0.mlmLossNats) })
                    }
                })
        }
        return [
            chart("loss-by-time", "Quality against time", .hostTime(through: last)) { $0.elapsedHostSeconds },
            chart("loss-by-steps", "Quality against steps", LineChart.Axis("steps", includesZero: true)) {
                Double($0.stepsMade)
            },
        ]
    }

    private func runs(in page: inout Markup) {
        let rows = report.variants.flatMap { variant in
            variant.runs.map { run in
                [
                    variant.name, "\(run.seed)", run.runId, FigureFormat.count.text(Double(run.stepsMade)),
                    FigureFormat.duration.text(run.timeToTargetHostSeconds),
                    FigureFormat.duration.text(run.trainingHostSeconds),
                    FigureFormat.nats.text(run.evaluations.last?.mlmLossNats),
                    String((run.weightsDigest ?? "–").prefix(16)),
                ]
            }
        }
        table(
            "Every run", ["variant", "seed", "run", "steps", "time to target", "training", "MLM loss", "weights"], rows,
            in: &page)
        for check in report.identity {
            page.element(
                "p",
                "Run \(check.runId) on the cluster beside \(check.referenceRunId) on the wafer: "
                    + (check.bitIdentical == true
                        ? "the same loss at each of \(check.stepsCompared) steps and the same weights, to the bit."
                        : "NOT the same bits."))
        }
    }
}
