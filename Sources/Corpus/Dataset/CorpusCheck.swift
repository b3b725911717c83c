import Digests
import Foundation
import Jobs

/// Compares everything in a corpus folder with the digests that were written down when it was made: the body of
/// `wafermark corpus check`.
public struct CorpusCheck: Sendable, Encodable {
    /// A thing that was checked.
    public struct Part: Sendable, Encodable {
        /// What: `text`, `vocabulary` or `dataset`.
        public var name: String
        /// Whether the folder has it yet.
        public var isPresent = false
        /// Files read.
        public var files = 0
        /// Bytes read.
        public var bytes = 0
        /// What is wrong, each with the file's name.
        public var problems: [String] = []
    }

    /// The folder.
    public let directory: String
    /// What was checked, in the order in which it is made.
    public private(set) var parts: [Part] = []
    /// Shards that are finished of a dataset whose building ended early.
    public private(set) var unfinishedShards: Int?

    /// Whether nothing is wrong.
    public var isSound: Bool { parts.allSatisfy(\.problems.isEmpty) }

    /// Checks `folder`.
    ///
    /// - Parameter progress: called with each file that has been read, and the share of bytes that are done.
    /// - Throws: `.badCorpus` where it is no corpus folder; damage to its files is in `parts`.
    public init(of folder: CorpusFolder, progress: (Double) throws -> Void = { _ in }) throws {
        directory = folder.directory
        let corpus = try ImportedCorpus(readingFrom: folder.directory)
        let dataset = Result { try DatasetManifest.read(from: folder.datasetDirectory).manifest }
        let texts = corpus.shards.flatMap { [$0.text, $0.records] }.map {
            DatasetManifest.File(name: $0.name, bytes: $0.bytes, digest: $0.digest)
        }
        let built = (try? dataset.get())?.files ?? []
        let total = Double(max(1, (texts + built).reduce(0) { $0 + $1.bytes }))
        var done = 0
        func check(_ files: [DatasetManifest.File], in directory: String, _ part: inout Part) throws {
            for file in files {
                do {
                    if let damage = try Dataset.damage(of: file, in: directory) { part.problems.append(damage) }
                } catch CorpusError.missing {
                    part.problems.append("\(file.name) is missing")
                } catch let error as CorpusError {
                    part.problems.append("\(error)")
                }
                part.files += 1
                part.bytes += file.bytes
                done += file.bytes
                try progress(Double(done) / total)
            }
        }

        var text = Part(name: "text", isPresent: true)
        if !corpus.isComplete { text.problems.append("the import didn't come to its end: run it again") }
        try check(texts, in: folder.directory, &text)
        parts.append(text)
        parts.append(Self.vocabulary(of: folder))

        var examples = Part(
            name: "dataset", isPresent: FileManager.default.fileExists(atPath: folder.datasetDirectory))
        if examples.isPresent {
            do {
                _ = try dataset.get()
                try check(built, in: folder.datasetDirectory, &examples)
                if examples.problems.isEmpty {
                    // Sizes and places within the files, once their digests are right.
                    let opened = try Dataset(opening: folder.datasetDirectory, verifying: .sizes)
                    if let reason = try folder.staleness(of: opened) { examples.problems.append(reason) }
                }
            } catch let error as CorpusError {
                examples.problems.append("\(error)")
            }
        }
        parts.append(examples)
        unfinishedShards = folder.unfinishedShards
    }

    private static func vocabulary(of folder: CorpusFolder) -> Part {
        var part = Part(
            name: "vocabulary", isPresent: FileManager.default.fileExists(atPath: folder.vocabularyPath))
        guard part.isPresent else { return part }
        do {
            part.files = 1
            part.bytes = try SHA256.ofFile(folder.vocabularyPath).bytes
            _ = try Vocabulary(path: folder.vocabularyPath)
            let stated = try CorpusVocabulary.stated(in: folder)
            if let stated, try SHA256.ofFile(folder.vocabularyPath).digest != stated.digest {
                part.problems.append(
                    "vocab.txt isn't the one that \(CorpusVocabulary.fileName) tells of: "
                        + "enter it with 'wafermark corpus vocabulary --from'")
            }
        } catch {
            part.problems.append("\(error)")
        }
        return part
    }
}
