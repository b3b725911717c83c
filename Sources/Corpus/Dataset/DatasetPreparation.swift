import Digests
import Foundation
import Jobs

/// How far a preparation has come.
public struct PreparationProgress: Sendable, Hashable {
    /// What is being done.
    public enum Stage: String, Sendable, Hashable, CaseIterable {
        /// Digests of the files, to see whether the dataset is there already.
        case checking
        /// Reading the text and counting its words.
        case countingWords = "counting words"
        /// Merging pairs into the vocabulary.
        case trainingVocabulary = "training the vocabulary"
        /// Reading the text and writing its tokens.
        case tokenizing
        /// Packing sentences into examples.
        case packingExamples = "packing examples"
    }

    /// What is being done.
    public var stage: Stage
    /// How much of this stage is done, in [0, 1].
    public var fraction: Double
    /// Documents read in this stage.
    public var documents: Int
}

/// Makes a dataset folder from a request.
public enum DatasetPreparation {
    /// Names the request together with the bytes of its files, wherever these lie: 64 hexadecimal digits. Two requests of
    /// one digest give byte-identical folders, so it is the name of a cache folder.
    public static func digest(of request: DatasetRequest, isCancelled: () -> Bool = { false }) throws -> String {
        try request.validate()
        return try Inputs(request, isCancelled: isCancelled).digest
    }

    /// Prepares `request` into `directory`, which appears whole or not at all. Where the folder is there already and holds
    /// this very dataset, it is left as it is.
    ///
    /// - Parameters:
    ///   - progress: called now and then on the caller's thread.
    ///   - isCancelled: asked now and then; where true, `.cancelled` is thrown and nothing stays behind.
    /// - Returns: the folder's manifest.
    @discardableResult
    public static func prepare(
        _ request: DatasetRequest, into directory: String, progress: (PreparationProgress) -> Void = { _ in },
        isCancelled: () -> Bool = { false }
    ) throws -> DatasetManifest {
        try prepare(request, into: directory, space: nil, progress: progress, isCancelled: isCancelled)
    }

    /// As `prepare`, with a disk that is full after `space` bytes.
    package static func prepare(
        _ request: DatasetRequest, into directory: String, space: Int?, progress: (PreparationProgress) -> Void,
        isCancelled: () -> Bool
    ) throws -> DatasetManifest {
        try request.validate()
        progress(PreparationProgress(stage: .checking, fraction: 0, documents: 0))
        let inputs = try Inputs(request, isCancelled: isCancelled)
        if FileManager.default.fileExists(atPath: directory) {
            return try existing(directory, digest: inputs.digest)
        }
        let folder = try FolderWriter(directory: directory, space: space)
        do {
            let vocabulary = try vocabulary(request, inputs, progress: progress, isCancelled: isCancelled)
            try folder.write(vocabulary.fileContents, to: "vocab.txt")
            var pass = TokenPass(request: request, vocabulary: vocabulary, folder: folder)
            try pass.run(inputs, progress: progress, isCancelled: isCancelled)
            let examples = try packExamples(request, pass, folder: folder, progress: progress, isCancelled: isCancelled)
            let manifest = DatasetManifest(
                requestDigest: inputs.digest, request: request, sources: pass.sources, vocabulary: vocabulary,
                tokenBytes: pass.tokenBytes, counts: pass.counts, mostFrequentToken: pass.mostFrequentToken,
                shards: pass.shards, exampleCounts: examples, files: folder.files.sorted { $0.name < $1.name })
            let json = try manifest.json()
            try folder.write(json, to: DatasetManifest.fileName)
            try folder.write(json.withUnsafeBytes(DatasetManifest.digestLine), to: DatasetManifest.digestFileName)
            if try folder.commit() { return manifest }
        } catch {
            folder.abandon()
            throw error
        }
        // Another process was faster.
        return try existing(directory, digest: inputs.digest)
    }

    private static func existing(_ directory: String, digest: String) throws -> DatasetManifest {
        let dataset = try Dataset(opening: directory)
        guard dataset.manifest.requestDigest == digest else {
            throw CorpusError.badDataset(path: directory, reason: "it holds another dataset")
        }
        return dataset.manifest
    }

    private static func vocabulary(
        _ request: DatasetRequest, _ inputs: Inputs, progress: (PreparationProgress) -> Void, isCancelled: () -> Bool
    ) throws -> Vocabulary {
        let size: Int
        switch request.corpus.vocabulary {
        case .file(let path): return try Vocabulary(path: path)
        case .trained(let asked): size = asked
        }
        var trainer = VocabularyTrainer(VocabularyTrainer.Settings(size: size))
        try inputs.forEachDocument(stage: .countingWords, progress: progress, isCancelled: isCancelled) { document, _ in
            // Held-out text teaches nothing, not even the vocabulary.
            if request.split(of: document) == .training { trainer.add(document) }
        }
        return try trainer.train(
            progress: { entries in
                progress(
                    PreparationProgress(
                        stage: .trainingVocabulary, fraction: Double(entries) / Double(size), documents: 0))
            }, isCancelled: isCancelled)
    }

