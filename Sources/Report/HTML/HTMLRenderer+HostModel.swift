extension HTMLRenderer {
    /// How far the performance model is from what these very runs took.
    func hostModelSection(in page: inout Markup) {
        section("host-model", "Does the model know this machine?", in: &page) { page in
            let check = report.hostModel
            if let obstacle = check.obstacle {
                page.element("p", "Not checked: " + obstacle + ".")
                return
            }
            page.element(
                "p", class: "lead",
                "The performance model’s replay of these runs’ steps on this machine’s own calibrated profile, beside what was measured."
            )
            table("Median steps: host clock, and the replay’s modelled clock", class: "figures", in: &page) { page in
                page.raw(
                    """
                    <thead><tr><th scope="col">Run</th><th scope="col" class="number">Measured</th><th scope="col" \
                    class="number">Modelled</th><th scope="col" class="number">Error</th></tr></thead>\n<tbody>\n
                    """
                )
                for (index, row) in check.rows.enumerated() { self.row(row, "/host_model/rows/\(index)", in: &page) }
                page.raw("</tbody>\n")
            }
            if let calibratedAt = check.calibratedAt {
                page.raw("<p>Calibrated at ")
                page.element("code", calibratedAt)
                page.raw(".</p>\n")
            }
        }
    }

    private func row(_ row: HostModelCheck.Row, _ key: String, in page: inout Markup) {
        page.raw("<tr><th scope=\"row\">")
        page.escaped(label(of: row.runId))
        page.raw(", phase ")
        page.figure(Double(row.phase), .count, key + "/phase")
        page.raw("</th><td class=\"number\">")
        page.figure(row.stepMedianHostSeconds, .duration, key + "/step_median_host_seconds")
        page.raw("</td><td class=\"number\">")
        page.figure(row.stepModelledSeconds, .duration, key + "/step_modelled_seconds")
        page.raw("</td><td class=\"number\">")
        page.figure(row.errorPercent, .percentage, key + "/error_percent")
        page.raw("</td></tr>\n")
    }
}
