extension HTMLRenderer {
    /// The runs' times by MLPerf's rules, where they were asked for.
    func mlperfSection(in page: inout Markup) {
        guard let times = report.mlperf else { return }
        section("mlperf", "By MLPerf’s clock", in: &page) { page in
            page.element(
                "p", class: "lead",
                """
                Wall clock, without a pause: from the moment at which the workers were given their lanes until the target was \
                met; evaluations, checkpoints and restarts count. Initialisation has an allowance of \
                \(times.initAllowanceWallSeconds, .duration, "/mlperf/init_allowance_wall_seconds"). A result is the mean \
                over runs of several seeds without the fastest and the slowest.
                """
            )
            for (index, result) in times.results.enumerated() {
                page.element("p", sentence(result, "/mlperf/results/\(index)", required: times.runsRequired))
            }
            table("Runs by MLPerf’s clock (wall clock)", class: "figures", in: &page) { page in
                page.raw("<thead><tr><th scope=\"col\">Run</th>")
                for title in ["Initialisation", "To the target", "Of it stopped or loading"] {
                    page.raw("<th scope=\"col\" class=\"number\">\(title)</th>")
                }
                page.raw("<th scope=\"col\">Status</th></tr></thead>\n<tbody>\n")
                for (index, run) in times.runs.enumerated() {
                    page.raw("<tr><th scope=\"row\">")
                    page.escaped(label(of: run.runId))
                    page.raw("</th>")
                    cells(
                        [
                            (run.initWallSeconds, .duration, "init_wall_seconds"),
                            (run.runWallSeconds, .duration, "run_wall_seconds"),
                            (run.pausedWallSeconds, .duration, "paused_wall_seconds"),
                        ], "/mlperf/runs/\(index)", in: &page)
                    page.element(
                        "td",
                        run.status.rawValue + (run.isInitWithinAllowance == false ? ", initialisation too long" : ""))
                    page.raw("</tr>\n")
                }
                page.raw("</tbody>\n")
            }
            page.element("p", class: "quiet", MLPerfTimes.disclaimer)
        }
    }

    private func sentence(_ result: MLPerfTimes.Result, _ key: String, required: Int) -> Phrase {
        let runs: Phrase = "\(Double(result.runCount), .count, key + "/run_count")"
        let wanted: Phrase =
            result.runCount < required
            ? " MLPerf wants \(Double(required), .count, "/mlperf/runs_required") runs of BERT." : ""
        guard let mean = result.olympicMeanWallSeconds else {
            return
                "\(result.label), \(phrase: runs) runs: no result, because \(result.obstacle ?? "").\(phrase: wanted)"
        }
        return """
            \(result.label), \(phrase: runs) runs: \(mean, .duration, key + "/olympic_mean_wall_seconds") without the \
            fastest and the slowest.\(phrase: wanted)
            """
    }
}

extension MLPerfTimes {
    /// What these times are not.
    static let disclaimer =
        "The clock’s rules are MLPerf Training’s; the text, the network, the target and the number of runs are this job’s own. "
        + "These are no MLPerf results, and MLCommons has not verified them."
}
