import ArgumentParser
import Foundation
import PerformanceModel
import Report

/// `wafermark fit`: the model's constants from published rows.
struct FitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fit", abstract: "Fit the performance model's constants to published throughputs.",
        discussion: """
            Least squares on the logarithm of time, with a prior on every constant. Prints
            each constant with its standard error and how far the rows determine it: 0 % is
            the prior alone, 100 % the rows alone. More constants than rows are refused.
            Beside the error on the rows themselves stand those on rows held out of the fit:
            a random fifth, each number of nodes, each stack's rows of several devices.
            """)

    @Option(help: ArgumentHelp("Published throughputs (CSV), as 'validate' takes them.", valueName: "file"))
    var cases: String

    @Option(
        name: .customLong("out"),
        help: ArgumentHelp("Write the constants as YAML into a folder, for 'validate --constants'.", valueName: "dir"))
    var folder: String?

    @Flag(inversion: .prefixedNo, help: "Fit again without each held-out part.")
    var crossValidation = true

    @OptionGroup var output: OutputOptions

    private struct Document: Encodable {
        struct Entry: Encodable {
            var name: String
            var value: Double
            var standardErrorPercent: Double
            var determinedPercent: Double
        }
        struct Fold: Encodable {
            var name: String
            var rows: Int
            var meanAbsoluteErrorPercent: Double
            var meanAbsoluteErrorPercentInSample: Double
        }
        var rows: Int
        var constants: [Entry]
        var meanAbsoluteErrorPercent: Double
        var heldOut: [Fold]
        var paths: [String]
    }

    func run() throws {
        let rows = try PublishedCase.read(cases)
        let base = Calibration.priors(stacks: try StackCatalogue.calibration().stacks)
        let outcome = try CalibrationFit(rows: rows, base: base).run()
        var calibration = outcome.calibration
        let inSample = try Validation(rows, calibration: calibration)
        var folds: [CrossValidation.Fold] = []
        if crossValidation {
            let validation = try CrossValidation(rows: rows, base: base)
            folds = validation.folds
            calibration.shared.interval = validation.interval(fallback: calibration.shared.interval)
        }
        let paths = try write(calibration)
        let errors = Dictionary(uniqueKeysWithValues: inSample.rows.map { ($0.id, abs($0.errorPercent)) })
        let document = Document(
            rows: rows.count,
            constants: outcome.constants.map {
                .init(
                    name: $0.id.name, value: $0.constant.value, standardErrorPercent: $0.constant.errorPercent,
                    determinedPercent: 100 * $0.constant.determined)
            },
            meanAbsoluteErrorPercent: inSample.meanAbsoluteErrorPercent,
            heldOut: folds.map { fold in
                let own = fold.errors.map { errors[$0.row.id] ?? 0 }
                return .init(
                    name: fold.name, rows: fold.errors.count, meanAbsoluteErrorPercent: fold.meanAbsolutePercent,
                    meanAbsoluteErrorPercentInSample: own.reduce(0, +) / Double(max(1, own.count)))
            }, paths: paths)
        if output.json { try Console.printJSON(document) } else { Console.printExactly(text(of: document)) }
    }

    private func write(_ calibration: Calibration) throws -> [String] {
        guard let folder else { return [] }
        let url = URL(fileURLWithPath: folder, isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return try calibration.files.map { name, text in
            let path = url.appendingPathComponent(name)
            try Data(text.utf8).write(to: path, options: .atomic)
            return path.path
        }
    }

    private func text(of document: Document) -> String {
        var text = "\(document.constants.count) constants from \(document.rows) rows\n\n"
        text += TextTable(
            [
                .init("CONSTANT", mayShrink: true), .init("VALUE", isNumeric: true),
                .init("STD. ERROR %", isNumeric: true), .init("DETERMINED %", isNumeric: true),
            ],
            rows: document.constants.map {
                [
                    $0.name, Figures.short($0.value), Figures.fixed($0.standardErrorPercent, 1),
                    Figures.fixed($0.determinedPercent, 0),
                ]
            }
        ).text()
        text += "\nmean absolute error on these rows: \(Figures.fixed(document.meanAbsoluteErrorPercent, 2)) %\n"
        if !document.heldOut.isEmpty {
            text += "\n"
            text += TextTable(
                [
                    .init("HELD OUT OF THE FIT", mayShrink: true), .init("ROWS", isNumeric: true),
                    .init("ERROR %", isNumeric: true), .init("IN SAMPLE %", isNumeric: true),
                ],
                rows: document.heldOut.map {
                    [
                        $0.name, "\($0.rows)", Figures.fixed($0.meanAbsoluteErrorPercent, 2),
                        Figures.fixed($0.meanAbsoluteErrorPercentInSample, 2),
                    ]
                }
            ).text()
        }
        return text + document.paths.map { "\($0)\n" }.joined()
    }
}
