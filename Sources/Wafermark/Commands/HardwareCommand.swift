import ArgumentParser
import PerformanceModel
import Report

/// `wafermark hardware`: the machines that a backend can stand for.
struct HardwareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hardware", abstract: "List or show hardware profiles.",
        discussion: "A profile is a YAML file of a machine's figures, each with its source.",
        subcommands: [HardwareListCommand.self, HardwareShowCommand.self])
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

    @Argument(help: "A name that 'hardware list' shows.")
    var name: String

    func run() throws {
        // A name that is none throws with the ones that are.
        let profile = try HardwareCatalogue.profile(name)
        Console.printExactly(HardwareCatalogue.text(of: profile.name) ?? "")
    }
}
