import Foundation
import Jobs
import Runs

/// What `runs list` and `runs show` print to people.
public enum RunText {
    /// A line a run, in the given order, within `width` characters.
    ///
    /// - Parameter now: the wall clock, from which ages are told.
    public static func list(_ runs: [RunSummary], now: Date, width: Int = 80) -> String {
        if runs.isEmpty { return "No runs yet. `wafermark compare JOB.yaml` makes two.\n" }
        let rows = runs.map { run in
            [
                run.id.text, run.jobName, run.backend == .wafer ? "wafer" : "cluster×\(run.workers)",
                run.isPinned ? "\(run.state.name), pinned" : run.state.name,
                "\(run.stepsMade)/\(run.stepsPlanned)", FigureFormat.duration.text(run.trainingTime?.seconds),
                age(of: run.submitted, at: now),
            ]
        }
        return TextTable(
            [
                TextTable.Column("ID"), TextTable.Column("JOB", mayShrink: true), TextTable.Column("BACKEND"),
                TextTable.Column("STATE"), TextTable.Column("STEPS", isNumeric: true),
                TextTable.Column("HOST TIME", isNumeric: true), TextTable.Column("SUBMITTED", isNumeric: true),
            ], rows: rows
        ).text(width: width)
    }

    /// Everything that matters of one run, within `width` characters.
    public static func show(_ record: RunRecord, width: Int = 80) -> String {
        let figures = RunFigures(record, label: record.run.backend == .wafer ? "wafer" : "cluster")
        let pairs = setting(record.run, figures) + course(record.run, figures) + outcome(record.run, figures)
        let longest = pairs.map(\.0.count).max() ?? 0
        let facts = pairs.map { name, value in
            WrappedText.lines(
                PrintableText.plain(value), indent: longest + 2, width: width,
                first: name + String(repeating: " ", count: longest + 2 - name.count))
        }.joined()
        return facts + parts(figures, width: width) + busiestLinks(figures, width: width)
            + newestEvents(figures, of: record.run.id, width: width)
    }

    /// What runs, and on what.
    private static func setting(_ run: Run, _ figures: RunFigures) -> [(String, String)] {
        var pairs = [
            ("Run", run.id.text), ("Job", run.job.name),
            ("Backend", run.backend == .wafer ? "wafer" : "cluster, \(run.workers) workers"),
        ]
        if let hardware = run.hardware { pairs.append(("Hardware", hardware)) }
        if let words = figures.exchangeWords { pairs.append(("Exchange", words)) }
        if let compression = figures.compression {
            pairs.append(("Compression", compression.phrase("", over: figures.transport).plain))
        }
        if let emulation = figures.emulation {
            pairs.append(("Emulated", emulation.words))
            if let words = emulation.stepWords { pairs.append(("Emulated step", words)) }
            for cost in emulation.faultCosts { pairs.append(("Cost of a fault", cost.words)) }
        }
        return pairs
    }

    /// How far it is, and its figures.
    private static func course(_ run: Run, _ figures: RunFigures) -> [(String, String)] {
        var pairs = [
            ("State", figures.state + (figures.failure.map { ": \($0)" } ?? "")),
            ("Submitted", run.submitted.formatted(.iso8601)),
            ("Steps", "\(figures.stepsMade) of \(figures.stepsPlanned)"),
        ]
        for figure in FigureDefinition.all where figure.key != "steps_made" {
            if let value = figure.value(figures) {
                pairs.append((figure.title, figure.format.text(value) + (figure.clock.map { " (\($0) clock)" } ?? "")))
            }
        }
        return pairs
    }

    /// What came of it.
    private static func outcome(_ run: Run, _ figures: RunFigures) -> [(String, String)] {
        var pairs: [(String, String)] = []
        if let digest = figures.weightsDigest { pairs.append(("Weights", "SHA-256 " + digest)) }
        if let words = figures.exampleWords { pairs.append(("Examples", words)) }
        if let directory = figures.modelDirectory { pairs.append(("Model", directory)) }
        if run.corpus?.isSynthetic == true { pairs.append(("Text", "synthetic, written by Wafermark")) }
        return pairs
    }

    private static func parts(_ figures: RunFigures, width: Int) -> String {
        guard let parts = figures.stepParts else { return "" }
        let format = FigureFormat.column(through: parts.totalHostSeconds)
        return "\nWhere a step's time goes (mean, host clock)\n"
            + TextTable(
                [
                    TextTable.Column("PART"), TextTable.Column("TIME", isNumeric: true),
                    TextTable.Column("SHARE", isNumeric: true),
                ],
                rows: parts.all.map { part, seconds in
                    [part.title, format.text(seconds), FigureFormat.share.text(parts.shares[part.rawValue])]
                }
            ).text(width: width)
    }

