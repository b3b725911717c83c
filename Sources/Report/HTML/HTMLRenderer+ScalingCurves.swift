extension HTMLRenderer {
    /// Throughput and efficiency against the size of the cluster on every clock, in one picture each.
    func scalingCurvesSection(in page: inout Markup) {
        guard !report.scalingCurves.isEmpty else { return }
        section("throughput", "Throughput and efficiency", in: &page) { page in
            let curves = report.scalingCurves
            legend(zip(curves.map(\.name), ScalingCurvesChart.styles(of: curves)), in: &page)
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
