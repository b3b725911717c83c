import ArgumentParser
import Foundation
import Runs

/// `wafermark runs export`.
struct RunsExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a run's whole record into one file.",
        discussion: """
            For 'wafermark runs import' on another machine. Checkpoints, the model and
            logs are not in it.
            """)

    @OptionGroup var options: RunOptions

    @Option(
        name: .customLong("out"),
        help: ArgumentHelp("The file, or - for standard output; wafermark-ID.json by default.", valueName: "file"))
    var file: String?

    private struct Exported: Encodable {
        var runId: String
        var path: String
    }

    func run() throws {
        let store = try RunStore(readingFrom: options.state.directory.path)
        let id = try store.id(startingWith: options.run)
        let data = try RunArchive.encode(try store.record(of: id))
        if file == "-" {
            Console.printExactly(String(decoding: data, as: UTF8.self))
            return
        }
        let path = file ?? "wafermark-\(id).json"
        do {
            // Beside the target, then renamed: the file is whole or not there.
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CommandFailure.failed("\(path) can't be written: \(error.localizedDescription)")
        }
        if options.output.json {
            try Console.printJSON(Exported(runId: id.text, path: path))
        } else {
            Console.print(path)
        }
    }
}

/// `wafermark runs import`.
struct RunsImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take in runs that were exported, also by other machines.",
        discussion: "Works whether or not a daemon runs. A file that is damaged or changed is refused.")

    @Argument(help: "The files.")
    var files: [String]

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    private struct Imported: Encodable {
        var runs: [RunAnswer]
    }

    func run() throws {
        let directory = state.directory
        // All are read and checked before the first is kept.
        let records = try files.map { (file: $0, record: try RunArchive.decode(try Self.contents(of: $0), name: $0)) }
        try directory.create()
        let store = try RunStore(directory: directory.path)
        for (file, record) in records { try store.insert(record, importedFrom: file) }
        let answers = records.map { RunAnswer(runId: $0.record.run.id.text, state: "imported") }
        if output.json {
            try Console.printJSON(Imported(runs: answers))
        } else {
            for answer in answers { try answer.print(json: false) }
        }
    }

    private static func contents(of file: String) throws -> Data {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        if let size = (attributes?[.size] as? NSNumber)?.intValue, size > RunArchive.byteLimit {
            throw RunArchiveError.tooLarge(file: file, bytes: size)
        }
        do {
            return try Data(contentsOf: URL(fileURLWithPath: file))
        } catch {
            throw CommandFailure.wrongUsage("\(file) can't be read: \(error.localizedDescription)")
        }
    }
}
