import PerformanceModel

extension HTMLRenderer {
    /// What would shorten the steps of each cluster run.
    func remediesSection(in page: inout Markup) {
        if report.remedies.isEmpty { return }
        section("remedies", "What would help", in: &page) { page in
            for (index, table) in report.remedies.enumerated() {
                let key = "/remedies/\(index)"
                let name = label(of: table.runId)
                page.element("p", class: "lead", table.sentence(key, name: name))
                page.raw("<figure class=\"wide\"><figcaption>")
                page.escaped("A step with each remedy: \(name)")
                page.raw("</figcaption>" + bars(table, id: "remedies-\(index)", name: name) + "</figure>\n")
                rows(of: table, key, name: name, in: &page)
                page.element("p", class: "quiet", table.basis.sentence(hardware: table.hardware))
            }
        }
    }

    /// What is left of the step, solid, and what is saved, hollow.
    private func bars(_ table: RemedyTable, id: String, name: String) -> String {
        let known = table.rows.filter { $0.stepModelledSeconds != nil }
        func bar(_ name: String, _ seconds: Double, _ total: String) -> StackedBars.Bar {
            StackedBars.Bar(
                name: name, colour: "cluster",
                parts: [("compute", seconds), ("other", max(0, table.stepModelledSeconds - seconds))], total: total)
        }
        let duration = FigureFormat.duration
        let remedies = known.map { row in
            let seconds = row.stepModelledSeconds ?? 0
            return bar(
                row.remedy.title, seconds, "\(duration.text(seconds)), \(Self.change(row.savedShare))")
        }
        return StackedBars(
            id: id, title: "A step with each remedy: \(name)",
            description: known.map {
                "\($0.remedy.title): \(duration.text($0.stepModelledSeconds)), \(Self.change($0.savedShare))"
            }.joined(separator: "; ") + ". As it is: \(duration.text(table.stepModelledSeconds)). Modelled clock. "
                + "The table below has the values.",
            bars: [bar("As it is", table.stepModelledSeconds, duration.text(table.stepModelledSeconds))] + remedies,
            axis: .time(
                through: ([table.stepModelledSeconds] + known.compactMap(\.stepModelledSeconds)).max() ?? 0,
                clock: "modelled clock")
        ).svg()
    }

    /// A saving as the change that it is.
    private static func change(_ savedShare: Double?) -> String {
        guard let savedShare else { return "–" }
        let text = FigureFormat.share.text(-savedShare)
        return savedShare < 0 ? "+" + text : text
    }

    private func rows(of table: RemedyTable, _ key: String, name: String, in page: inout Markup) {
        self.table("Remedies of \(name), modelled clock", class: "figures", in: &page) { page in
            page.raw(
                """
                <thead><tr><th scope="col">Remedy</th><th scope="col" class="number">The step</th><th scope="col" \
                class="number">Saved</th></tr></thead>\n<tbody>\n
                """
            )
            for (number, row) in table.rows.enumerated() {
                page.raw("<tr><th scope=\"row\">")
                page.escaped(row.remedy.title + " ")
                page.element("span", class: "meaning", row.remedy.meaning)
                page.raw("</th>")
                if let obstacle = row.obstacle {
                    page.raw("<td colspan=\"2\">")
                    page.element("span", class: "meaning", "not told: " + obstacle)
                    page.raw("</td>")
                } else {
                    cells(
                        [
                            (row.stepModelledSeconds, .duration, "step_modelled_seconds"),
                            (row.savedShare, .share, "saved_share"),
                        ], "\(key)/rows/\(number)", in: &page)
                }
                page.raw("</tr>\n")
            }
            page.raw("<tr class=\"sum\"><th scope=\"row\">As it is</th>")
            cells([(table.stepModelledSeconds, .duration, "step_modelled_seconds")], key, in: &page)
            page.raw("<td></td></tr>\n</tbody>\n")
        }
    }
}
