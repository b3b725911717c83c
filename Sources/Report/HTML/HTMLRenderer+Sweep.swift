extension HTMLRenderer {
    /// Every run of a sweep by its place on the axes.
    func sweepSection(in page: inout Markup) {
        guard let grid = report.sweep else { return }
        section("grid", "The grid", in: &page) { page in
            let columns = SweepGrid.columns(of: report.runs)
            table("Sweep \(grid.name)", class: "compact", in: &page) { page in
                page.raw("<thead><tr>")
                for title in grid.axes + ["Run", "State"] { heading(title, isNumeric: false, in: &page) }
                for column in columns { heading(column.title, isNumeric: true, in: &page) }
                page.raw("</tr></thead>\n<tbody>\n")
                for row in grid.rows { self.row(row, columns, in: &page) }
                page.raw("</tbody>\n")
            }
            page.element("p", class: "quiet", SweepGrid.legend)
            for row in grid.rows {
                if let reason = row.reason { page.element("p", "\(row.runId ?? row.state): \(reason)") }
            }
        }
    }

    private func heading(_ title: String, isNumeric: Bool, in page: inout Markup) {
        page.raw(isNumeric ? "<th scope=\"col\" class=\"number\">" : "<th scope=\"col\">")
        page.escaped(title.replacingOccurrences(of: "_", with: " "))
        page.raw("</th>")
    }

    private func row(_ row: SweepGrid.Row, _ columns: [SweepGrid.Column], in page: inout Markup) {
        page.raw("<tr>")
        for value in row.values { page.element("td", value ?? "–") }
        page.element("td", row.runId ?? "")
        page.element("td", row.state)
        for column in columns {
            page.raw("<td class=\"number\">")
            if let place = row.place {
                page.figure(column.value(report.runs[place]), column.format, "/runs/\(place)/\(column.key)")
            }
            page.raw("</td>")
        }
        page.raw("</tr>\n")
    }
}
