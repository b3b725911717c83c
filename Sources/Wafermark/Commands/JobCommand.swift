import ArgumentParser
import Jobs

/// `wafermark job`: job files.
struct JobCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "Print an example job file, or check one.",
        discussion: "A job says what is trained and nothing of the machine that trains it.",
        subcommands: [JobExampleCommand.self, JobCheckCommand.self])
}

/// `wafermark job example`: a commented job file.
struct JobExampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example", abstract: "Print a commented job file to start from.",
        discussion: JobExample.allCases.map { "  \($0.rawValue.padded(to: 18)) \($0.summary)" }.joined(separator: "\n"))

    @Argument(help: "Which one.")
    var name: JobExample = .demo

    func run() throws {
        Console.printExactly(name.text)
    }
}

/// `wafermark job check`: is a file a valid job?
struct JobCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check a job file and say what it amounts to.",
        discussion: """
            Every problem is printed, one a line, with file, line, key, what was found
            and what is allowed; the exit code is then 2.
            """)

    @Argument(help: "The job file (YAML).")
    var file: String

    @OptionGroup var output: OutputOptions

    func run() throws {
        let summary = JobSummary(try JobFile.read(file))
        if output.json {
            try Console.printJSON(summary)
        } else {
            for line in summary.lines { Console.print(line) }
        }
    }
}

extension JobExample: ExpressibleByArgument {}

extension String {
    /// The text followed by spaces up to `width` characters.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