    private static func packExamples(
        _ request: DatasetRequest, _ pass: TokenPass, folder: FolderWriter, progress: (PreparationProgress) -> Void,
        isCancelled: () -> Bool
    ) throws -> [DatasetManifest.Examples] {
        let reader = try ShardReader(
            directory: folder.temporary, shards: pass.shards, tokenBytes: pass.tokenBytes,
            vocabularySize: pass.vocabulary.count)
        var made: [DatasetManifest.Examples] = []
        for (number, length) in request.sequenceLengths.enumerated() {
            let packer = ExamplePacker(sequence: length.sequence, settings: request.examples, seed: request.seed)
            for split in Split.allCases {
                let file = try folder.file(Dataset.indexName(sequence: length.sequence, split: split))
                var examples = DatasetManifest.Examples(
                    sequence: length.sequence, maskedPositions: length.maskedPositions, split: split, count: 0,
                    randomPairs: 0)
                for (done, document) in pass.documents[split, default: []].enumerated() {
                    if done & 1023 == 0 {
                        if isCancelled() { throw CorpusError.cancelled }
                        let part = Double(done) / Double(max(1, pass.documents[split]?.count ?? 1))
                        let steps = Double(request.sequenceLengths.count * 2)
                        let before = Double(number * 2 + (split == .training ? 0 : 1))
                        progress(
                            PreparationProgress(
                                stage: .packingExamples, fraction: (before + part) / steps, documents: done))
                    }
                    let place = try reader.document(Int(document))
                    let lengths = try place.sentences.indices.map {
                        try reader.tokens(of: place, sentence: $0 - place.sentences.lowerBound).count
                    }
                    try packer.pack(document: Int(document), lengths: lengths) { entry in
                        try file.write(entry.words)
                        examples.count += 1
                        examples.randomPairs += entry.isRandomNext ? 1 : 0
                    }
                }
                try file.finish()
                guard examples.count < 1 << 31 else {
                    throw CorpusError.badSetting(
                        name: "examples", found: "\(examples.count)", allowed: "fewer than 2147483648")
                }
                made.append(examples)
            }
        }
        return made
    }
}

extension DatasetRequest {
    /// The side that `document` falls on: by its contents, so that copies never stand on both sides.
    func split(of document: TextDocument) -> Split {
        var random = CounterRandom(seed: seed, purpose: .heldOutSplit, step: document.contentHash)
        return Double(random.nextUnit()) < corpus.heldOut ? .heldOut : .training
    }
}

/// The texts of a request, in order, with the digests of their files.
struct Inputs {
    private let request: DatasetRequest
    private let files: [(path: String, digest: String, bytes: Int)]
    /// Names the request and its files' bytes.
    let digest: String

    init(_ request: DatasetRequest, isCancelled: () -> Bool) throws {
        self.request = request
        var named = request
        var files: [(path: String, digest: String, bytes: Int)] = []
        if case .files(let paths) = request.corpus.text {
            for path in paths {
                let (digest, bytes) = try SHA256.ofFile(path, isCancelled: isCancelled)
                files.append((path, digest, bytes))
            }
            named.corpus.text = .files(zip(paths, files).map { "\(Self.name(of: $0)) \($1.digest)" })
        }
        if case .file(let path) = request.corpus.vocabulary {
            named.corpus.vocabulary = .file(try SHA256.ofFile(path, isCancelled: isCancelled).digest)
        }
        self.files = files
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let digest = SHA256()
        digest.update("wafermark dataset \(DatasetManifest.currentFormat)\n")
        digest.update(String(decoding: try encoder.encode(named), as: UTF8.self))
        self.digest = digest.finish()
    }

    private static func name(of path: String) -> String { (path as NSString).lastPathComponent }

    /// Calls `body` with every document of every text and the text's place in the list; returns what the texts were.
    @discardableResult
    func forEachDocument(
        stage: PreparationProgress.Stage, progress: (PreparationProgress) -> Void, isCancelled: () -> Bool,
        _ body: (TextDocument, Int) throws -> Void
    ) throws -> [DatasetManifest.Source] {
        var sources: [DatasetManifest.Source] = []
        var documents = 0
        let totalBytes = max(1, files.reduce(0) { $0 + $1.bytes })
        func read(_ source: some DocumentSource, _ name: String, bytes: Int, before: Int, total: Int) throws -> Int {
            var document = TextDocument()
            var count = 0
            while try source.next(into: &document) {
                if documents & 255 == 0 {
                    if isCancelled() { throw CorpusError.cancelled }
                    let fraction = (Double(before) + source.fractionRead * Double(bytes)) / Double(total)
                    progress(PreparationProgress(stage: stage, fraction: min(1, fraction), documents: documents))
                }
                try body(document, sources.count)
                documents += 1
                count += 1
            }
            return count
        }
        switch request.corpus.text {
        case .files:
            var before = 0
            for file in files {
                let reader = try TextReader(path: file.path)
                let count = try read(reader, file.path, bytes: file.bytes, before: before, total: totalBytes)
                sources.append(
                    DatasetManifest.Source(
                        name: Self.name(of: file.path), bytes: file.bytes, digest: file.digest, documents: count,
                        replacedSequences: reader.replacedSequences))
                before += file.bytes
            }
        case .synthetic(let count, let seed):
            let source = SyntheticAbstracts(documents: count, seed: seed)
            let made = try read(source, "synthetic", bytes: 1, before: 0, total: 1)
            sources.append(
                DatasetManifest.Source(
                    name: "synthetic abstracts, seed \(seed)", bytes: 0, digest: "", documents: made,
                    replacedSequences: 0))
        }
        return sources
    }
}
