import Foundation

/// Writes a report as Markdown that fits a pull request.
public struct MarkdownRenderer {
    let report: ComparisonReport

    /// A renderer of `report`.
    public init(_ report: ComparisonReport) { self.report = report }

    /// The text.
    public func render() -> String {
        var text =
            "## " + Self.escaped(report.job.name) + "\n\n**" + Self.escaped(report.answer.sentence.plain) + "**\n\n"
        for detail in report.answer.details { text += "- " + Self.escaped(detail.plain) + "\n" }
        text += "\n"
        for note in report.notes {
            text += "> **" + Self.escaped(note.title) + ".** " + Self.escaped(note.text.plain) + "\n>\n"
        }
        if text.hasSuffix(">\n") { text.removeLast(2) }
        text += "\n" + (report.sweep.map { SweepText($0, in: report).markdown } ?? "")
        text += figures + "\n" + seeds + parts + compression + remedies + criticalPaths + links
        text += curves + scaling + identity + mlperf + hostModel + reproduction
        return text
    }

    private var figures: String {
        let pair = report.runs.count == 2 ? report.comparisons.first : nil
        let head = ["Figure"] + report.runs.map(\.label) + (pair == nil ? [] : ["Ratio"])
        let rows = FigureDefinition.all.compactMap { figure -> [String]? in
            guard report.runs.contains(where: { figure.value($0) != nil }) else { return nil }
            let ratio = pair.map { [$0.ratios[figure.key].map(FigureFormat.ratio.text) ?? ""] } ?? []
            return ["\(figure.title) (\(figure.meaning))"]
                + report.runs.map { figure.format.text(figure.value($0)) } + ratio
        }
        return Self.table(head, rows)
    }

    private var parts: String {
        let runs = report.runs.filter { $0.stepParts != nil }
        if runs.isEmpty { return "" }
        let format = FigureFormat.column(through: runs.compactMap { $0.stepParts?.totalHostSeconds }.max() ?? 0)
        let rows =
            StepPart.allCases.map { part in
                [part.title]
                    + runs.map { run in
                        format.text(run.stepParts?.seconds(of: part))
                    }
            } + [["Whole step"] + runs.map { format.text($0.stepParts?.totalHostSeconds) }]
        return "### Where a step’s time goes (mean, host clock)\n\n" + Self.table(["Part"] + runs.map(\.label), rows)
            + "\n"
    }

    private var compression: String {
        let phrases = report.compressionPhrases
        if phrases.isEmpty { return "" }
        return "### What compressing gradients saved and did to the loss\n\n"
            + phrases.map { "- " + Self.escaped($0.plain) + "\n" }.joined() + "\n"
    }

    private var scaling: String {
        report.scaling.map { scaling in
            let rows =
                scaling.points.map { point in
                    [
                        "\(point.devices)", FigureFormat.duration.text(point.timeModelledSeconds),
                        FigureFormat.percent.text(point.scalingEfficiency),
                        FigureFormat.percent.text(point.exposedCommunicationShare),
                        FigureFormat.significant.text(point.costUsDollars),
                    ]
                }
                + (scaling.wafer.map { wafer in
                    [
                        [
                            wafer.hardware, FigureFormat.duration.text(wafer.timeModelledSeconds), "", "",
                            FigureFormat.significant.text(wafer.costUsDollars),
                        ]
                    ]
                } ?? [])
            return "### The whole job on \(Self.escaped(scaling.hardware)) (modelled clock)\n\n"
                + Self.table(["Devices", "Time", "Efficiency", "Exposed exchange", "US$"], rows) + "\n"
                + (scaling.growth.map { Self.escaped($0.sentence("", hardware: scaling.hardware).plain) + "\n\n" } ?? "")
        }.joined()
    }

    private var identity: String {
        if report.identity.isEmpty { return "" }
        let lines = report.identity.map { check -> String in
            let steps = "\(check.stepsEqual) of \(check.stepsCompared) steps have equal losses"
            return switch check.bitIdentical {
            case true:
                "- `\(check.runId)` and `\(check.referenceRunId)` are **bit-identical**: \(steps), weights equal."
            case false: "- `\(check.runId)` and `\(check.referenceRunId)` are **not bit-identical**: \(steps)."
            case nil: "- `\(check.runId)` and `\(check.referenceRunId)` were not judged: \(check.obstacle ?? "")."
            }
        }
        return "### Bits\n\n" + lines.joined(separator: "\n") + "\n\n"
    }

    private var hostModel: String {
        let check = report.hostModel
        let title = "### The model’s error on these runs\n\n"
        if let obstacle = check.obstacle { return title + "Not checked: " + Self.escaped(obstacle) + ".\n\n" }
        let rows = check.rows.map { row in
            [
                "\(report.runs.first { $0.runId == row.runId }?.label ?? row.runId), phase \(row.phase)",
                FigureFormat.duration.text(row.stepMedianHostSeconds),
                FigureFormat.duration.text(row.stepModelledSeconds),
                FigureFormat.percentage.text(row.errorPercent),
            ]
        }
        return title + Self.table(["Run", "Median step (host)", "Replay (modelled)", "Error"], rows) + "\n"
    }

    private var reproduction: String {
        let machines = Set(report.runs.compactMap(\.machine)).map { machine in
            Self.escaped(
                "\(machine.processor), \(machine.cores) cores, \(machine.instructionSet), \(machine.operatingSystem), "
                    + """
                    oneDNN \(machine.onednnVersion), ZeroMQ \(machine.zeromqVersion), Wafermark \
                    \(machine.wafermarkVersion)
                    """
            )
        }.sorted()
        // Nothing in a command may end the fence.
        let commands = report.reproduction.commands.joined(separator: "\n").replacingOccurrences(of: "```", with: "")
        return "### Do it again\n\n```\n" + commands + "\n```\n\n"
            + "Seed \(report.job.seed). " + machines.map { "Machine: \($0)." }.joined(separator: " ") + "\n"
    }

    static func table(_ head: [String], _ rows: [[String]]) -> String {
        let align = head.indices.map { $0 == 0 ? ":---" : "---:" }
        return ([head.map(escaped), align] + rows.map { $0.map(escaped) })
            .map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }

    /// Text that Markdown takes for nothing but text.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", "`", "*", "_", "[", "]", "|", "#", "~":
                result += "\\"
                result.unicodeScalars.append(scalar)
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}": result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
