import Digests
import Foundation
import Jobs

/// Makes a dataset folder from a request.
public enum DatasetPreparation {
    /// How a preparation goes about it; none of it changes the dataset.
    public struct Manner: Sendable {
        /// Threads that read and tokenise.
        public var threads: Int
        /// Whether finished shards stay behind when the preparation ends early, for the next one to go on from; a killed
        /// process leaves them in any case.
        public var keepsFinishedShards = false
        /// Whether a folder that holds another dataset is replaced; otherwise it is an error.
        public var replaces = false
        /// Called now and then, by one thread at a time.
        public var progress: @Sendable (PreparationProgress) -> Void = { _ in }
        /// Asked now and then, by any thread; where true, `.cancelled` is thrown.
        public var isCancelled: @Sendable () -> Bool = { false }
        /// A disk that is full after so many bytes, for tests; nil for the disk's own limit.
        package var space: DiskSpace?
        /// Tokens after which a shard is closed.
        package var shardTokens = TokenPass.shardTokens
        /// The size on disk at which a group of texts is closed, which a shard never goes beyond.
        package var groupBytes = InputText.groupBytes

        /// All of the machine's cores unless given.
        public init(threads: Int = ProcessInfo.processInfo.activeProcessorCount) { self.threads = threads }

        var monitor: PreparationMonitor { PreparationMonitor(report: progress, isCancelled: isCancelled) }
    }

    /// Names the request together with the bytes of its files, wherever these lie: 64 hexadecimal digits. Two requests of
    /// one digest give byte-identical folders, so it is the name of a cache folder.
    public static func digest(of request: DatasetRequest, manner: Manner = Manner()) throws -> String {
        try request.validate()
        return try digest(of: request, text: InputText(request.text, monitor: manner.monitor), manner)
    }

    private static func digest(of request: DatasetRequest, text: InputText, _ manner: Manner) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let digest = SHA256()
        digest.update("wafermark dataset \(DatasetManifest.currentFormat)\n\(text.identity)\n")
        switch request.vocabulary {
        case .trained(let size): digest.update("vocabulary of \(size)\n")
        case .file(let path):
            digest.update("vocabulary \(try SHA256.ofFile(path, isCancelled: manner.isCancelled).digest)\n")
        }
        digest.update(String(decoding: try encoder.encode(request.settings), as: UTF8.self))
        if let origin = request.origin {
            digest.update(String(decoding: try encoder.encode(origin), as: UTF8.self))
        }
        return digest.finish()
    }

    /// Prepares `request` into `directory`, which appears whole or not at all. Where the folder is there already and holds
    /// this very dataset, it is left as it is.
    ///
    /// - Returns: the dataset, opened.
    /// - Throws: `CorpusError`.
    @discardableResult
    public static func prepare(
        _ request: DatasetRequest, into directory: String, manner: Manner = Manner()
    ) throws -> Dataset {
        try prepare(request, manner) { _ in directory }
    }

    /// Prepares `request` into a folder of `cache` that is named by the request's digest.
    public static func prepare(
        _ request: DatasetRequest, under cache: String, manner: Manner = Manner()
    ) throws -> Dataset {
        try prepare(request, manner) { digest in
            let directory = cache + "/" + digest.prefix(32)
            PartialFolder.removeAbandoned(in: cache, but: directory)
            return directory
        }
    }

    private static func prepare(
        _ request: DatasetRequest, _ manner: Manner, place: (_ digest: String) -> String
    ) throws -> Dataset {
        try request.validate()
        let monitor = manner.monitor
        monitor.begin(.checking, parts: 1)
        let text = try InputText(request.text, groupBytes: manner.groupBytes, monitor: monitor)
        let digest = try digest(of: request, text: text, manner)
        let directory = place(digest)
        if FileManager.default.fileExists(atPath: directory),
            let dataset = try existing(directory, digest: digest, manner)
        {
            return dataset
        }
        let folder = try PartialFolder(directory: directory, request: digest, space: manner.space)
        do {
            let vocabulary = try vocabulary(request, text, folder, monitor, manner)
            let pass = TokenPass(
                text: text, settings: request.settings, vocabulary: vocabulary, folder: folder, monitor: monitor,
                shardTokens: manner.shardTokens)
            let records = try shards(pass, manner)
            try folder.commit(
                try DatasetAssembly(
                    request: request, requestDigest: digest, vocabulary: vocabulary, tokenBytes: pass.tokenBytes,
                    records: records, folder: folder.path
                ).manifest())
        } catch {
            if !manner.keepsFinishedShards { folder.abandon() }
            throw error
        }
        return try Dataset(opening: directory, verifying: .sizes)
    }

    /// The dataset in `directory` if it is the one that is wanted; nil if it is to be replaced.
    private static func existing(_ directory: String, digest: String, _ manner: Manner) throws -> Dataset? {
        do {
            let dataset = try Dataset(opening: directory)
            if dataset.manifest.requestDigest == digest { return dataset }
            throw CorpusError.badDataset(path: directory, reason: "it holds another dataset")
        } catch  where manner.replaces {
            return nil
        }
    }

    private static func vocabulary(
        _ request: DatasetRequest, _ text: InputText, _ folder: PartialFolder, _ monitor: PreparationMonitor,
        _ manner: Manner
    ) throws -> Vocabulary {
        let vocabulary: Vocabulary
        switch request.vocabulary {
        case .file(let path): vocabulary = try Vocabulary(path: path)
        case .trained(let size):
            if let found = try? Vocabulary(path: folder.path + "/" + Dataset.vocabularyName), found.count == size {
                return found
            }
            vocabulary = try VocabularyPass(
                text: text, heldOut: request.settings.heldOut, seed: request.settings.seed, monitor: monitor
            ).train(VocabularyTrainer.Settings(size: size), threads: manner.threads)
        }
        try folder.write(vocabulary.fileContents, to: Dataset.vocabularyName)
        return vocabulary
    }

    private static func shards(_ pass: TokenPass, _ manner: Manner) throws -> [ShardRecord] {
        let finished = pass.folder.soundRecords()
        pass.monitor.begin(.tokenizing, parts: pass.text.parts)
        var records: [ShardRecord] = []
        try WorkerThreads.runInOrder(jobs: pass.text.groups.count, threads: manner.threads) { group in
            try pass.shards(ofGroup: group, finished: finished[group] ?? [])
        } take: { _, made in
            records += made
        }
        return records
    }
}
