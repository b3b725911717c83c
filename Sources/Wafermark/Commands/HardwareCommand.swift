import ArgumentParser
import PerformanceModel
import Report

/// `wafermark hardware`: the machines that a backend can stand for.
struct HardwareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hardware", abstract: "List, show or check hardware profiles.",
        discussion: "A profile is a YAML file of a machine's figures, each with its source.",
        subcommands: [HardwareListCommand.self, HardwareShowCommand.self, HardwareCheckCommand.self])
}

/// `wafermark hardware list`: the built-in profiles.
struct HardwareListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the profiles that ship with the program.")

    @OptionGroup var output: OutputOptions

    private struct Listing: Encodable {
        struct Profile: Encodable {
            var name: String
            var kind: String
            var title: String
        }
        var profiles: [Profile]
    }

    func run() throws {
        let profiles = try HardwareCatalogue.all()
        if output.json {
            try Console.printJSON(
                Listing(profiles: profiles.map { .init(name: $0.name, kind: $0.kind.rawValue, title: $0.title) }))
            return
        }
        let table = TextTable(
            [.init("NAME"), .init("BACKEND"), .init("MACHINE")],
            rows: profiles.map { [$0.name, $0.kind.rawValue, $0.title] })
        Console.printExactly(table.text())
    }
}

/// `wafermark hardware show`: one profile's file.
struct HardwareShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print a profile's YAML, as a start for your own.")

    @Argument(help: "A name that 'hardware list' shows, or 'host': this machine, once it is calibrated.")
    var name: String

    @OptionGroup var state: StateOptions

    func run() throws {
        if name == HostMachine.name { return try showHost() }
        // A name that is none throws with the ones that are.
        let profile = try HardwareCatalogue.profile(name)
        Console.printExactly(HardwareCatalogue.text(of: profile.name) ?? "")
    }

    /// The file that 'calibrate' wrote, as it is, where it is a valid one.
    private func showHost() throws {
        let directory = state.directory.path
        let text = try HostMachine.text(inStateDirectory: directory)
        _ = try HostMachine(parsing: text, file: HostMachine.path(inStateDirectory: directory))
        Console.printExactly(text)
    }
}

/// `wafermark hardware check`: is a file a valid profile?
struct HardwareCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check a profile's YAML and say what it describes.",
        discussion: """
            What is wrong is printed with file, line, key, what was found and what is
            allowed; the exit code is then 2. A valid file can be given as --hardware.
            """)

    @Argument(help: "The profile's file (YAML).")
    var file: String

    @OptionGroup var output: OutputOptions

    private struct Summary: Encodable {
        var name: String
        var kind: String
        var title: String
        var figures: Int
        var unconfirmedFigures: [String]
    }

    func run() throws {
        let profile = try HardwareProfile(contentsOf: file)
        let figures = profile.figures
        // Files mark what no source could be found for in the source's own words.
        let unconfirmed = figures.filter { $0.figure.isUnconfirmed }.map(\.key)
        if output.json {
            try Console.printJSON(
                Summary(
                    name: profile.name, kind: profile.kind.rawValue, title: profile.title, figures: figures.count,
                    unconfirmedFigures: unconfirmed))
            return
        }
        Console.print("\(profile.name): a valid profile of a \(profile.kind.rawValue)")
        Console.print("  machine      \(profile.title)")
        Console.print("  figures      \(figures.count), each with its source")
        if !unconfirmed.isEmpty {
            Console.print("  unconfirmed  " + unconfirmed.joined(separator: "\n               "))
        }
    }
}
