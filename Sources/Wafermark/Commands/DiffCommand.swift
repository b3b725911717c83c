import ArgumentParser
import Foundation
import Report
import Runs

/// `wafermark diff`: what changed from one run to another.
struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "List what changed between two runs, the largest change first.",
        discussion: """
            In configuration, in where a step's time goes in each phase of training, and
            in what came of it. The runs need not be of one job or machine.
            """)

    @Argument(help: ArgumentHelp("The run, by its id or a beginning of it.", valueName: "run"))
    var compared: String

    @Argument(help: "The run that it is compared with.")
    var reference: String

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let store = try RunStore(readingFrom: state.directory.path)
        let records = try [compared, reference].map { try store.record(of: try store.id(startingWith: $0)) }
        let difference = try RunDifference(records[0], from: records[1])
        if output.json {
            Console.printExactly(String(decoding: try difference.json(), as: UTF8.self))
        } else {
            Console.printExactly(DifferenceText.text(difference))
        }
    }
}