    private static func busiestLinks(_ figures: RunFigures, width: Int) -> String {
        guard let emulation = figures.emulation, !emulation.links.isEmpty else { return "" }
        let table = "\nThe busiest emulated links (emulated clock)\n" + links(of: emulation, width: width)
        guard let frames = emulation.fabricFrames else { return table }
        let words =
            "The fabric delivered \(frames) frames, late by "
            + FigureFormat.duration.text(emulation.fabricMeanLatenessHostSeconds) + " on the mean, "
            + FigureFormat.duration.text(emulation.fabricMostLatenessHostSeconds) + " at most (host clock)."
        return table + WrappedText.lines(words, indent: 0, width: width, first: "")
    }

    private static func newestEvents(_ figures: RunFigures, of run: RunID, width: Int) -> String {
        guard !figures.events.isEmpty else { return "" }
        let newest = "\nEvents (wall clock, since the start)\n" + events(figures.events.suffix(20), width: width)
        return figures.events.count <= 20
            ? newest
            : newest + "The last 20 of \(figures.events.count); `wafermark runs events \(run)` shows all.\n"
    }

    /// Everything that happened to a run, a paragraph each, within `width` characters.
    public static func events(_ record: RunRecord, width: Int = 80) -> String {
        let figures = RunFigures(record, label: "")
        return figures.events.map { event in
            let time = FigureFormat.duration.text(event.sinceStartWallSeconds)
            let kind = event.kind.replacingOccurrences(of: "_", with: " ")
            let words = WrappedText.lines(PrintableText.plain(event.message), indent: 4, width: width, first: "    ")
            return "\(time)  \(kind)\n\(words)"
        }.joined()
    }

    private static func links(of emulation: EmulationFigures, width: Int) -> String {
        TextTable(
            [
                TextTable.Column("LINK"), TextTable.Column("CARRIES", isNumeric: true),
                TextTable.Column("ACHIEVED", isNumeric: true), TextTable.Column("A STEP", isNumeric: true),
                TextTable.Column("BUSY", isNumeric: true), TextTable.Column("QUEUE", isNumeric: true),
                TextTable.Column("LOST", isNumeric: true),
            ],
            rows: emulation.links.prefix(8).map { link in
                [
                    link.name, FigureFormat.bytes.text(link.bytesPerEmulatedSecond) + "/s",
                    link.achievedBytesPerEmulatedSecond.map { FigureFormat.bytes.text($0) + "/s" } ?? "–",
                    FigureFormat.bytes.text(link.bytesPerStep), FigureFormat.share.text(link.utilisation),
                    "\(link.deepestQueue)", "\(link.lostFrames ?? 0)",
                ]
            }
        ).text(width: width)
    }

    private static func events(_ events: ArraySlice<EventFigures>, width: Int) -> String {
        TextTable(
            [
                TextTable.Column("AT", isNumeric: true), TextTable.Column("WHAT"),
                TextTable.Column("IN WORDS", mayShrink: true),
            ],
            rows: events.map { event in
                [
                    FigureFormat.duration.text(event.sinceStartWallSeconds),
                    event.kind.replacingOccurrences(of: "_", with: " "), event.message,
                ]
            }
        ).text(width: width)
    }

    /// How long ago something was.
    static func age(of date: Date, at now: Date) -> String {
        let seconds = max(0, now.timeIntervalSince(date))
        switch seconds {
        case ..<60: return "\(Int(seconds)) s ago"
        case ..<3_600: return "\(Int(seconds / 60)) min ago"
        case ..<172_800: return "\(Int(seconds / 3_600)) h ago"
        default: return "\(Int(seconds / 86_400)) days ago"
        }
    }
}

extension RunFigures {
    /// How gradients were exchanged, in words; nil where nothing was.
    var exchangeWords: String? {
        guard let algorithm, workers > 1 else { return nil }
        let route =
            switch algorithm {
            case .direct: "directly among all workers"
            case .star: "through one worker as parameter server"
            case .ring: "around a ring of workers"
            case .tree: "up and down a tree of workers"
            }
        let way =
            switch transport {
            case .sharedMemory?: ", in memory that workers share"
            case .ipc?: ", over Unix sockets"
            case .tcp?: ", over TCP"
            case nil: ""
            }
        return route + way
    }

    /// Which examples were used, in words; nil where that is not known.
    var exampleWords: String? {
        guard let examplesUsed, let wholePasses, let examplesChecksum, let examplesChecksumDue else { return nil }
        let verdict =
            examplesChecksum == examplesChecksumDue
            ? "each exactly once a pass: checksum \(examplesChecksum), as it must be"
            : "NOT each once a pass: checksum \(examplesChecksum), due \(examplesChecksumDue)"
        return "\(examplesUsed) used, \(wholePasses) whole passes; \(verdict)"
    }
}
