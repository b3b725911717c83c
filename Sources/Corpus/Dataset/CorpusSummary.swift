import Digests
import Foundation
import Jobs

/// What a corpus folder holds: the body of `wafermark corpus show`.
public struct CorpusSummary: Sendable, Encodable {
    /// The imported text.
    public struct Text: Sendable, Encodable {
        /// Files that were imported.
        public var sources: Int
        /// Documents kept of them.
        public var documents: Int
        /// Their sentences.
        public var sentences: Int
        /// Their text, unpacked.
        public var textBytes: Int
        /// Text files that they lie in.
        public var shards: Int
        /// Whether the import came to its end.
        public var isComplete: Bool
        /// Names the text by its contents.
        public var digest: String
    }

    /// The vocabulary.
    public struct Vocabulary: Sendable, Encodable {
        /// Its entries.
        public var entries: Int
        /// SHA-256 of `vocab.txt`.
        public var digest: String
        /// Whether it was learned from this folder's text.
        public var isLearnedHere: Bool
    }

    /// One side of the split.
    public struct Side: Sendable, Encodable {
        /// Which.
        public var split: Split
        /// Documents, sentences, tokens and their lengths.
        public var counts: DatasetManifest.Counts
        /// The share of tokens that the vocabulary can't spell.
        public var unknownShare: Double
        /// The examples made of it.
        public var examples: [Examples]
    }

    /// The examples of one sequence length.
    public struct Examples: Sendable, Encodable {
        /// Tokens of a sequence at most.
        public var sequence: Int
        /// How many there are.
        public var count: Int
        /// How many of them pair a segment with one from another document.
        public var randomPairs: Int
        /// How many, evenly spread, the lengths were measured on.
        public var measured: Int
        /// Their tokens on the mean, `[CLS]` and `[SEP]` included.
        public var meanTokens: Double
        /// Their tokens in eighths of the sequence length.
        public var lengths: [Int]
        /// Their masked positions on the mean.
        public var meanMasked: Double
    }

    /// The dataset.
    public struct Built: Sendable, Encodable {
        /// SHA-256 of its manifest.
        public var digest: String
        /// What shaped it.
        public var settings: DatasetSettings
        /// Its shards.
        public var shards: Int
        /// The size of all its files.
        public var bytes: Int
        /// Both sides of the split.
        public var sides: [Side]
        /// What always predicting the most frequent token scores.
        public var mostFrequentToken: DatasetManifest.MostFrequentToken
        /// What has changed in the folder since; nil for nothing.
        public var staleness: String?
    }

    /// The folder.
    public var directory: String
    /// The imported text.
    public var text: Text
    /// The vocabulary, if there is one.
    public var vocabulary: Vocabulary?
    /// The dataset, if one is built.
    public var dataset: Built?
    /// Shards that are finished of a dataset whose building goes on or ended early.
    public var unfinishedShards: Int?

    /// The most examples whose lengths are measured.
    static let measuredExamples = 4096

    /// What `folder` holds. Throws `CorpusError` where it is no corpus folder, or what it holds is damaged.
    public init(of folder: CorpusFolder) throws {
        directory = folder.directory
        let corpus = try ImportedCorpus(readingFrom: folder.directory)
        text = Text(
            sources: corpus.sources.count, documents: corpus.totals.documents, sentences: corpus.totals.sentences,
            textBytes: corpus.totals.textBytes, shards: corpus.shards.count, isComplete: corpus.isComplete,
            digest: corpus.digest)
        if FileManager.default.fileExists(atPath: folder.vocabularyPath) {
            let stated = try CorpusVocabulary(in: folder)
            let entries = try Corpus.Vocabulary(path: folder.vocabularyPath)
            vocabulary = Vocabulary(
                entries: entries.count, digest: try SHA256.ofFile(folder.vocabularyPath).digest,
                isLearnedHere: stated?.heldOut != nil)
        }
        if FileManager.default.fileExists(atPath: folder.datasetDirectory) {
            dataset = try Built(
                Dataset(opening: folder.datasetDirectory, verifying: .sizes), staleness: folder.staleness(of:))
        }
        unfinishedShards = folder.unfinishedShards
    }
}

extension CorpusSummary.Built {
    fileprivate init(_ dataset: Dataset, staleness: (Dataset) throws -> String?) throws {
        digest = dataset.digest
        settings = dataset.manifest.settings
        shards = dataset.manifest.shards.count
        bytes = dataset.manifest.files.reduce(0) { $0 + $1.bytes }
        let reader = try ExampleReader(dataset, seed: settings.seed)
        sides = try Split.allCases.map { split in
            let side = dataset.manifest[split]
            return CorpusSummary.Side(
                split: split, counts: side.counts, unknownShare: side.counts.unknownShare,
                examples: try side.examples.map { try CorpusSummary.Examples($0, split: split, reader: reader) })
        }
        mostFrequentToken = dataset.manifest.mostFrequentToken
        self.staleness = try staleness(dataset)
    }
}

extension CorpusSummary.Examples {
    fileprivate init(_ made: DatasetManifest.Examples, split: Split, reader: ExampleReader) throws {
        sequence = made.sequence
        count = made.count
        randomPairs = made.randomPairs
        measured = min(made.count, CorpusSummary.measuredExamples)
        lengths = Array(repeating: 0, count: 8)
        var tokens = 0
        var masked = 0
        for place in 0..<measured {
            let example = try reader.example(sequence: sequence, split: split, number: place * count / measured)
            let length = example.inputIDs.count
            tokens += length
            masked += example.maskedPositions.count
            lengths[min(7, (length - 1) * 8 / sequence)] += 1
        }
        meanTokens = measured == 0 ? 0 : Double(tokens) / Double(measured)
        meanMasked = measured == 0 ? 0 : Double(masked) / Double(measured)
    }
}
