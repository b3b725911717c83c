import ArgumentParser
import Corpus

/// `wafermark bench corpus vocabulary`: text into a vocabulary.
struct BenchVocabularyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vocabulary", abstract: "Measure the learning of a vocabulary, from files to its end.")

    @OptionGroup var text: BenchTextOptions

    @Option(help: ArgumentHelp("Entries.", valueName: "n"))
    var size = 30_522

    @OptionGroup var output: OutputOptions

    func run() throws {
        let result = try CorpusBench.vocabulary(text.source, size: size, threads: text.threads)
        if output.json {
            try Console.printJSON(result)
            return
        }
        Console.print(
            "\(Figures.bytes(result.textBytes)) of text, \(Figures.count(result.vocabularySize)) entries, "
                + "\(result.threads) threads (host clock)")
        for (name, value) in [
            ("all", "\(Figures.short(result.megabytesPerSecond)) MB/s, \(Figures.milliseconds(result.seconds))"),
            ("  counting words", Figures.milliseconds(result.countingSeconds)),
            ("  merging pairs", Figures.milliseconds(result.mergingSeconds)),
            ("peak memory", Figures.bytes(result.peakRssBytes)),
        ] { Console.print("  \(name.padded(to: 18)) \(value)") }
    }
}
