extension HTMLRenderer {
    /// Where a step's time goes, run by run and worker by worker.
    func stepTimeSection(in page: inout Markup) {
        section("step-time", "Where a step’s time goes", in: &page) { page in
            let known = report.runs.indices.filter { report.runs[$0].stepParts != nil }
            if known.isEmpty {
                page.element("p", "No worker reported the parts of its steps.")
                return
            }
            page.element("p", class: "lead", stepTimeSentence(known))
            partsLegend(in: &page)
            page.raw("<figure class=\"wide\"><figcaption>A step, mean over steps and workers</figcaption>")
            page.raw(
                bars(
                    id: "step-parts", title: "A step’s time by part",
                    rows: known.compactMap { index in
                        report.runs[index].stepParts.map {
                            (report.runs[index].label, report.runs[index].backend.rawValue, $0)
                        }
                    }))
            page.raw("</figure>\n")
            partsTable(known, in: &page)
            for index in known where report.runs[index].workerParts.count > 1 { workers(index, in: &page) }
            speedUpLosses(in: &page)
            criticalPaths(in: &page)
            page.element("h3", "Step by step")
            legend(in: &page)
            page.raw("<figure class=\"wide\">")
            page.raw(spread.svg())
            page.raw("</figure>\n")
        }
    }

    /// The time of every step: how steady the runs were.
    private var spread: LineChart {
        LineChart(
            id: "step-spread", title: "Time of each step",
            description: "Host time of each step, against steps. Medians and percentiles are in the table of figures.",
            x: LineChart.Axis("steps", includesZero: true),
            y: .hostTime(through: report.runs.compactMap { $0.series.stepHostSeconds.max() }.max() ?? 0),
            series: lines { run in
                Array(zip(run.series.step.map { Double($0 + 1) }, run.series.stepHostSeconds))
            }, width: 720, height: 260)
    }

    /// Names the largest part, and the largest beside computing.
    private func stepTimeSentence(_ known: [Int]) -> Phrase {
        var sentence: Phrase = ""
        for index in known {
            guard let parts = report.runs[index].stepParts else { continue }
            let rest = parts.all.filter { $0.part != .compute && $0.seconds > 0 }.max { $0.seconds < $1.seconds }
            let name = report.runs.count == 1 ? "The run" : "\(report.runs[index].label)"
            let key = "/runs/\(String(index))/step_parts"
            sentence =
                sentence
                    + """
                    \(sentence.parts.isEmpty ? "" : " ")\(name): \
                    \(parts.totalHostSeconds, .duration, key + "/total_host_seconds") a step, \
                    \(parts.computeHostSeconds, .duration, key + "/compute_host_seconds") of it computing
                    """
            if let rest {
                sentence =
                    sentence
                    + ", \(rest.seconds, .duration, "\(key)/\(rest.part.key)") \(rest.part.title.lowercased())"
            }
            sentence = sentence + "."
        }
        return sentence
    }

    private func partsLegend(in page: inout Markup) {
        page.raw("<ul class=\"legend parts\" aria-label=\"Parts of a step\">")
        for part in StepPart.allCases {
            page.raw(
                """
                <li><svg class="swatch" viewBox="0 0 20 16" aria-hidden="true"><rect class="part neutral \
                \(part.rawValue)" x="1" y="2" width="18" height="12"/></svg>
                """
            )
            page.escaped(part.title)
            page.raw("</li>")
        }
        page.raw("</ul>\n")
    }

    private func bars(id: String, title: String, rows: [(name: String, colour: String, parts: StepParts)]) -> String {
        StackedBars(
            id: id, title: title,
            description: rows.map { row in
                row.name + ": "
                    + row.parts.all.map { "\($0.part.title.lowercased()) \(FigureFormat.duration.text($0.seconds))" }
                    .joined(separator: ", ")
            }.joined(separator: "; ") + ". Host clock. The table below has the values.",
            bars: rows.map { row in
                StackedBars.Bar(
                    name: row.name, colour: row.colour, parts: row.parts.all.map { ($0.part.rawValue, $0.seconds) },
                    total: FigureFormat.duration.text(row.parts.totalHostSeconds))
            }, axis: .hostTime(through: rows.map(\.parts.totalHostSeconds).max() ?? 0)
        ).svg()
    }

