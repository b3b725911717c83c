extension HTMLRenderer {
    /// Throughput and efficiency against the size of the cluster on every clock, in one picture each.
    func scalingCurvesSection(in page: inout Markup) {
        guard !report.scalingCurves.isEmpty else { return }
        section("throughput", "Throughput and efficiency", in: &page) { page in
            scalingLegend(in: &page)
            page.raw("<div class=\"charts\">\n")
            let hasEfficiency = report.scalingCurves.contains { $0.points.count > 1 }
            for quantity in [ScalingCurvesChart.Quantity.throughput] + (hasEfficiency ? [.efficiency] : []) {
                page.raw("<figure>")
                page.element("figcaption", quantity.title)
                page.raw(ScalingCurvesChart(quantity: quantity, curves: report.scalingCurves).svg())
                page.raw("</figure>\n")
            }
            page.raw("</div>\n")
            page.element(
                "p", class: "quiet",
                """
                Rates of different clocks stand for different machines: compare a measured or emulated curve with the replay \
                of its own runs. Bars are 90 % intervals of a prediction, or the least and the most of several runs.
                """
            )
            page.raw("<details><summary>The figures of the picture</summary>\n")
            curveTable(in: &page)
            page.raw("</details>\n")
        }
    }

    private func scalingLegend(in page: inout Markup) {
        page.raw("<ul class=\"legend\" aria-label=\"Legend\">")
        for (curve, style) in zip(report.scalingCurves, ScalingCurvesChart.styles(of: report.scalingCurves)) {
            var svg = SVG()
            svg.path([(x: 1, y: 8), (x: 39, y: 8)], class: "line \(style.colour) dash-\(style.dash)")
            svg.mark(style.mark, x: 20, y: 8, radius: 4.2, class: "mark \(style.mark.rawValue) \(style.colour)")
            page.raw("<li><svg class=\"swatch\" viewBox=\"0 0 40 16\" aria-hidden=\"true\">\(svg.body)</svg>")
            page.escaped(curve.name)
            page.raw("</li>")
        }
        page.raw("</ul>\n")
    }

    private func curveTable(in page: inout Markup) {
        table("Throughput and efficiency by size of the cluster, each on its clock", class: "compact", in: &page) {
            page in
            page.raw("<thead><tr><th scope=\"col\">Curve</th>")
            for title in ["Workers", "Sequences/s", "From", "To", "Efficiency"] {
                page.raw("<th scope=\"col\" class=\"number\">\(title)</th>")
            }
            page.raw("</tr></thead>\n<tbody>\n")
            for (index, curve) in report.scalingCurves.enumerated() {
                for (number, point) in curve.points.enumerated() {
                    page.raw("<tr><th scope=\"row\">")
                    page.escaped(number == 0 ? curve.name : "")
                    page.raw("</th>")
                    let rate = "sequences_per_\(curve.basis.clock)_second"
                    cells(
                        [
                            (Double(point.workers), .count, "workers"), (point.sequencesPerSecond, .rate, rate),
                            (point.low, .rate, "low_" + rate), (point.high, .rate, "high_" + rate),
                            (point.scalingEfficiency, .percent, "scaling_efficiency"),
                        ], "/scaling_curves/\(index)/points/\(number)", in: &page)
                    page.raw("</tr>\n")
                }
            }
            page.raw("</tbody>\n")
        }
    }
}
