extension HTMLRenderer {
    /// Loss and accuracy, against time and against steps.
    func qualitySection(in page: inout Markup) {
        section("quality", "Quality against time and steps", in: &page) { page in
            if report.runs.allSatisfy({ $0.series.step.isEmpty && $0.evaluations.isEmpty }) {
                page.element("p", "No step was recorded.")
                return
            }
            legend(in: &page)
            page.raw("<div class=\"charts\">\n")
            for chart in charts() { figure(chart, in: &page) }
            page.raw("</div>\n")
            if report.identity.contains(where: { $0.bitIdentical == true }) {
                page.element(
                    "p", class: "quiet",
                    """
                    Against steps the lines of bit-identical runs lie on top of each other: only time tells \
                    them apart.
                    """
                )
            }
            for phrase in report.compressionPhrases { page.element("p", phrase) }
            evaluations(in: &page)
        }
    }

    /// What each run's line and marks are.
    func legend(in page: inout Markup) { legend(zip(report.runs.map(\.label), styles), in: &page) }

    /// What each of `lines` is: its name beside a piece of it.
    func legend(_ lines: some Sequence<(String, SeriesStyle)>, in page: inout Markup) {
        page.raw("<ul class=\"legend\" aria-label=\"Legend\">")
        for (name, style) in lines {
            var svg = SVG()
            svg.path([(x: 1, y: 8), (x: 39, y: 8)], class: "line \(style.colour) dash-\(style.dash)")
            svg.mark(style.mark, x: 20, y: 8, radius: 4.2, class: "mark \(style.mark.rawValue) \(style.colour)")
            page.raw("<li><svg class=\"swatch\" viewBox=\"0 0 40 16\" aria-hidden=\"true\">\(svg.body)</svg>")
            page.escaped(name)
            page.raw("</li>")
        }
        page.raw("</ul>\n")
    }

    func figure(_ chart: LineChart, in page: inout Markup) {
        page.raw("<figure>")
        page.element("figcaption", chart.title)
        page.raw(chart.svg())
        page.raw("</figure>\n")
    }

    private func charts() -> [LineChart] {
        let longest = report.runs.compactMap { $0.series.elapsedHostSeconds.last ?? $0.trainingHostSeconds }.max() ?? 1
        let time = LineChart.Axis.hostTime(through: longest)
        let steps = LineChart.Axis("steps", includesZero: true)
        let accuracy = LineChart.Axis("MLM accuracy, held-out text", scale: 100, unit: " %", includesZero: true)
        let loss = LineChart.Axis("training loss, nats")
        let what = report.runs.map(\.label).joined(separator: "; ")
        var charts: [LineChart] = []
        if report.runs.contains(where: { !$0.evaluations.isEmpty }) {
            for (id, axis, name) in [("accuracy-time", time, "time"), ("accuracy-steps", steps, "steps")] {
                charts.append(
                    LineChart(
                        id: id, title: "Accuracy against \(name)",
                        description: "Share of masked tokens of held-out text predicted right, against \(name). "
                            + "Runs: \(what). The values are in the table of evaluations below.",
                        x: axis, y: accuracy,
                        series: lines { run in
                            run.evaluations.map {
                                (name == "time" ? $0.elapsedHostSeconds : Double($0.stepsMade), $0.mlmAccuracy)
                            }
                        }, references: accuracyReferences))
            }
        }
        if report.runs.contains(where: { !$0.series.step.isEmpty }) {
            for (id, axis, name) in [("loss-time", time, "time"), ("loss-steps", steps, "steps")] {
                charts.append(
                    LineChart(
                        id: id, title: "Loss against \(name)",
                        description: "Training loss, masked tokens plus next sentence, against \(name). Runs: \(what). "
                            + lossDescription, x: axis, y: loss,
                        series: lines { run in
                            let xs =
                                name == "time" ? run.series.elapsedHostSeconds : run.series.step.map { Double($0 + 1) }
                            return Array(zip(xs, run.series.lossNats))
                        }))
            }
        }
        return charts
    }

    func lines(_ points: (RunFigures) -> [(Double, Double?)]) -> [LineChart.Series] {
        zip(report.runs, styles).map { run, style in
            LineChart.Series(name: run.label, style: style, points: points(run).map { (x: $0.0, y: $0.1) })
        }
    }

    private var accuracyReferences: [LineChart.Reference] {
        var references: [LineChart.Reference] = []
        if let baseline = report.runs.lazy.compactMap(\.baselineMlmAccuracy).first {
            references.append(LineChart.Reference(name: "most frequent token", y: baseline))
        }
        if let target = report.job.target, target.quality == "mlm_accuracy" {
            references.append(LineChart.Reference(name: "target", y: target.value))
        }
        return references
    }

    private var lossDescription: String {
        report.runs.map { run in
            """
            \(run.label): from \(FigureFormat.nats.text(run.firstLossNats)) to \
            \(FigureFormat.nats.text(run.finalLossNats)) nats.
            """
        }.joined(separator: " ")
    }

    /// The evaluations as a table: what the charts show, for those who don't see them.
    private func evaluations(in page: inout Markup) {
        guard report.runs.contains(where: { !$0.evaluations.isEmpty }) else { return }
        let most = 40
        page.raw("<details><summary>Evaluations as a table</summary>\n")
        for (index, run) in report.runs.enumerated() where !run.evaluations.isEmpty {
            table("Evaluations on held-out text: \(run.label)", class: "compact", in: &page) { page in
                page.raw(
                    """
                    <thead><tr><th scope="col" class="number">After steps</th><th scope="col" \
                    class="number">Host clock</th><th scope="col" class="number">MLM accuracy</th><th \
                    scope="col" class="number">MLM loss, nats</th><th scope="col" class="number">NSP \
                    accuracy</th><th scope="col" class="number">Noise scale, sequences</th></tr></thead>\n<tbody>\n
                    """
                )
                let every = (run.evaluations.count + most - 1) / most
                for (number, evaluation) in run.evaluations.enumerated()
                where number.isMultiple(of: every) || number == run.evaluations.count - 1 {
                    let key = "/runs/\(index)/evaluations/\(number)"
                    page.raw("<tr>")
                    for (value, format, name) in [
                        (Double(evaluation.stepsMade), FigureFormat.count, "steps_made"),
                        (evaluation.elapsedHostSeconds, .duration, "elapsed_host_seconds"),
                        (evaluation.mlmAccuracy, .share, "mlm_accuracy"),
                        (evaluation.mlmLossNats, .nats, "mlm_loss_nats"),
                        (evaluation.nspAccuracy, .share, "nsp_accuracy"),
                        (evaluation.gradientNoiseScaleSequences, .significant, "gradient_noise_scale_sequences"),
                    ] as [(Double?, FigureFormat, String)] {
                        page.raw("<td class=\"number\">")
                        page.figure(value, format, "\(key)/\(name)")
                        page.raw("</td>")
                    }
                    page.raw("</tr>\n")
                }
                page.raw("</tbody>\n")
            }
        }
        page.raw("</details>\n")
    }
}
