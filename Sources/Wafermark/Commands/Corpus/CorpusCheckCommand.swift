import ArgumentParser
import Corpus

/// `wafermark corpus check`: has anything changed since it was made?
struct CorpusCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Compare every file of a corpus folder with its digest.",
        discussion: """
            Reads everything: text, vocabulary, tokens and indexes. Every problem is
            printed, one a line, with the file's name; the exit code is then 1.
            """)

    @Argument(help: ArgumentHelp("The corpus folder.", valueName: "dir"))
    var folder: String

    @OptionGroup var output: OutputOptions

    private struct Result: Encodable {
        var sound: Bool
        var check: CorpusCheck
    }

    func run() async throws {
        let corpus = CorpusFolder(folder)
        let check = try await Interruption.cancels(blocking: { isCancelled in
            try CorpusCheck(of: corpus) { _ in
                if isCancelled() { throw CorpusError.cancelled }
            }
        })
        if output.json {
            try Console.printJSON(Result(sound: check.isSound, check: check))
        } else {
            for line in lines(check) { Console.print(line) }
        }
        if !check.isSound { throw CommandFailure.alreadyReported }
    }

    private func lines(_ check: CorpusCheck) -> [String] {
        var lines: [String] = []
        for part in check.parts {
            let state =
                !part.isPresent
                ? "not there yet"
                : part.problems.isEmpty
                    ? "sound: \(Figures.plural(part.files, "file")), \(Figures.bytes(part.bytes))"
                    : Figures.plural(part.problems.count, "problem")
            lines.append("  \(part.name.padded(to: 10)) \(state)")
            lines += part.problems.map { "    \($0)" }
        }
        if let shards = check.unfinishedShards {
            lines.append(
                "  \(Figures.plural(shards, "shard")) of an unfinished build; 'wafermark corpus build' goes on from there"
            )
        }
        return lines
    }
}
