import ArgumentParser

/// The root of the command tree.
struct WafermarkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wafermark",
        abstract: "Trains one BERT job on an emulated GPU cluster and on a wafer, and compares.",
        discussion: """
            Start here:
              wafermark doctor                        is everything in place?
              wafermark job example > job.yaml        a job to begin with
              wafermark job check job.yaml            is it a valid one?

            Exit codes: 0 done, 1 failed, 2 wrong usage or input, 130 interrupted.
            """,
        version: Program.version,
        groupedSubcommands: [
            CommandGroup(name: "Prepare", subcommands: [DoctorCommand.self, JobCommand.self, HardwareCommand.self])
        ])
}
