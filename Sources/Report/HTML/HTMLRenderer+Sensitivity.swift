import PerformanceModel

extension HTMLRenderer {
    /// What a wafer's modelled time rests on, varied one by one.
    func sensitivity(_ table: WaferSensitivity, of hardware: String, _ key: String, in page: inout Markup) {
        page.element("h3", "What the time on \(hardware) rests on")
        var lead: Phrase =
            "All of the job’s steps take \(table.hours, .significant, key + "/modelled_hours") h on the modelled clock"
        if let published = table.publishedHours {
            lead = lead + "; published: \(published, .significant, key + "/published_hours") h"
        }
        page.element("p", lead + ". The hours below are those if one thing alone is another, the largest change first.")
        self.table("Hours on the modelled clock", class: "figures", in: &page) { page in
            page.raw(
                """
                <thead><tr><th scope="col">What</th><th scope="col" class="number">Value</th><th scope="col" \
                class="number">Range</th><th scope="col" class="number">Hours</th></tr></thead>\n<tbody>\n
                """
            )
            for (index, row) in table.rows.enumerated() { self.row(row, key + "/rows/\(index)", in: &page) }
            page.raw("</tbody>\n")
        }
        page.element("p", "Assumed, and not varied: " + table.assumptions.joined(separator: "; ") + ".")
    }

    private func row(_ row: WaferSensitivity.Row, _ key: String, in page: inout Markup) {
        page.raw("<tr><th scope=\"row\">")
        page.escaped(row.name + (row.unit.isEmpty ? "" : ", \(row.unit)") + " ")
        page.element("span", class: "meaning", row.source)
        page.raw("</th><td class=\"number\">")
        page.figure(row.value, .significant, key + "/value")
        page.raw("</td><td class=\"number\">")
        page.figure(row.low, .significant, key + "/low")
        page.raw(" to ")
        page.figure(row.high, .significant, key + "/high")
        page.raw("</td><td class=\"number\">")
        page.figure(row.hoursAtLow, .significant, key + "/modelled_hours_at_low")
        page.raw(" to ")
        page.figure(row.hoursAtHigh, .significant, key + "/modelled_hours_at_high")
        page.raw("</td></tr>\n")
    }
}
