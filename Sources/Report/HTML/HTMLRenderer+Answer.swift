extension HTMLRenderer {
    /// The answer, how sure it is, and what must be known to read it.
    func answerSection(in page: inout Markup) {
        page.raw("<section id=\"answer\" class=\"answer\" aria-labelledby=\"answer-heading\">\n")
        page.raw("<p class=\"eyebrow\">")
        page.escaped(report.job.name)
        page.raw("</p>\n<h1 id=\"answer-heading\">")
        page.phrase(report.answer.sentence)
        page.raw("</h1>\n")
        race(in: &page)
        if !report.answer.details.isEmpty {
            page.raw("<ul class=\"details\">")
            for detail in report.answer.details { page.element("li", detail) }
            page.raw("</ul>\n")
        }
        notes(in: &page)
        page.raw("</section>\n")
    }

    /// Each run's time as a bar: the answer at a glance.
    private func race(in page: inout Markup) {
        let isToTarget = report.runs.allSatisfy { $0.timeToTargetHostSeconds != nil }
        let key = isToTarget ? "time_to_target_host_seconds" : "training_host_seconds"
        let times = report.runs.map { isToTarget ? $0.timeToTargetHostSeconds : $0.trainingHostSeconds }
        guard let longest = times.compactMap({ $0 }).max(), longest > 0 else { return }
        page.raw("<dl class=\"race\">\n")
        for (index, run) in report.runs.enumerated() {
            page.raw("<div class=\"\(run.backend.rawValue)\(run.state == "finished" ? "" : " unfinished")\"><dt>")
            page.escaped(run.label)
            if run.state != "finished" {
                page.raw(" ")
                page.element("span", class: "state", run.state)
            }
            page.raw("</dt><dd><span class=\"track\" aria-hidden=\"true\"><span class=\"bar\" style=\"width:")
            page.raw(SVG.number(100 * (times[index] ?? 0) / longest))
            page.raw("%\"></span></span><span class=\"time\">")
            page.figure(times[index], .duration, "/runs/\(index)/\(key)")
            page.raw("</span></dd></div>\n")
        }
        page.raw("</dl>\n<p class=\"quiet race-legend\">")
        page.escaped(isToTarget ? "Time to target, host clock" : "Training time, evaluations included, host clock")
        page.raw("</p>\n")
    }

    private func notes(in page: inout Markup) {
        if report.notes.isEmpty { return }
        page.raw("<aside class=\"notes\" aria-label=\"How to read this report\">\n")
        for note in report.notes {
            page.raw("<div class=\"note\(note.isWarning ? " warning" : "")\" data-kind=\"\(note.kind.rawValue)\">")
            page.element("h2", note.title)
            page.element("p", note.text)
            page.raw("</div>\n")
        }
        page.raw("</aside>\n")
    }

    /// The runs' figures in one table.
    func sideBySideSection(in page: inout Markup) {
        section("figures", report.runs.count == 1 ? "The figures" : "Side by side", in: &page) { page in
            let pair = report.runs.count == 2 ? report.comparisons.first : nil
            table("Figures of each run", class: "figures", in: &page) { page in
                page.raw("<thead><tr><th scope=\"col\"><span class=\"hidden\">Figure</span></th>")
                for run in report.runs {
                    page.raw("<th scope=\"col\" class=\"number \(run.backend.rawValue)\">")
                    page.escaped(run.label)
                    page.raw("</th>")
                }
                if pair != nil { page.raw("<th scope=\"col\" class=\"number\">Ratio</th>") }
                page.raw("</tr></thead>\n<tbody>\n")
                for definition in FigureDefinition.all
                where report.runs.contains(where: { definition.value($0) != nil }) {
                    row(definition, pair: pair, in: &page)
                }
                page.raw("</tbody>\n")
            }
            if let pair, let run = report.runs.first(where: { $0.runId == pair.runId }) {
                page.element(
                    "p", class: "quiet",
                    """
                    Ratio: the \(run.shortName)’s figure over the other’s. Times: below one is sooner. Rates: \
                    above one is faster.
                    """
                )
            }
        }
    }

    private func row(_ definition: FigureDefinition, pair: Comparison?, in page: inout Markup) {
        page.raw("<tr><th scope=\"row\">")
        page.escaped(definition.title)
        page.raw(" ")
        page.element("span", class: "meaning", definition.meaning)
        page.raw("</th>")
        for (index, run) in report.runs.enumerated() {
            page.raw("<td class=\"number\">")
            page.figure(definition.value(run), definition.format, "/runs/\(index)/\(definition.key)")
            page.raw("</td>")
        }
        if let pair {
            page.raw("<td class=\"number ratio\">")
            if let ratio = pair.ratios[definition.key] {
                page.figure(ratio, .ratio, "/comparisons/0/ratios/\(definition.key)")
            }
            page.raw("</td>")
        }
        page.raw("</tr>\n")
    }
}
