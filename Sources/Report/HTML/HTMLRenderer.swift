import Foundation
import Jobs

/// Lays a report out as one HTML file that needs no network and no script.
///
/// Every number of the JSON document that is shown is a `<data>` element with the unrounded value and, in `data-key`, a
/// JSON Pointer to it.
public struct HTMLRenderer {
    let report: ComparisonReport
    let styles: [SeriesStyle]

    /// A renderer of `report`.
    public init(_ report: ComparisonReport) {
        self.report = report
        styles = Self.styles(of: report.runs)
    }

    /// The whole file.
    public func render() -> String {
        var page = Markup()
        page.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        page.raw(
            "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"Wafermark\">\n")
        // Even a mistake of ours can then load nothing and run nothing.
        page.raw(
            """
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
            img-src data:">\n
            """
        )
        page.element("title", report.job.name + " – Wafermark report")
        page.raw("\n<style>\n")
        page.raw(String(decoding: PackageResources.report_css, as: UTF8.self))
        if report.modelled.contains(where: { $0.floorPlan != nil }) { page.raw(FloorPlanPicture.style + "\n") }
        page.raw("</style>\n</head>\n<body>\n")
        page.raw(Self.patterns)
        page.raw("<a class=\"skip\" href=\"#answer\">Skip to the answer</a>\n")
        header(in: &page)
        page.raw("<main>\n")
        answerSection(in: &page)
        sweepSection(in: &page)
        sideBySideSection(in: &page)
        seedsSection(in: &page)
        qualitySection(in: &page)
        stepTimeSection(in: &page)
        scalingCurvesSection(in: &page)
        emulationSection(in: &page)
        remediesSection(in: &page)
        topologySection(in: &page)
        scalingSection(in: &page)
        identitySection(in: &page)
        modelledSection(in: &page)
        mlperfSection(in: &page)
        hostModelSection(in: &page)
        jobSection(in: &page)
        eventsSection(in: &page)
        reproductionSection(in: &page)
        methodSection(in: &page)
        page.raw("</main>\n")
        footer(in: &page)
        page.raw("</body>\n</html>\n")
        return page.text
    }

    /// The hatchings and dots that tell parts of a step apart without colour, in each backend's own.
    private static var patterns: String {
        let definitions = (Backend.allCases.map(\.rawValue) + ["neutral"]).map { colour in
            """
            <pattern id="hatch-\(colour)" width="5" height="5" patternUnits="userSpaceOnUse" \
            patternTransform="rotate(45)"><rect class="pattern \(colour)" width="2.4" height="5"/></pattern>\
            <pattern id="dots-\(colour)" width="6" height="6" patternUnits="userSpaceOnUse">\
            <circle class="pattern \(colour)" cx="2" cy="2" r="1.2"/><circle class="pattern \(colour)" cx="5" cy="5" r="1.2"/>\
            </pattern>
            """
        }.joined()
        return
            "<svg class=\"patterns\" aria-hidden=\"true\" width=\"0\" height=\"0\"><defs>\(definitions)</defs></svg>\n"
    }

    /// The sections that this report has, for the list of contents.
    private var contents: [(id: String, title: String)] {
        var contents = report.sweep == nil ? [] : [("grid", "The grid")]
        contents.append(("figures", "Side by side"))
        if !report.seedGroups.isEmpty { contents.append(("seeds", "Run to run")) }
        contents += [("quality", "Quality"), ("step-time", "Step time")]
        if !report.scalingCurves.isEmpty { contents.append(("throughput", "Throughput")) }
        if hasEmulation { contents.append(("emulation", "Emulated")) }
        if !report.remedies.isEmpty { contents.append(("remedies", "What would help")) }
        if !report.topologies.isEmpty { contents.append(("links", "Links")) }
        if !report.scaling.isEmpty { contents.append(("scaling", "At scale")) }
        if !report.identity.isEmpty { contents.append(("identity", "Bits")) }
        if !report.modelled.isEmpty { contents.append(("modelled", "Modelled")) }
        if report.mlperf != nil { contents.append(("mlperf", "MLPerf’s clock")) }
        contents += [
            ("host-model", "Model error"), ("job", "Job and machine"), ("events", "Events"), ("reproduce", "Reproduce"),
            ("method", "Method"),
        ]
        return contents
    }

    private func header(in page: inout Markup) {
        page.raw("<header class=\"page\">\n<p class=\"brand\">Wafermark</p>\n<nav aria-label=\"Contents\"><ul>")
        for (id, title) in contents {
            page.raw("<li><a href=\"#\(id)\">")
            page.escaped(title)
            page.raw("</a></li>")
        }
        page.raw("</ul></nav>\n</header>\n")
    }

    private func footer(in page: inout Markup) {
        page.raw("<footer>\n<p>Made by Wafermark ")
        if let version = report.runs.lazy.compactMap({ $0.machine?.wafermarkVersion }).first { page.escaped(version) }
        page.raw(" at ")
        time(report.generated, in: &page)
        page.raw(". The same figures, unrounded, are in <code>report.json</code>.</p>\n</footer>\n")
    }

    /// Appends a moment of the wall clock.
    func time(_ date: Date, in page: inout Markup) {
        let text = date.formatted(.iso8601)
        page.raw("<time datetime=\"\(text)\">")
        page.escaped(
            text.replacingOccurrences(of: "T", with: " ").replacingOccurrences(of: "Z", with: " UTC"))
        page.raw("</time>")
    }

    /// Opens a section with its heading.
    func section(_ id: String, _ title: String, in page: inout Markup, _ body: (inout Markup) -> Void) {
        page.raw("<section id=\"\(id)\" aria-labelledby=\"\(id)-heading\">\n<h2 id=\"\(id)-heading\">")
        page.escaped(title)
        page.raw("</h2>\n")
        body(&page)
        page.raw("</section>\n")
    }

    /// A table that scrolls by itself where the screen is too narrow.
    func table(_ caption: String, class style: String = "", in page: inout Markup, _ body: (inout Markup) -> Void) {
        page.raw("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"")
        page.escaped(caption)
        page.raw("\">\n<table class=\"\(style)\">\n<caption class=\"quiet\">")
        page.escaped(caption)
        page.raw("</caption>\n")
        body(&page)
        page.raw("</table>\n</div>\n")
    }

    /// One style a run: the colour is the backend's, mark and dash tell runs of one backend apart.
    private static func styles(of runs: [RunFigures]) -> [SeriesStyle] {
        var seen: [String: Int] = [:]
        return runs.map { run in
            let colour = run.backend.rawValue
            let number = seen[colour, default: 0]
            seen[colour] = number + 1
            let marks: [SeriesStyle.Mark] =
                run.backend == .wafer ? [.circle, .diamond, .triangle] : [.square, .triangle, .diamond]
            // The wafer's first line is unbroken, the cluster's first dashed: on top of each other both are seen.
            return SeriesStyle(
                colour: colour, mark: marks[number % marks.count],
                dash: (run.backend == .wafer ? 0 : 1) + 2 * min(number, 2))
        }
    }
}
