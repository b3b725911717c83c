import Digests
import Foundation
import Jobs

/// What an imported corpus folder says of itself in `corpus.json`.
///
/// The folder holds `text/NNNNN-NAME.txt.gz`, one sentence a line and a blank line between documents, and beside each
/// shard `records/NNNNN-NAME.jsonl.gz`, one line a document in the same order: where it comes from and its licence note.
/// Shards appear whole or not at all. `work/` is what an import needs to continue and to skip what it has done.
public struct ImportedCorpus: Codable, Hashable, Sendable {
    /// The version of the folder's layout that this code reads and writes.
    public static let currentFormat = 2
    /// The manifest's name in the folder.
    public static let fileName = "corpus.json"

    /// How far a source file has come.
    public enum State: String, Codable, Hashable, Sendable {
        /// It waits to be read.
        case pending
        /// It was read to its end.
        case imported
        /// It holds nothing at all.
        case empty
        /// It breaks the rules of its format somewhere; what can be read of it is kept.
        case malformed
    }

    /// What kind of file a source is.
    public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        /// `PubmedArticleSet`.
        case pubMed = "pubmed"
        /// JATS `article`.
        case article
        /// Plain text with blank lines between documents.
        case text
        /// A JSON object a line.
        case jsonLines = "json_lines"
    }

    /// A place where a source breaks the rules of its format.
    public struct Fault: Codable, Hashable, Sendable {
        /// The byte, counted in the unpacked text; in the packed file where the packing itself is damaged.
        public var byte: Int
        /// What is wrong there.
        public var reason: String
        /// The byte from which it was read on: where the next record, or line, begins. Nil where the rest was left out.
        public var resumedAtByte: Int?
    }

    /// What was found and what became of it.
    public struct Counts: Codable, Hashable, Sendable {
        /// Articles, lines or documents read.
        public var articles = 0
        /// Those of them with an abstract that isn't empty (for articles of PMC: with text).
        public var abstracts = 0
        /// Sections of those abstracts (`AbstractText`), or paragraphs.
        public var sections = 0
        /// Sections by `NlmCategory`, of those that have one.
        public var sectionsByCategory: [String: Int] = [:]
        /// Other abstracts.
        public var otherAbstracts = 0
        /// PubMed numbers in `DeleteCitation`.
        public var deletions = 0
        /// Articles that were retracted, kept or not.
        public var retracted = 0
        /// Documents kept.
        public var documents = 0
        /// Their sentences.
        public var sentences = 0
        /// Their bytes of text, line ends included.
        public var textBytes = 0
        /// Documents left out, by reason.
        public var skipped: [String: Int] = [:]
        /// Invalid UTF-8 sequences that were replaced by U+FFFD.
        public var replacedSequences = 0
        /// Sentences that were cut because they were longer than any line may be.
        public var cutSentences = 0
        /// Places where files break the rules of their format.
        public var faults = 0

        /// Nothing yet.
        public init() {}
    }

    /// A source file.
    public struct Source: Codable, Hashable, Sendable {
        /// Its path as it was given, or as it was found in a directory that was given.
        public var path: String
        /// What kind of file it is; nil until it was read.
        public var kind: Kind?
        /// Its size on disk.
        public var bytes: Int
        /// SHA-256 of the file as it lies on disk; empty until it was read.
        public var digest: String
        /// How far it has come.
        public var state: State
        /// Bytes of it, unpacked.
        public var unpackedBytes: Int
        /// The first ten places where it is malformed.
        public var faults: [Fault]
        /// What was found in it.
        public var counts: Counts
    }

    /// A file of the folder.
    public struct File: Codable, Hashable, Sendable {
        /// Its path in the folder.
        public var name: String
        /// Its size.
        public var bytes: Int
        /// SHA-256 of its contents.
        public var digest: String
    }

    /// A text file and the records of its documents.
    public struct Shard: Codable, Hashable, Sendable {
        /// The text.
        public var text: File
        /// Where each document comes from.
        public var records: File
        /// Documents in it; at least one.
        public var documents: Int
        /// Sentences in it.
        public var sentences: Int
        /// Bytes of text, unpacked.
        public var textBytes: Int
    }

    /// A licence or copyright note and how many kept documents bear it.
    public struct LicenceNote: Codable, Hashable, Sendable {
        /// The note.
        public var note: String
        /// Documents with it.
        public var documents: Int
    }

    /// The layout's version.
    public var format = Self.currentFormat
    /// Whether the import came to its end. An incomplete corpus lists no shards.
    public var isComplete: Bool
    /// What was kept.
    public var options: ImportOptions
    /// The source files, in the order of their documents.
    public var sources: [Source]
    /// The text, in order. Small sources share a shard; one with nothing kept has none.
    public var shards: [Shard]
    /// The sums over the sources.
    public var totals: Counts
    /// The commonest licence notes, most frequent first, at most 100.
    public var licences: [LicenceNote]
    /// Documents with a note that isn't among `licences`.
    public var otherLicences: Int
    /// Documents with no note.
    public var withoutLicence: Int

    /// The paths of the text shards of the corpus at `directory`, in order: what the job file's list of texts takes.
    public func textPaths(in directory: String) -> [String] { shards.map { directory + "/" + $0.text.name } }

    /// Names the corpus by its text: a digest over the digests of its text shards.
    public var digest: String {
        let digest = SHA256()
        for shard in shards { digest.update("\(shard.text.bytes) \(shard.text.digest)\n") }
        return digest.finish()
    }

    /// The manifest of the corpus in `directory`.
    ///
    /// - Throws: `CorpusError.badCorpus` where there is none, where it is damaged or of another version.
    public init(readingFrom directory: String) throws {
        let file: MappedFile
        do {
            file = try MappedFile(path: directory + "/" + Self.fileName)
        } catch CorpusError.missing {
            throw CorpusError.badCorpus(path: directory, reason: "it has no \(Self.fileName)")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let data = Data(file.bytes)
        struct Version: Decodable { var format: Int }
        do {
            let format = try decoder.decode(Version.self, from: data).format
            guard format == Self.currentFormat else {
                throw CorpusError.badCorpus(
                    path: directory, reason: "its format is \(format); this program reads \(Self.currentFormat)")
            }
            self = try decoder.decode(ImportedCorpus.self, from: data)
        } catch let error as DecodingError {
            throw CorpusError.badCorpus(path: directory, reason: "\(Self.fileName): \(error.words)")
        }
        for file in shards.flatMap({ [$0.text, $0.records] }) where !Self.isPlain(file.name) {
            throw CorpusError.badCorpus(path: directory, reason: "\(Self.fileName) names the file '\(file.name)'")
        }
    }

    /// Whether `name` stays inside the folder.
    private static func isPlain(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && ["text", "records"].contains(parts[0]) && !parts[1].isEmpty && parts[1].first != "."
            && !name.utf8.contains(0)
    }

    /// Writes the manifest into `directory`, whole or not at all.
    func write(to directory: String, space: DiskSpace? = nil) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try FileWriter.writeWhole(
            Array(try encoder.encode(self)) + [0x0a], to: directory + "/" + Self.fileName, space: space)
    }
}

extension DecodingError {
    /// What is wrong, in a few words.
    var words: String {
        func place(_ context: Context) -> String { context.codingPath.map(\.stringValue).joined(separator: ".") }
        return switch self {
        case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context): "'\(place(context))' has the wrong type"
        case .dataCorrupted: "no valid JSON"
        @unknown default: "can't be read"
        }
    }
}