    private func partsTable(_ known: [Int], in page: inout Markup) {
        let format = FigureFormat.column(
            through: known.compactMap { report.runs[$0].stepParts?.totalHostSeconds }.max() ?? 0)
        table("Parts of a step: mean over steps and workers, host clock", class: "figures", in: &page) { page in
            page.raw("<thead><tr><th scope=\"col\"><span class=\"hidden\">Part</span></th>")
            for index in known {
                page.raw("<th scope=\"col\" class=\"number \(report.runs[index].backend.rawValue)\">")
                page.escaped(report.runs[index].label)
                page.raw("</th>")
            }
            page.raw("</tr></thead>\n<tbody>\n")
            for part in StepPart.allCases {
                page.raw("<tr><th scope=\"row\">")
                page.escaped(part.title)
                page.raw(" ")
                page.element("span", class: "meaning", part.meaning)
                page.raw("</th>")
                for index in known {
                    let parts = report.runs[index].stepParts
                    let key = "/runs/\(index)/step_parts"
                    page.raw("<td class=\"number\">")
                    page.figure(parts?.seconds(of: part), format, "\(key)/\(part.key)")
                    page.raw("<span class=\"meaning\">")
                    page.figure(parts?.shares[part.rawValue], .share, "\(key)/shares/\(part.rawValue)")
                    page.raw("</span></td>")
                }
                page.raw("</tr>\n")
            }
            page.raw("<tr class=\"sum\"><th scope=\"row\">Whole step</th>")
            for index in known {
                page.raw("<td class=\"number\">")
                page.figure(
                    report.runs[index].stepParts?.totalHostSeconds, format,
                    "/runs/\(index)/step_parts/total_host_seconds")
                page.raw("</td>")
            }
            page.raw("</tr>\n</tbody>\n")
        }
    }

    /// One run's workers: bars, and a table.
    private func workers(_ index: Int, in page: inout Markup) {
        let run = report.runs[index]
        page.element("h3", "Worker by worker: \(run.label)")
        if let words = run.exchangeWords { page.element("p", "Gradients were exchanged \(words).") }
        page.raw("<figure class=\"wide\">")
        page.raw(
            bars(
                id: "workers-\(index)", title: "A step’s time by worker: \(run.label)",
                rows: run.workerParts.map { ("Worker \($0.rank)", run.backend.rawValue, $0.stepParts) }))
        page.raw("</figure>\n")
        let format = FigureFormat.column(through: run.workerParts.map(\.stepParts.totalHostSeconds).max() ?? 0)
        for (number, worker) in run.workerParts.enumerated() where worker.isStraggler {
            page.raw("<p>Worker ")
            page.figure(Double(worker.rank), .count, "/runs/\(index)/worker_parts/\(number)/rank")
            page.raw(" was slower than the others over the whole run; the events say when.</p>\n")
        }
        workersTable(run, "/runs/\(index)/worker_parts", format, in: &page)
    }

    /// Where each worker's time went, what it had to do, and how its own work on a lane compares with the others'.
    private func workersTable(_ run: RunFigures, _ key: String, _ format: FigureFormat, in page: inout Markup) {
        table("Workers of \(run.label): mean over steps, host clock", class: "compact", in: &page) { page in
            page.raw("<thead><tr><th scope=\"col\">Worker</th>")
            for part in StepPart.allCases {
                page.raw("<th scope=\"col\" class=\"number\">")
                page.escaped(part == .exposedCommunication ? "Exposed comm." : part.title)
                page.raw("</th>")
            }
            for (title, meaning) in [("Sent a step", "lanes"), ("Own work a lane", "over the others’; z-score")] {
                page.raw("<th scope=\"col\" class=\"number\">")
                page.escaped(title)
                page.raw(" ")
                page.element("span", class: "meaning", meaning)
                page.raw("</th>")
            }
            page.raw("</tr></thead>\n<tbody>\n")
            for (number, worker) in run.workerParts.enumerated() {
                let key = "\(key)/\(number)"
                page.raw("<tr><th scope=\"row\">")
                page.figure(Double(worker.rank), .count, "\(key)/rank")
                page.raw("</th>")
                for part in StepPart.allCases {
                    page.raw("<td class=\"number\">")
                    page.figure(worker.stepParts.seconds(of: part), format, "\(key)/step_parts/\(part.key)")
                    page.raw("</td>")
                }
                page.raw("<td class=\"number\">")
                page.figure(worker.sentBytesPerStep, .bytes, "\(key)/sent_bytes_per_step")
                page.raw("<span class=\"meaning\">")
                page.figure(worker.lanesPerStep, .significant, "\(key)/lanes_per_step")
                page.raw("</span></td><td class=\"number\">")
                page.figure(worker.ownWorkPerLaneHostSeconds, format, "\(key)/own_work_per_lane_host_seconds")
                page.raw("<span class=\"meaning\">")
                page.figure(worker.ownWorkRatio, .ratio, "\(key)/own_work_ratio")
                page.raw("; ")
                page.figure(worker.stragglerZScore, .significant, "\(key)/straggler_z_score")
                page.raw("</span></td></tr>\n")
            }
            page.raw("</tbody>\n")
        }
    }
}
