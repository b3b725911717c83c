extension HTMLRenderer {
    /// How far repeated runs lie from each other, and whether groups of them differ.
    func seedsSection(in page: inout Markup) {
        if report.seedGroups.isEmpty { return }
        section("seeds", "From run to run", in: &page) { page in
            let isToTarget = report.seedGroups.allSatisfy { $0.timeToTargetHostSeconds != nil && $0.targetsMissed == 0 }
            let key = isToTarget ? "time_to_target_host_seconds" : "training_host_seconds"
            for (index, comparison) in report.seedComparisons.enumerated() { verdict(comparison, index, in: &page) }
            page.raw("<figure class=\"wide\"><figcaption>")
            page.escaped(isToTarget ? "Time to target of every run" : "Training time of every run")
            page.raw("</figcaption>" + chart(isToTarget).svg() + "</figure>\n")
            table("Over the runs of each group, host clock", class: "compact", in: &page) { page in
                page.raw("<thead><tr><th scope=\"col\">Runs of one job</th>")
                for title in [
                    "Runs", isToTarget ? "Time to target, median" : "Training time, median", "95 % from", "to", "Least",
                    "Most", "Missed", "Median step", "MLM loss", "MLM accuracy",
                ] {
                    page.raw("<th scope=\"col\" class=\"number\">\(title)</th>")
                }
                page.raw("</tr></thead>\n<tbody>\n")
                for (index, group) in report.seedGroups.enumerated() {
                    row(group, isToTarget, "/seed_groups/\(index)", key, in: &page)
                }
                page.raw("</tbody>\n")
            }
            page.element(
                "p", class: "quiet",
                """
                Runs of a group differ in nothing but their seeds. Interval of a median: percentile bootstrap over the runs, \
                seeded by the job; it never reaches beyond the least and the most, so with few runs it is too narrow.
                """
            )
        }
    }

    private func verdict(_ comparison: SeedComparison, _ index: Int, in page: inout Markup) {
        let key = "/seed_comparisons/\(index)"
        let (group, other) = (report.seedGroups[comparison.group], report.seedGroups[comparison.referenceGroup])
        let word =
            switch comparison.verdict {
            case .faster: "Faster"
            case .slower: "Slower"
            case .noSignificantDifference: "No significant difference"
            case nil: "Too few runs to tell"
            }
        page.element("h3", "\(group.label) beside \(other.label): \(word)")
        var text: Phrase = "\(comparison.ratio, .ratio, key + "/ratio") as long"
        if let low = comparison.ratioLow, let high = comparison.ratioHigh {
            text =
                text
                + ", between \(low, .ratio, key + "/ratio_low") and \(high, .ratio, key + "/ratio_high") (95 % interval)"
        }
        switch comparison.method {
        case .pairedBySeed:
            text = text + ". Compared seed by seed, so that what a seed does to both is not taken for chance: the "
            text = text + "geometric mean of the ratios, Student’s t of their logarithms."
        case .mediansOfRuns:
            text = text + ". The ratio of the medians, bootstrap over runs."
        }
        page.element("p", text)
    }

    private func chart(_ isToTarget: Bool) -> SpreadChart {
        SpreadChart(
            id: "seed-spread", title: isToTarget ? "Time to target of every run" : "Training time of every run",
            rows: report.seedGroups.map { group in
                let runs = report.runs.filter { group.runIds.contains($0.runId) }
                return SpreadChart.Row(
                    name: group.label, colour: group.backend.rawValue,
                    values: runs.compactMap { isToTarget ? $0.timeToTargetHostSeconds : $0.trainingHostSeconds },
                    spread: isToTarget ? group.timeToTargetHostSeconds : group.trainingHostSeconds)
            })
    }

    private func row(
        _ group: SeedGroup, _ isToTarget: Bool, _ place: String, _ key: String, in page: inout Markup
    ) {
        let time = isToTarget ? group.timeToTargetHostSeconds : group.trainingHostSeconds
        page.raw("<tr><th scope=\"row\" class=\"\(group.backend.rawValue)\">")
        page.escaped(group.label)
        page.raw("</th>")
        cells(
            [
                (Double(group.runCount), .count, "run_count"), (time?.median, .duration, "\(key)/median"),
                (time?.medianLow, .duration, "\(key)/median_low"), (time?.medianHigh, .duration, "\(key)/median_high"),
                (time?.least, .duration, "\(key)/least"), (time?.most, .duration, "\(key)/most"),
                (Double(group.targetsMissed), .count, "targets_missed"),
                (group.stepMedianHostSeconds?.median, .duration, "step_median_host_seconds/median"),
                (group.finalHeldOutMlmLossNats?.median, .nats, "final_held_out_mlm_loss_nats/median"),
                (group.finalHeldOutMlmAccuracy?.median, .share, "final_held_out_mlm_accuracy/median"),
            ], place, in: &page)
        page.raw("</tr>\n")
    }
}
