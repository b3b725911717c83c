import ArgumentParser

/// The root of the command tree.
struct WafermarkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wafermark",
        abstract: "Trains one BERT job on an emulated GPU cluster and on a wafer, and compares.",
        discussion: """
            Start here:
              wafermark doctor                          is everything in place?
              wafermark job example > job.yaml          a job to begin with
              wafermark compare job.yaml --workers 2    both backends, then the report

            Exit codes: 0 done, 1 failed, 2 wrong usage or input, 3 coordinator lost,
            4 given up for want of progress, 130 interrupted.
            """,
        version: Program.version,
        subcommands: [
            WorkerCommand.self, FabricCommand.self, PrepareDatasetCommand.self, AllReduceWorkerCommand.self,
        ],
        groupedSubcommands: [
            CommandGroup(
                name: "Run",
                subcommands: [
                    CompareCommand.self, SweepCommand.self, ServeCommand.self, LaunchCommand.self,
                ]),
            CommandGroup(
                name: "Look", subcommands: [RunsCommand.self, LogsCommand.self, ReportCommand.self, DiffCommand.self]),
            CommandGroup(
                name: "Prepare", subcommands: [DoctorCommand.self, JobCommand.self, HardwareCommand.self]),
            CommandGroup(name: "Many hosts", subcommands: [KeysCommand.self, DeployCommand.self]),
            CommandGroup(
                name: "Model",
                subcommands: [
                    PredictCommand.self, PlaceCommand.self, ValidateCommand.self, FitCommand.self, ExplainCommand.self,
                    CalibrateCommand.self, TraceCommand.self,
                ]),
            CommandGroup(
                name: "Examine",
                subcommands: [BenchCommand.self, EvaluateCommand.self, ModelCommand.self, CorpusCommand.self]),
        ])
}
