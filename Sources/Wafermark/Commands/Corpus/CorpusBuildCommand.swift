import ArgumentParser
import Corpus
import Jobs

/// `wafermark corpus build`: makes training examples of imported text.
struct CorpusBuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Make training examples of imported text.",
        discussion: """
            Writes DIR/dataset: memory-mapped shards, their index, and a manifest with
            digests. A job file reads it with 'corpus: DIR'. A build that ends early goes
            on where it was when it is started again; one with other options replaces the
            dataset.

            Sequence lengths, the split, the packing and static masks are fixed here. Where
            masks are drawn anew each epoch, a job may choose share and kind itself.
            """)

    @Argument(help: ArgumentHelp("The folder with imported text and a vocabulary.", valueName: "dir"))
    var folder: String

    @Option(help: ArgumentHelp("Tokens of a sequence; may be repeated. 128 unless given.", valueName: "n"))
    var sequence: [Int] = []

    @Option(help: ArgumentHelp("The share of documents held out; the vocabulary's unless given.", valueName: "share"))
    var heldOut: Double?

    @Option(
        help: ArgumentHelp("The key of split, packing and static masks; the vocabulary's unless given.", valueName: "n")
    )
    var seed: UInt64?

    @OptionGroup var masking: MaskingOptions

    @Option(help: ArgumentHelp("The share of examples that are made shorter.", valueName: "share"))
    var shortSequenceShare = ExampleSettings().shortSequenceShare

    @Flag(inversion: .prefixedNo, help: "Make sentence pairs for next-sentence prediction.")
    var nextSentence = true

    @OptionGroup var threads: CorpusThreadOptions
    @OptionGroup var output: OutputOptions

    private struct Result: Encodable {
        var directory: String
        var digest: String
        var settings: DatasetSettings
        var vocabularySize: Int
        var shards: Int
        var bytes: Int
        var training: DatasetManifest.ShardSide
        var heldOut: DatasetManifest.ShardSide
    }

    func run() async throws {
        let corpus = CorpusFolder(folder)
        let examples = ExampleSettings(
            maskedShare: masking.maskedShare, masking: masking.masking, staticMasks: masking.staticMasks,
            shortSequenceShare: shortSequenceShare, nextSentence: nextSentence)
        let dataset = try await threads.run { [self] manner in
            try CorpusBuild.run(
                in: corpus, sequences: sequence.isEmpty ? [128] : sequence, heldOut: heldOut, seed: seed,
                examples: examples, manner: manner)
        }
        let manifest = dataset.manifest
        let result = Result(
            directory: dataset.directory, digest: dataset.digest, settings: manifest.settings,
            vocabularySize: manifest.vocabularySize, shards: manifest.shards.count,
            bytes: manifest.files.reduce(0) { $0 + $1.bytes }, training: manifest.training, heldOut: manifest.heldOut)
        if output.json {
            try Console.printJSON(result)
            return
        }
        Console.print(
            "\(dataset.directory): \(Figures.bytes(result.bytes)) in \(Figures.plural(result.shards, "shard"))")
        for (name, side) in [("training", manifest.training), ("held out", manifest.heldOut)] {
            let counts = side.counts
            Console.print(
                "  \(name)  \(Figures.plural(counts.documents, "document")), \(Figures.count(counts.tokens)) tokens, "
                    + "\(Figures.fixed(100 * counts.unknownShare, 3)) % unknown")
            for made in side.examples {
                Console.print(
                    "            \(Figures.plural(made.count, "example")) of \(made.sequence) tokens")
            }
        }
        Console.print("  in a job  corpus: \(folder)")
    }
}
