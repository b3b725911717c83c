extension HTMLRenderer {
    /// What each cluster's workers did instead of computing.
    func speedUpLosses(in page: inout Markup) {
        let clusters = report.speedUp.indices.filter { report.speedUp[$0].workers > 1 }
        if clusters.isEmpty { return }
        page.element("h3", "What the speed-up is lost to")
        for index in clusters {
            page.element(
                "p", report.speedUp[index].sentence("/speed_up/\(index)", name: label(of: report.speedUp[index].runId)))
        }
        table("Workers’ worth of time, host clock, whole training", class: "figures", in: &page) { page in
            page.raw("<thead><tr><th scope=\"col\">Goes into</th>")
            for index in clusters {
                page.raw("<th scope=\"col\" class=\"number cluster\">")
                page.escaped(label(of: report.speedUp[index].runId))
                page.raw("</th>")
            }
            page.raw("</tr></thead>\n<tbody>\n<tr><th scope=\"row\">Computing</th>")
            for index in clusters {
                cell(report.speedUp[index].computingWorkers, "/speed_up/\(index)/computing_workers", in: &page)
            }
            page.raw("</tr>\n")
            for cause in SpeedUpLoss.Cause.allCases { row(cause, clusters, in: &page) }
            page.raw("<tr class=\"sum\"><th scope=\"row\">Workers</th>")
            for index in clusters {
                cell(Double(report.speedUp[index].workers), "/speed_up/\(index)/workers", in: &page)
            }
            page.raw("</tr>\n</tbody>\n")
        }
    }

    private func row(_ cause: SpeedUpLoss.Cause, _ clusters: [Int], in page: inout Markup) {
        page.raw("<tr><th scope=\"row\">")
        page.escaped(cause.title)
        page.raw("</th>")
        for index in clusters {
            let number = report.speedUp[index].losses.firstIndex { $0.cause == cause }
            cell(
                number.map { report.speedUp[index].losses[$0].workers },
                "/speed_up/\(index)/losses/\(number ?? 0)/workers", in: &page)
        }
        page.raw("</tr>\n")
    }

    private func cell(_ workers: Double?, _ key: String, in page: inout Markup) {
        page.raw("<td class=\"number\">")
        page.figure(workers, .rate, key)
        page.raw("</td>")
    }
}

extension SpeedUpLoss.Cause {
    /// The cause as readers know it.
    fileprivate var title: String {
        switch self {
        case .exposedCommunication: "Exposed communication"
        case .waiting: "Waiting for the slowest"
        case .input: "Input"
        case .optimizer: "Optimizer"
        case .other: "Other"
        case .betweenSteps: "Between steps"
        }
    }
}
