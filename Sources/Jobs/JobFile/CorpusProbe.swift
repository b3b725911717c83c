import Digests
import Foundation

/// What a job needs to know of a corpus folder whose dataset is built.
public struct BuiltDataset: Hashable, Sendable {
    /// The folder and what identifies its contents.
    public var corpus: BuiltCorpus
    /// What shaped its dataset.
    public var settings: DatasetSettings

    /// A dataset of the given parts.
    public init(corpus: BuiltCorpus, settings: DatasetSettings) {
        self.corpus = corpus
        self.settings = settings
    }
}

/// Looks into the corpus folder that a job names. Passed in, so that a job can be checked where its folder is not.
public struct CorpusProbe: Sendable {
    /// What a path led to.
    public enum Finding: Hashable, Sendable {
        /// A corpus folder with a dataset, by absolute path with symbolic links resolved.
        case built(BuiltDataset)
        /// Nothing was looked at: the absolute path.
        case unchecked(String)
        /// No such folder: the absolute path that was tried, and why not.
        case refused(path: String, reason: String)
    }

    private let find: @Sendable (_ path: String, _ directory: String) -> Finding

    /// A probe that asks `find` about a path, relative to a directory unless absolute.
    public init(_ find: @escaping @Sendable (_ path: String, _ directory: String) -> Finding) { self.find = find }

    /// What `path`, relative to `directory` unless absolute, leads to.
    public func callAsFunction(_ path: String, relativeTo directory: String) -> Finding { find(path, directory) }

    /// Takes every path as it stands, made absolute.
    public static let unchecked = CorpusProbe { path, directory in
        .unchecked(FileProbe.absolute(path, relativeTo: directory))
    }

    /// Asks the file system. The manifest is checked against its digest; the files that it lists are not looked at.
    public static let fileSystem = CorpusProbe { path, directory in
        let joined = FileProbe.absolute(path, relativeTo: directory)
        guard let resolved = realpath(joined, nil) else {
            return .refused(path: joined, reason: errno == ENOENT ? "no such folder" : FileProbe.reason(errno))
        }
        defer { free(resolved) }
        guard let folder = String(validatingCString: resolved) else {
            return .refused(path: joined, reason: "its resolved name is not UTF-8")
        }
        var status = stat()
        guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            return .refused(path: joined, reason: "is no folder; a text file goes under 'corpus.text'")
        }
        do throws(Refusal) {
            return .built(try dataset(in: folder))
        } catch {
            return .refused(path: joined, reason: error.reason)
        }
    }

    /// The part of a dataset's manifest that a job needs.
    private struct Manifest: Decodable {
        var format: Int
        var vocabularySize: Int
        var settings: DatasetSettings
    }

    private struct Refusal: Error { var reason: String }

    private static func dataset(in folder: String) throws(Refusal) -> BuiltDataset {
        let dataset = folder + "/" + BuiltCorpus.datasetFolder
        func contents(_ name: String) throws(Refusal) -> Data {
            guard let data = FileManager.default.contents(atPath: dataset + "/" + name) else {
                throw Refusal(reason: "holds no dataset: run 'wafermark corpus build' on it first")
            }
            return data
        }
        let manifest = try contents("manifest.json")
        let digest = String(decoding: try contents("manifest.sha256").prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)
        guard manifest.withUnsafeBytes({ SHA256.hexadecimal(of: $0) }) == digest else {
            throw Refusal(
                reason: "its dataset/manifest.json has changed since it was written: run 'wafermark corpus build' again"
            )
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let read = try? decoder.decode(Manifest.self, from: manifest) else {
            throw Refusal(reason: "its dataset is of another version: run 'wafermark corpus build' again")
        }
        return BuiltDataset(
            corpus: BuiltCorpus(
                directory: folder, digest: digest, vocabularySize: read.vocabularySize, heldOut: read.settings.heldOut),
            settings: read.settings)
    }
}
