import PerformanceModel

/// Lays out the model's errors against published figures as one HTML file without network or script.
public struct ValidationPage {
    private let validation: Validation
    private let file: String

    /// The page of `validation`, whose cases are from `file`.
    public init(_ validation: Validation, file: String) {
        self.validation = validation
        self.file = file
    }

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
        page.raw("<title>Predicted against published – Wafermark</title>\n<style>\n")
        page.raw(String(decoding: PackageResources.report_css, as: UTF8.self))
        page.raw("</style>\n</head>\n<body>\n<main>\n<section>\n")
        page.element("h1", "Predicted against published throughputs")
        summary(in: &page)
        page.raw("<figure>\n" + plot.svg() + "\n</figure>\n")
        parts("By scale", validation.byScale, in: &page)
        parts("By software stack", validation.byStack, in: &page)
        rows(in: &page)
        page.raw("</section>\n</main>\n</body>\n</html>\n")
        return page.text
    }

    private func summary(in page: inout Markup) {
        func percent(_ value: Double) -> String { FigureFormat.grouped(value, decimals: 1) + " %" }
        page.element(
            "p",
            "\(validation.rows.count) throughputs that others measured (\(file)), predicted on the modelled clock: "
                + "mean absolute error \(percent(validation.meanAbsoluteErrorPercent)), median "
                + "\(percent(validation.medianAbsoluteErrorPercent)); \(percent(validation.withinTwelvePercent)) of the "
                + "rows within 12 %; \(percent(validation.intervalCoveragePercent)) within the 90 % interval.")
    }

    private var plot: ScatterPlot {
        let names = ["one device", "one node", "several nodes"]
        let styles = [
            SeriesStyle(colour: "cluster", mark: .circle, dash: 0),
            SeriesStyle(colour: "wafer", mark: .square, dash: 0),
            SeriesStyle(colour: "neutral", mark: .diamond, dash: 0),
        ]
        return ScatterPlot(
            id: "scatter", title: "Predicted against published sequences a second",
            description: "One mark a row; the line is equality, the thin ones are 12 % from it.",
            xTitle: "published, sequences/s", yTitle: "predicted, sequences/s (modelled clock)",
            series: Array(zip(names, styles)).map { (name: $0.0, style: $0.1) },
            points: validation.rows.map {
                ScatterPlot.Point(
                    x: $0.published, y: $0.predicted, series: $0.nodes > 1 ? 2 : ($0.devices > 1 ? 1 : 0), name: $0.id)
            })
    }

    private func parts(_ title: String, _ parts: [Validation.Part], in page: inout Markup) {
        page.element("h2", title)
        page.raw(
            "<div class=\"scroll\"><table class=\"compact\">\n<thead><tr><th>Rows of</th><th class=\"number\">Rows</th>"
        )
        page.raw("<th class=\"number\">Mean absolute error, %</th></tr></thead>\n<tbody>\n")
        for part in parts {
            page.raw("<tr>")
            page.element("td", part.name)
            number(Double(part.rows), decimals: 0, in: &page)
            number(part.meanAbsoluteErrorPercent, decimals: 1, in: &page)
            page.raw("</tr>\n")
        }
        page.raw("</tbody></table></div>\n")
    }

    private func rows(in page: inout Markup) {
        page.element("h2", "Every row")
        page.raw("<div class=\"scroll\"><table class=\"compact\">\n<thead><tr>")
        for title in [
            "Row", "Stack", "Machine", "Devices", "Published", "Predicted", "Low", "High", "Error, %", "Note",
        ] {
            page.element("th", title)
        }
        page.raw("</tr></thead>\n<tbody>\n")
        for row in validation.rows {
            page.raw("<tr>")
            for text in [row.id, row.stack, row.hardware] { page.element("td", text) }
            number(Double(row.devices), decimals: 0, in: &page)
            for value in [row.published, row.predicted, row.low, row.high, row.errorPercent] {
                number(value, decimals: 1, in: &page)
            }
            page.element("td", row.extrapolated ? "EXTRAPOLATED: " + row.reasons.joined(separator: "; ") : "")
            page.raw("</tr>\n")
        }
        page.raw("</tbody></table></div>\n")
    }

    private func number(_ value: Double, decimals: Int, in page: inout Markup) {
        page.raw("<td class=\"number\"><data value=\"\(Markup.number(value))\">")
        page.escaped(FigureFormat.grouped(value, decimals: decimals))
        page.raw("</data></td>")
    }
}
