import Digests
import Foundation
import Jobs

/// The vocabulary of a corpus folder: `vocab.txt`, and in `vocabulary.json` how it came about.
public struct CorpusVocabulary: Codable, Hashable, Sendable {
    /// The file's name in the folder.
    public static let fileName = "vocabulary.json"

    /// The number of entries.
    public var size: Int
    /// SHA-256 of `vocab.txt`.
    public var digest: String
    /// Names the text that it was learned from (`ImportedCorpus.digest`); nil where it was brought from elsewhere.
    public var text: String?
    /// The share of documents that it wasn't learned from, which must be held out of training too.
    public var heldOut: Double?
    /// The key of that split.
    public var seed: UInt64?

    /// What `folder` says of its vocabulary; nil where it has none, or another `vocab.txt` was put in its place since.
    public init?(in folder: CorpusFolder) throws {
        guard let stated = try Self.stated(in: folder),
            try SHA256.ofFile(folder.vocabularyPath).digest == stated.digest
        else { return nil }
        self = stated
    }

    /// What `vocabulary.json` says, whether or not `vocab.txt` is the file that it tells of; nil where there is none.
    static func stated(in folder: CorpusFolder) throws -> CorpusVocabulary? {
        let path = folder.directory + "/" + fileName
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(CorpusVocabulary.self, from: data)
        } catch let error as DecodingError {
            throw CorpusError.badCorpus(path: folder.directory, reason: "\(fileName): \(error.words)")
        }
    }

    private init(size: Int, digest: String, text: String?, heldOut: Double?, seed: UInt64?) {
        self.size = size
        self.digest = digest
        self.text = text
        self.heldOut = heldOut
        self.seed = seed
    }

    /// Learns a vocabulary from the text of `folder`, but for the documents that `heldOut` and `seed` hold out, and puts
    /// it into the folder.
    public static func train(
        in folder: CorpusFolder, settings: VocabularyTrainer.Settings, heldOut: Double, seed: UInt64,
        manner: DatasetPreparation.Manner
    ) throws -> CorpusVocabulary {
        try settings.validate()
        guard heldOut > 0, heldOut <= 0.5 else {
            throw CorpusError.badSetting(name: "held-out share", found: "\(heldOut)", allowed: "above 0, at most 0.5")
        }
        return try folder.whileLocked { corpus in
            let monitor = manner.monitor
            let text = try InputText(folder.text(of: corpus), monitor: monitor)
            let vocabulary = try VocabularyPass(text: text, heldOut: heldOut, seed: seed, monitor: monitor)
                .train(settings, threads: manner.threads)
            return try write(vocabulary, to: folder, text: corpus.digest, heldOut: heldOut, seed: seed, manner)
        }
    }

    /// Puts the vocabulary of the `vocab.txt` at `path` into the folder.
    public static func copy(
        _ path: String, into folder: CorpusFolder, manner: DatasetPreparation.Manner
    ) throws -> CorpusVocabulary {
        try folder.whileLocked { _ in
            try write(try Vocabulary(path: path), to: folder, text: nil, heldOut: nil, seed: nil, manner)
        }
    }

    private static func write(
        _ vocabulary: Vocabulary, to folder: CorpusFolder, text: String?, heldOut: Double?, seed: UInt64?,
        _ manner: DatasetPreparation.Manner
    ) throws -> CorpusVocabulary {
        let contents = vocabulary.fileContents
        let made = CorpusVocabulary(
            size: vocabulary.count, digest: contents.withUnsafeBytes { SHA256.hexadecimal(of: $0) }, text: text,
            heldOut: heldOut, seed: seed)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try FileWriter.writeWhole(contents, to: folder.vocabularyPath, space: manner.space)
        try FileWriter.writeWhole(
            Array(try encoder.encode(made)) + [0x0a], to: folder.directory + "/" + fileName, space: manner.space)
        return made
    }
}
