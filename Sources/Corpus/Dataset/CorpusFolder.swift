import Digests
import Foundation
import Jobs

/// A corpus folder: the imported text, the vocabulary learned from it, and the dataset built of both.
///
///     corpus.json, text/…   what was imported (`ImportedCorpus`)
///     vocab.txt             the vocabulary, one token a line
///     vocabulary.json       how it came about (`CorpusVocabulary`)
///     dataset/…             the examples (`Dataset`)
public struct CorpusFolder: Sendable {
    /// The folder.
    public let directory: String

    /// The folder at `directory`.
    public init(_ directory: String) { self.directory = directory }

    /// Where the vocabulary lies.
    public var vocabularyPath: String { directory + "/" + Dataset.vocabularyName }
    /// Where the dataset lies.
    public var datasetDirectory: String { directory + "/" + BuiltCorpus.datasetFolder }

    /// What was imported. Throws `.badCorpus` where the import didn't come to its end, or kept nothing.
    public func imported() throws -> ImportedCorpus {
        let corpus = try ImportedCorpus(readingFrom: directory)
        guard corpus.isComplete else {
            throw CorpusError.badCorpus(path: directory, reason: "its import didn't come to its end")
        }
        guard !corpus.shards.isEmpty else {
            throw CorpusError.badCorpus(path: directory, reason: "its import kept no document")
        }
        return corpus
    }

    /// The imported text as a request takes it.
    func text(of corpus: ImportedCorpus) -> DatasetRequest.Text {
        .files(
            corpus.shards.map { DatasetRequest.TextFile(path: directory + "/" + $0.text.name, digest: $0.text.digest) })
    }

    /// Runs `body` on what was imported while no other process writes the folder: no import, no other vocabulary or build.
    func whileLocked<Result>(_ body: (ImportedCorpus) throws -> Result) throws -> Result {
        // A folder that isn't there is no corpus, rather than one that can't be written.
        _ = try imported()
        let lock = try FolderLock(directory)
        return try withExtendedLifetime(lock) { try body(try imported()) }
    }

    /// The dataset, opened. Throws `.badDataset` where there is none, where it is damaged, and where it was built of other
    /// text or with another vocabulary than the folder now holds.
    public func dataset(verifying verification: Dataset.Verification = .indexes) throws -> Dataset {
        guard FileManager.default.fileExists(atPath: datasetDirectory) else {
            throw CorpusError.badDataset(path: directory, reason: noDataset)
        }
        let dataset = try Dataset(opening: datasetDirectory, verifying: verification)
        if let reason = try staleness(of: dataset) { throw CorpusError.badDataset(path: directory, reason: reason) }
        return dataset
    }

    private var noDataset: String {
        guard let shards = PartialFolder.finishedShards(for: datasetDirectory) else { return "it holds none" }
        return "its dataset isn't finished (\(shards.count) shards are)"
    }

    /// How many shards are finished of a dataset that is being built, or whose building ended early; nil for none.
    public var unfinishedShards: Int? { PartialFolder.finishedShards(for: datasetDirectory)?.count }

    /// What of the folder has changed since `dataset` was built of it; nil for nothing.
    public func staleness(of dataset: Dataset) throws -> String? {
        let texts = try imported().shards.map(\.text.digest)
        if texts != dataset.manifest.sources.map(\.digest) {
            return "its text was imported anew since its dataset was built"
        }
        let vocabulary = try? SHA256.ofFile(vocabularyPath).digest
        if let vocabulary, vocabulary != dataset.manifest.vocabularyDigest {
            return "its vocab.txt has changed since its dataset was built"
        }
        return nil
    }
}
