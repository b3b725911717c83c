import Digests
import Foundation
import Jobs

/// What a dataset folder says of itself in `manifest.json`.
public struct DatasetManifest: Codable, Hashable, Sendable {
    /// The version of the folder's layout that this code reads and writes.
    public static let currentFormat = 1
    /// The file's name.
    static let fileName = "manifest.json"
    /// The file that holds the manifest's own digest, in the form that `sha256sum --check` reads.
    static let digestFileName = "manifest.sha256"

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

    /// The sizes of one shard.
    public struct Shard: Codable, Hashable, Sendable {
        /// Tokens.
        public var tokens: Int
        /// Sentences.
        public var sentences: Int
        /// Documents.
        public var documents: Int
    }

    /// The examples of one sequence length and side.
    public struct Examples: Codable, Hashable, Sendable {
        /// Tokens of a sequence at most.
        public var sequence: Int
        /// Masked positions of a sequence at most.
        public var maskedPositions: Int
        /// The side.
        public var split: Split
        /// How many there are.
        public var count: Int
        /// How many of them are pairs of a segment with one from another document.
        public var randomPairs: Int
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
    public var format: Int
    /// Names the request and the bytes of its files (`DatasetPreparation.digest`).
    public var requestDigest: String
    /// Whether the text was generated, not written by people.
    public var isSynthetic: Bool
    /// The key of split and pairs.
    public var seed: UInt64
    /// The share of documents that was asked to be held out.
    public var heldOut: Double
    /// How examples are made.
    public var examples: ExampleSettings
    /// What went in, in order.
    public var sources: [Source]
    /// The number of entries of `vocab.txt`.
    public var vocabularySize: Int
    /// SHA-256 of `vocab.txt`.
    public var vocabularyDigest: String
    /// Bytes of a stored token: 2 or 4.
    public var tokenBytes: Int
    /// The training side.
    public var training: Counts
    /// The held-out side.
    public var heldOutCounts: Counts
    /// The baseline's token.
    public var mostFrequentToken: MostFrequentToken
    /// The shards, in order.
    public var shards: [Shard]
    /// The example indexes.
    public var exampleCounts: [Examples]
    /// Every other file of the folder, by name.
    public var files: [File]

    /// Names the dataset by its contents: a digest over the digests of its files.
    public var digest: String {
        let digest = SHA256()
        for file in files { digest.update("\(file.name) \(file.bytes) \(file.digest)\n") }
        return digest.finish()
    }

    /// The JSON of `manifest.json`: sorted keys, so that equal manifests are equal bytes.
    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return Array(try encoder.encode(self)) + [0x0a]
    }

    /// The manifest of the dataset in `directory`.
    public init(readingFrom directory: String) throws {
        let path = directory + "/" + Self.fileName
        let file: MappedFile
        do {
            file = try MappedFile(path: path)
        } catch CorpusError.missing {
            throw CorpusError.badDataset(path: directory, reason: "it has no \(Self.fileName)")
        }
        guard file.count <= 64 << 20 else {
            throw CorpusError.badDataset(path: directory, reason: "\(Self.fileName) is larger than 64 MiB")
        }
        let digestPath = directory + "/" + Self.digestFileName
        guard let digest = try? MappedFile(path: digestPath),
            digest.bytes.elementsEqual(Self.digestLine(of: file.bytes))
        else {
            throw CorpusError.badDataset(
                path: directory, reason: "\(Self.fileName) has changed since it was written")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let data = Data(file.bytes)
        struct Version: Decodable { var format: Int }
        do {
            let format = try decoder.decode(Version.self, from: data).format
            guard format == Self.currentFormat else {
                throw CorpusError.badDataset(
                    path: directory, reason: "its format is \(format); this program reads \(Self.currentFormat)")
            }
            self = try decoder.decode(DatasetManifest.self, from: data)
        } catch let error as DecodingError {
            throw CorpusError.badDataset(path: directory, reason: "\(Self.fileName): \(Self.words(error))")
        }
    }

    /// The contents of `manifest.sha256` for a manifest of these bytes.
    static func digestLine(of manifest: UnsafeRawBufferPointer) -> [UInt8] {
        Array("\(SHA256.hexadecimal(of: manifest))  \(fileName)\n".utf8)
    }

    private static func words(_ error: DecodingError) -> String {
        func place(_ context: DecodingError.Context) -> String {
            context.codingPath.map(\.stringValue).joined(separator: ".")
        }
        return switch error {
        case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context): "'\(place(context))' has the wrong type"
        case .dataCorrupted: "no valid JSON"
        @unknown default: "can't be read"
        }
    }
}

extension DatasetManifest {
    /// The memberwise form, for the writer.
    init(
        requestDigest: String, request: DatasetRequest, sources: [Source], vocabulary: Vocabulary, tokenBytes: Int,
        counts: [Split: Counts], mostFrequentToken: MostFrequentToken, shards: [Shard], exampleCounts: [Examples],
        files: [File]
    ) {
        format = Self.currentFormat
        self.requestDigest = requestDigest
        if case .synthetic = request.corpus.text { isSynthetic = true } else { isSynthetic = false }
        seed = request.seed
        heldOut = request.corpus.heldOut
        examples = request.examples
        self.sources = sources
        vocabularySize = vocabulary.count
        vocabularyDigest = vocabulary.fileContents.withUnsafeBytes { SHA256.hexadecimal(of: $0) }
        self.tokenBytes = tokenBytes
        training = counts[.training] ?? Counts()
        heldOutCounts = counts[.heldOut] ?? Counts()
        self.mostFrequentToken = mostFrequentToken
        self.shards = shards
        self.exampleCounts = exampleCounts
        self.files = files
    }
}
