import ArgumentParser
import Coordinator
import Foundation
import Report
import Runs

/// `wafermark trace`: what a run's steps consisted of.
struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Export what a run's steps consisted of.",
        subcommands: [TraceExportCommand.self])
}

/// `wafermark trace export`: a run's steps for other tools.
struct TraceExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a run's steps for Perfetto or for Chakra's tools.",
        discussion: """
            perfetto     the Trace Event Format: a track a worker, a slice a part of a step, a
                         flow a message; open it at ui.perfetto.dev. Host clock.
            chakra-json  MLCommons Chakra's execution trace of one step: operators with
                         FLOPs and bytes, messages, dependencies; and the measured parts.
            """)

    /// What is written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case perfetto
        case chakraJSON = "chakra-json"
    }

    @Argument(help: "The run's id, or a beginning of it.")
    var id: String

    @Option(help: ArgumentHelp("perfetto or chakra-json.", valueName: "format"))
    var format: Format = .perfetto

    @Option(name: .customLong("out"), help: ArgumentHelp("The file; standard output by default.", valueName: "file"))
    var file: String?

    @OptionGroup var state: StateOptions

    func run() throws {
        let store = try RunStore(readingFrom: state.directory.path)
        let trace = try RunTrace(try store.record(of: try store.id(startingWith: id)))
        let data =
            switch format {
            case .perfetto: try PerfettoTrace(trace).json()
            case .chakraJSON: try ChakraTrace(trace).json()
            }
        if let file {
            try data.write(to: URL(fileURLWithPath: file), options: .atomic)
            Console.print(file)
        } else {
            Console.print(String(decoding: data, as: UTF8.self))
        }
    }
}
