import ArgumentParser
import Foundation
import Jobs
import Logging

/// Writes each message as one JSON object on a line of standard error.
struct JSONLogHandler: LogHandler {
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]
    private let write: @Sendable (String) -> Void

    /// A handler that hands each line, with its end, to `write`.
    init(write: @escaping @Sendable (String) -> Void = { Console.write($0, to: STDERR_FILENO) }) { self.write = write }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let fields = all.sorted { $0.key < $1.key }.map { (name: $0.key, value: "\($0.value)") }
        let line = DiagnosticLine.json(
            at: DiagnosticLine.now(), level: event.level.rawValue, message: "\(event.message)", fields: fields)
        write(line + "\n")
    }
}

/// How the program's own log looks.
struct LogOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How log lines look: text, or json: an object a line, with time (UTC), level, message, run, rank.",
            valueName: "format"))
    var logFormat = DiagnosticLine.Format.text
}

extension DiagnosticLine.Format: ExpressibleByArgument {}
