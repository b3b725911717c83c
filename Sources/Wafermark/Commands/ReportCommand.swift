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
            """)

    @Argument(help: "The runs' ids, or beginnings of them.")
    var runs: [String]

    @Option(help: ArgumentHelp("html, json, csv or markdown; all of them with --out, else html.", valueName: "format"))
    var format: ReportFormat?

    @Option(name: .customLong("out"), help: ArgumentHelp("The folder that takes the files.", valueName: "dir"))
    var folder: String?

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    private struct Written: Encodable {
        var reportPath: String
        var paths: [String]
    }

    func run() throws {
        let store = try RunStore(readingFrom: state.directory.path)
        let records = try runs.map { try store.record(of: try store.id(startingWith: $0)) }
        let report = try ReportMaking.report(of: records, in: state.directory)
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
