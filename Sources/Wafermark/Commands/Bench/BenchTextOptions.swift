import ArgumentParser
import Corpus

/// The text that a bench reads.
struct BenchTextOptions: ParsableArguments {
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Text files, one sentence a line, plain or .gz; synthetic text unless given.", valueName: "file"))
    var text: [String] = []

    @Option(help: ArgumentHelp("Read the files so many times.", valueName: "n"))
    var times = 1

    @Option(help: ArgumentHelp("Documents of synthetic text.", valueName: "n"))
    var documents = 20_000

    @Option(help: ArgumentHelp("Threads of the measurement on several.", valueName: "n"))
    var threads = 2

    func validate() throws {
        guard (1...10_000).contains(times) else { throw ValidationError("--times is \(times); 1 to 10000 are allowed") }
        guard (2...10_000_000).contains(documents) else {
            throw ValidationError("--documents is \(documents); 2 to 10000000 are allowed")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads is \(threads); 1 to 1024 are allowed")
        }
    }

    /// The source that is meant.
    var source: CorpusBench.Source {
        text.isEmpty ? .synthetic(documents: documents) : .files(text, times: times)
    }
}
