import Foundation
import Jobs

/// What a dataset folder says of itself in `manifest.json`. Nothing in it depends on when, where or on how many threads the
/// dataset was made: equal requests give equal bytes.
public struct DatasetManifest: Codable, Hashable, Sendable {
    /// The version of the folder's layout that this code reads and writes.
    public static let currentFormat = 2

    /// A text that went in.
    public struct Source: Codable, Hashable, Sendable {
        /// The file's name without its folder, or the generator's name.
        public var name: String
        /// Its size on disk; 0 for generated text.
        public var bytes: Int
        /// SHA-256 of the file as it lies on disk; empty for generated text.
        public var digest: String
        /// Documents read from it.
        public var documents: Int
        /// Invalid UTF-8 sequences that were replaced.
        public var replacedSequences: Int
    }

    /// Where imported text comes from.
    public struct Origin: Codable, Hashable, Sendable {
        /// A file that was imported.
        public struct File: Codable, Hashable, Sendable {
            /// Its name without its folder.
            public var name: String
            /// Its size.
            public var bytes: Int
            /// SHA-256 of it.
            public var digest: String
            /// Documents kept of it.
            public var documents: Int
        }

        /// The files.
        public var files: [File]
        /// The commonest licence notes and how many documents bear each.
        public var licences: [ImportedCorpus.LicenceNote]
        /// Documents with other notes.
        public var otherLicences: Int
        /// Documents with none.
        public var withoutLicence: Int
    }

    /// The size of one side of the split.
    public struct Counts: Codable, Hashable, Sendable {
        /// Documents.
        public var documents = 0
        /// Sentences.
        public var sentences = 0
        /// Tokens, without the special ones that examples add.
        public var tokens = 0
        /// Tokens that are `[UNK]`.
        public var unknownTokens = 0
        /// Lengths of documents in tokens.
        public var documentLengths = LengthHistogram()
        /// Lengths of sentences in tokens.
        public var sentenceLengths = LengthHistogram()

        /// The share of tokens that the vocabulary can't spell.
        public var unknownShare: Double { tokens == 0 ? 0 : Double(unknownTokens) / Double(tokens) }
    }

    /// The token that a model which has learned nothing but frequencies would always predict.
    public struct MostFrequentToken: Codable, Hashable, Sendable {
        /// Its id: the most frequent of the training text.
        public var id: Int32
        /// Its text.
        public var token: String
        /// Its share of the training text's tokens.
        public var trainingShare: Double
        /// Its share of the held-out text's tokens: the accuracy of always predicting it.
        public var heldOutShare: Double
    }

    /// The examples of one sequence length.
    public struct Examples: Codable, Hashable, Sendable {
        /// Tokens of a sequence at most.
        public var sequence: Int
        /// How many there are.
        public var count: Int
        /// How many of them are pairs of a segment with one from another document.
        public var randomPairs: Int
    }

    /// One side of a shard.
    public struct ShardSide: Codable, Hashable, Sendable {
        /// What is in it.
        public var counts = Counts()
        /// The examples made of it, by ascending sequence length.
        public var examples: [Examples] = []
    }

    /// A shard: documents that stand one after the other in the text, and the examples made of them.
    public struct Shard: Codable, Hashable, Sendable {
        /// What its files' names begin with after the side.
        public var name: String
        /// The side that is learned from.
        public var training = ShardSide()
        /// The side that quality is measured on.
        public var heldOut = ShardSide()

        /// One of its sides.
        public subscript(side: Split) -> ShardSide {
            get { side == .training ? training : heldOut }
            set { if side == .training { training = newValue } else { heldOut = newValue } }
        }
    }

    /// A file of the folder.
    public struct File: Codable, Hashable, Sendable {
        /// Its name.
        public var name: String
        /// Its size.
        public var bytes: Int
        /// SHA-256 of its contents.
        public var digest: String
    }

    /// The layout's version.
    public var format = Self.currentFormat
    /// Names the text, the vocabulary and the settings that the dataset was made from.
    public var requestDigest: String
    /// Whether the text was generated, not written by people.
    public var isSynthetic: Bool
    /// What shaped the dataset.
    public var settings: DatasetSettings
    /// What went in, in order.
    public var sources: [Source]
    /// Where imported text comes from.
    public var origin: Origin?
    /// The number of entries of `vocab.txt`.
    public var vocabularySize: Int
    /// SHA-256 of `vocab.txt`.
    public var vocabularyDigest: String
    /// Bytes of a stored token: 2 or 4.
    public var tokenBytes: Int
    /// The side that is learned from.
    public var training: ShardSide
    /// The side that quality is measured on.
    public var heldOut: ShardSide
    /// The baseline's token.
    public var mostFrequentToken: MostFrequentToken
    /// The shards, in order.
    public var shards: [Shard]
    /// Every other file of the folder, by name.
    public var files: [File]

    /// One side of the whole dataset.
    public subscript(side: Split) -> ShardSide { side == .training ? training : heldOut }
}

extension DatasetManifest.ShardSide {
    /// Adds what another shard holds of this side.
    mutating func add(_ other: Self) {
        counts.documents += other.counts.documents
        counts.sentences += other.counts.sentences
        counts.tokens += other.counts.tokens
        counts.unknownTokens += other.counts.unknownTokens
        counts.documentLengths.add(other.counts.documentLengths)
        counts.sentenceLengths.add(other.counts.sentenceLengths)
        if examples.isEmpty {
            examples = other.examples
        } else {
            for (index, made) in other.examples.enumerated() where index < examples.count {
                examples[index].count += made.count
                examples[index].randomPairs += made.randomPairs
            }
        }
    }
}
