import ArgumentParser
import Coordinator
import Foundation
import Jobs
import PerformanceModel
import Report

/// `wafermark validate`: the model against what others, and this machine, measured.
struct ValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Compare the model's predictions with measured figures.",
        discussion: """
            --cases takes published throughputs, one row a measurement: id, stack, hardware,
            model, sequence_length, masked_per_sequence, precision, nodes, gpus_per_node,
            micro_batch, accumulation, optimizer, sequences_per_second.
            --convergence takes global_batch and mean_samples_to_target.
            --time-to-train takes whole trainings in two phases, with their hours.
            The constants are those that ship with the program, or those in --constants.

            --host trains twelve small jobs on this machine, five to eleven times each (a
            quarter of an hour to half an hour), and compares their steps with the replay
            on the profile that 'calibrate' measured. Kernels, and an update of weights,
            are measured again before and after each run, and the replay is as much slower
            as they are: what else the machine does would be taken for an error of the
            model otherwise. It is told with each row, and the error without allowing for
            it as well.

            --emulation emulates clusters of 1 to 16 workers on this machine (some minutes)
            and compares their steps with a replay of the same machine and algorithm.

            With one table, --json is that table's document; with several, the cases'
            document holds the others as 'convergence', 'time_to_train', 'host' and 'emulation'.
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

    @Flag(help: "Train small jobs here and compare their steps with the calibrated host's.")
    var host = false

    @Flag(help: "Emulate small clusters here and compare their steps with their replay.")
    var emulation = false

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard cases != nil || convergence != nil || timeToTrain != nil || host || emulation else {
            throw ValidationError(
                "give --cases, --convergence or --time-to-train with a CSV file, --host or --emulation")
        }
        guard html == nil || cases != nil else { throw ValidationError("--html shows the rows of --cases; give both") }
    }

    func run() async throws {
        let calibration = try constants.map(StackCatalogue.calibration(in:))
        let throughputs = try cases.map { try Validation(PublishedCase.read($0), calibration: calibration) }
        let samples = try convergence.map { try ConvergenceValidation(ConvergenceLaw.Point.read($0)) }
        let hours = try timeToTrain.map {
            try TrainingValidation(PublishedTraining.read($0), calibration: calibration)
        }
        let seed = timeToTrain == nil ? nil : try SeedCase(calibration: calibration)
        let trials = host ? try await runTrials() : nil
        let emulated = emulation ? try await runEmulations() : nil
        if let html, let throughputs {
            try Data(ValidationPage(throughputs, file: cases ?? "").render().utf8)
                .write(to: URL(fileURLWithPath: html), options: .atomic)
        }
        if output.json {
            try Console.printJSON(
                ValidationDocument(
                    cases: throughputs, convergence: samples, timeToTrain: hours, seedCase: seed, host: trials,
                    emulation: emulated))
        } else {
            let texts = [
                throughputs.map { ValidationText.text(of: $0) }, samples.map { ValidationText.text(of: $0) },
                hours.map { ValidationText.text(of: $0) }, seed.map { ValidationText.text(of: $0) },
                trials.map { ValidationText.text(of: $0) }, emulated.map { ValidationText.text(of: $0) },
            ]
            Console.printExactly(texts.compactMap { $0 }.joined(separator: "\n"))
            if let html { Console.print("\n\(html)") }
        }
    }

    /// Trains in a state directory of its own, which is removed afterwards.
    private func runTrials() async throws -> HostTrials.Outcome {
        let machine = try HostMachine(inStateDirectory: state.directory.path)
        return try await TrialState.run { runs, _ in
            try await HostTrials(host: machine, runs: runs).run { Console.diagnose($0) }
        }
    }

    /// Emulates in a state directory of its own, which is removed afterwards.
    private func runEmulations() async throws -> EmulationTrials.Outcome {
        try await TrialState.run { runs, folder in
            try await EmulationTrials(runs: runs, profiles: folder).run { Console.diagnose($0) }
        }
    }
}
