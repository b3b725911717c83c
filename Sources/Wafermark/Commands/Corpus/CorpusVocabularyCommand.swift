import ArgumentParser
import Corpus

/// `wafermark corpus vocabulary`: learns a vocabulary from imported text.
struct CorpusVocabularyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vocabulary", abstract: "Learn a WordPiece vocabulary from imported text.",
        discussion: """
            Writes DIR/vocab.txt in the form that Hugging Face reads. Text is cleaned,
            lower-cased and stripped of accents as for BERT's uncased models. The
            documents that will be held out for evaluation (--held-out, --seed) are not
            learned from. The same text and options give the same vocabulary, on any
            number of threads.
            """)

    @Argument(help: ArgumentHelp("The folder that 'corpus import' has filled.", valueName: "dir"))
    var folder: String

    @Option(help: ArgumentHelp("Entries, special tokens included; 30522 unless given.", valueName: "n"))
    var size: Int?

    @Option(
        name: .customLong("from"),
        help: ArgumentHelp("Take this vocab.txt instead of learning one.", valueName: "vocab.txt"))
    var file: String?

    @Option(help: ArgumentHelp("The share of documents that will be held out.", valueName: "share"))
    var heldOut = CorpusBuild.usualSplit.heldOut

    @Option(help: ArgumentHelp("The key of the held-out split.", valueName: "n"))
    var seed = CorpusBuild.usualSplit.seed

    @OptionGroup var threads: CorpusThreadOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if size != nil, file != nil { throw ValidationError("--size and --from exclude each other") }
    }

    func run() async throws {
        let corpus = CorpusFolder(folder)
        let made = try await threads.run { [self] manner in
            if let file { return try CorpusVocabulary.copy(file, into: corpus, manner: manner) }
            return try CorpusVocabulary.train(
                in: corpus, settings: VocabularyTrainer.Settings(size: size ?? 30_522), heldOut: heldOut, seed: seed,
                manner: manner)
        }
        if output.json {
            try Console.printJSON(made)
        } else {
            Console.print("\(corpus.vocabularyPath): \(made.size) entries, SHA-256 \(made.digest.prefix(16))")
        }
    }
}
