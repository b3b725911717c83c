import ArgumentParser
import Coordinator
import Foundation
import Report
import Runs

/// `wafermark report`: runs side by side.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Report on one or more runs of a job, side by side.",
        discussion: """
            With --out, the report's files go into that folder and their paths are
            printed; without, the report in the one format goes to standard output.

            Several runs of one job that differ in their seeds are told together: medians,
            their spread, and whether backends differ by more than chance.

            With --clock mlperf the report also tells times by the clock of MLPerf Training.
            --mlperf-log writes a run as a result log that MLCommons' compliance checker
            reads; of several runs, one file each, with the run's id in its name.
            """)

    @Argument(help: "The runs' ids, or beginnings of them.")
    var runs: [String]

    @Option(help: ArgumentHelp("html, json, csv or markdown; all of them with --out, else html.", valueName: "format"))
    var format: ReportFormat?

    @Option(name: .customLong("out"), help: ArgumentHelp("The folder that takes the files.", valueName: "dir"))
    var folder: String?

    @Option(help: ArgumentHelp("host, or mlperf for MLPerf's rules besides.", valueName: "clock"))
    var clock = ReportClock.host

    @Option(
        name: .customLong("mlperf-log"),
        help: ArgumentHelp("Write an MLPerf result log too.", valueName: "file"))
    var log: String?

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    private struct Written: Encodable {
        var reportPath: String
        var paths: [String]
    }

    private func writeLogs(of records: [RunRecord]) throws {
        guard let log else { return }
        for path in try MLPerfLog.write(records, to: log) { Console.diagnose("MLPerf log: \(path)") }
    }

    func run() throws {
        let store = try RunStore(readingFrom: state.directory.path)
        let records = try runs.map { try store.record(of: try store.id(startingWith: $0)) }
        let report = try ReportMaking.report(of: records, in: state.directory, clock: clock)
        try writeLogs(of: records)
        guard let folder else {
            let data = try ReportWriter(report).render(output.json ? .json : format ?? .html)
            Console.printExactly(String(decoding: data, as: UTF8.self))
            return
        }
        let paths = try ReportMaking.write(
            report, of: records, to: folder, formats: format.map { [$0] } ?? ReportFormat.allCases)
        if output.json {
            try Console.printJSON(Written(reportPath: paths.first ?? folder, paths: paths))
        } else {
            for path in paths { Console.print(path) }
        }
    }
}

extension ReportFormat: ExpressibleByArgument {}
extension ReportClock: ExpressibleByArgument {}
