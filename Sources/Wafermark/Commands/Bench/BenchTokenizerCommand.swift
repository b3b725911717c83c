import ArgumentParser
import Corpus

/// `wafermark bench corpus tokenizer`: text into word pieces.
struct BenchTokenizerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenizer", abstract: "Measure the tokenizer, from memory to memory.")

    @OptionGroup var text: BenchTextOptions

    @Option(
        help: ArgumentHelp(
            "The vocabulary; one of at most 8192 entries is learned unless given.", valueName: "vocab.txt"))
    var vocabulary: String?

    @Option(help: ArgumentHelp("Megabytes of text at most.", valueName: "n"))
    var megabytes = 64

    @Option(help: ArgumentHelp("Rounds; the median counts.", valueName: "n"))
    var rounds = 5

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...4096).contains(megabytes) else {
            throw ValidationError("--megabytes is \(megabytes); 1 to 4096 are allowed")
        }
        guard (1...1000).contains(rounds) else { throw ValidationError("--rounds is \(rounds); 1 to 1000 are allowed") }
    }

    func run() throws {
        let result = try CorpusBench.tokenizer(
            text.source, vocabulary: vocabulary, limit: megabytes * 1_000_000, threads: text.threads, rounds: rounds)
        if output.json {
            try Console.printJSON(result)
            return
        }
        Console.print(
            "\(Figures.bytes(result.textBytes)) of text, \(Figures.count(result.tokens)) tokens, vocabulary of "
                + "\(Figures.count(result.vocabularySize)) (host clock)")
        Console.print("  one thread            \(Figures.short(result.megabytesPerSecondOneThread)) MB/s")
        Console.print(
            "  \("\(result.threads) threads".padded(to: 21)) \(Figures.short(result.megabytesPerSecondAllThreads)) MB/s"
        )
    }
}
