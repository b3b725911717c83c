import ArgumentParser
import Foundation
import PerformanceModel
import Report

/// `wafermark validate`: the model against what others, and this machine, measured.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Compare the model's predictions with measured figures.",
        discussion: """
            --cases takes published throughputs, one row a measurement: id, stack, hardware,
            model, sequence_length, masked_per_sequence, precision, nodes, gpus_per_node,
            micro_batch, accumulation, optimizer, sequences_per_second.
            --convergence takes global_batch and mean_samples_to_target.
            --time-to-train takes whole trainings in two phases, with their hours.
            The constants are those that ship with the program, or those in --constants.

            With one table, --json is that table's document; with several, the cases'
            document holds the others as 'convergence' and 'time_to_train'.
            """)

    @Option(help: ArgumentHelp("Published throughputs (CSV).", valueName: "file"))
    var cases: String?

    @Option(help: ArgumentHelp("Published samples to a target by batch (CSV).", valueName: "file"))
    var convergence: String?

    @Option(help: ArgumentHelp("Published hours of whole trainings (CSV).", valueName: "file"))
    var timeToTrain: String?

    @Option(help: ArgumentHelp("A folder that 'fit --out' wrote, instead of the built-in constants.", valueName: "dir"))
    var constants: String?

    @Option(help: ArgumentHelp("Write the cases as a page with a scatter plot.", valueName: "file"))
    var html: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard cases != nil || convergence != nil || timeToTrain != nil else {
            throw ValidationError("give --cases, --convergence or --time-to-train, each with a CSV file")
        }
        guard html == nil || cases != nil else { throw ValidationError("--html shows the rows of --cases; give both") }
    }

    func run() throws {
        let calibration = try constants.map(StackCatalogue.calibration(in:))
        let throughputs = try cases.map { try Validation(PublishedCase.read($0), calibration: calibration) }
        let samples = try convergence.map { try ConvergenceValidation(ConvergenceLaw.Point.read($0)) }
        let hours = try timeToTrain.map {
            try TrainingValidation(PublishedTraining.read($0), calibration: calibration)
        }
        if let html, let throughputs {
            try Data(ValidationPage(throughputs, file: cases ?? "").render().utf8)
                .write(to: URL(fileURLWithPath: html), options: .atomic)
        }
        if output.json {
            try Console.printJSON(ValidationDocument(cases: throughputs, convergence: samples, timeToTrain: hours))
        } else {
            let texts = [
                throughputs.map { ValidationText.text(of: $0) }, samples.map { ValidationText.text(of: $0) },
                hours.map { ValidationText.text(of: $0) },
            ]
            Console.printExactly(texts.compactMap { $0 }.joined(separator: "\n"))
            if let html { Console.print("\n\(html)") }
        }
    }
}
