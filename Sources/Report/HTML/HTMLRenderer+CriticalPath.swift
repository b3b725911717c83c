extension HTMLRenderer {
    /// A step of each cluster run, worker by worker, with what set its length.
    func criticalPaths(in page: inout Markup) {
        for (index, path) in report.criticalPaths.enumerated() {
            let key = "/critical_paths/\(index)"
            let title = "The critical path of a step: \(label(of: path.runId))"
            page.element("h3", title)
            page.element("p", path.sentence(key))
            if !path.startsMeasured {
                page.element(
                    "p", class: "quiet",
                    "This run’s record does not say when parts began: they are laid out one after the other, from one "
                        + "start for all workers.")
            }
            page.raw(
                """
                <ul class="legend parts" aria-label="Lines of the picture"><li><svg class="swatch" viewBox="0 0 20 16" \
                aria-hidden="true"><path class="critical" d="M1 8L19 8"/></svg>critical path; textures as above</li></ul>\n
                """
            )
            page.raw("<figure class=\"wide\">")
            page.raw(StepGantt(id: "critical-\(index)", title: title, path: path).svg())
            page.raw("</figure>\n")
            table("The critical path, host clock, since the step’s start", class: "compact", in: &page) { page in
                page.raw(
                    """
                    <thead><tr><th scope="col">Part</th><th scope="col" class="number">Worker</th><th scope="col" \
                    class="number">From</th><th scope="col" class="number">For</th></tr></thead>\n<tbody>\n
                    """
                )
                for (number, stretch) in path.path.enumerated() {
                    page.raw("<tr><th scope=\"row\">")
                    page.escaped(stretch.title(in: path.step))
                    page.raw("</th>")
                    cells(
                        [
                            (Double(stretch.rank), .count, "rank"),
                            (stretch.startHostSeconds, .duration, "start_host_seconds"),
                            (stretch.hostSeconds, .duration, "host_seconds"),
                        ], "\(key)/path/\(number)", in: &page)
                    page.raw("</tr>\n")
                }
                page.raw("</tbody>\n")
            }
        }
    }
}
