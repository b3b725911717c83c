/// Writes documents of tokens into shards: `shard-NNNNN.tokens`, `.sentences` (the end of each sentence in tokens) and
/// `.documents` (the end of each document in sentences), each counted from the shard's start.
struct ShardWriter {
    /// A shard is closed after this many tokens, so that 32 bits count them and a lost one costs little.
    static let shardTokens = 1 << 26

    private let folder: FolderWriter
    private let tokenBytes: Int
    private let limit: Int
    private var tokens: FileWriter?
    private var sentenceEnds: [UInt32] = []
    private var documentEnds: [UInt32] = []
    private var tokenCount = 0
    private(set) var shards: [DatasetManifest.Shard] = []

    init(folder: FolderWriter, tokenBytes: Int, shardTokens: Int = Self.shardTokens) {
        self.folder = folder
        self.tokenBytes = tokenBytes
        limit = shardTokens
    }

    static func name(_ shard: Int, _ part: String) -> String {
        let digits = String(shard)
        return "shard-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits + "." + part
    }

    /// Appends a document: its ids, and the end of each sentence in them.
    mutating func append(ids: [Int32], sentenceEnds ends: [Int]) throws {
        if tokens == nil { tokens = try folder.file(Self.name(shards.count, "tokens")) }
        if tokenBytes == 2 {
            try tokens?.write(ids.map { UInt16(truncatingIfNeeded: $0) })
        } else {
            try tokens?.write(ids)
        }
        for end in ends { sentenceEnds.append(UInt32(tokenCount + end)) }
        tokenCount += ids.count
        documentEnds.append(UInt32(sentenceEnds.count))
        if tokenCount >= limit { try close() }
    }

    /// Closes the last shard.
    mutating func close() throws {
        guard let file = tokens else { return }
        try file.finish()
        tokens = nil
        let sentences = try folder.file(Self.name(shards.count, "sentences"))
        try sentences.write(sentenceEnds)
        try sentences.finish()
        let documents = try folder.file(Self.name(shards.count, "documents"))
        try documents.write(documentEnds)
        try documents.finish()
        shards.append(
            DatasetManifest.Shard(tokens: tokenCount, sentences: sentenceEnds.count, documents: documentEnds.count))
        sentenceEnds.removeAll(keepingCapacity: true)
        documentEnds.removeAll(keepingCapacity: true)
        tokenCount = 0
    }
}

/// The shards of a folder, mapped.
struct ShardReader: Sendable {
    private struct Shard: Sendable {
        var firstDocument: Int
        var counts: DatasetManifest.Shard
        var tokens: MappedFile
        var sentences: MappedFile
        var documents: MappedFile
    }

    /// A document's place: its shard and the sentences there.
    struct Document {
        fileprivate var shard: Int
        /// The sentences, numbered within the shard.
        var sentences: Range<Int>
    }

    private let directory: String
    private let tokenBytes: Int
    private let vocabularySize: Int
    private var shards: [Shard] = []
    /// The number of documents.
    private(set) var documentCount = 0

    init(directory: String, shards counts: [DatasetManifest.Shard], tokenBytes: Int, vocabularySize: Int) throws {
        self.directory = directory
        self.tokenBytes = tokenBytes
        self.vocabularySize = vocabularySize
        for (number, count) in counts.enumerated() {
            func map(_ part: String, _ elements: Int, _ size: Int) throws -> MappedFile {
                let path = directory + "/" + ShardWriter.name(number, part)
                let file = try MappedFile(path: path)
                guard elements >= 0, file.count == elements * size else {
                    throw CorpusError.badDataset(
                        path: directory,
                        reason: "\(ShardWriter.name(number, part)) has \(file.count) bytes; \(elements * size) are due")
                }
                return file
            }
            shards.append(
                Shard(
                    firstDocument: documentCount, counts: count, tokens: try map("tokens", count.tokens, tokenBytes),
                    sentences: try map("sentences", count.sentences, 4),
                    documents: try map("documents", count.documents, 4)))
            documentCount += count.documents
        }
    }

    /// Document `number`.
    func document(_ number: Int) throws -> Document {
        var low = 0
        var high = shards.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if shards[middle].firstDocument <= number { low = middle } else { high = middle - 1 }
        }
        guard number >= 0, number < documentCount else { throw damaged("document \(number) isn't there") }
        let local = number - shards[low].firstDocument
        let start = local == 0 ? 0 : shards[low].documents.element(local - 1, as: UInt32.self)
        guard let start, let end = shards[low].documents.element(local, as: UInt32.self), start < end,
            Int(end) <= shards[low].counts.sentences
        else { throw damaged("document \(number) has no valid sentences") }
        return Document(shard: low, sentences: Int(start)..<Int(end))
    }

    /// The tokens of sentence `sentence` of its document, as a range within the shard.
    func tokens(of document: Document, sentence: Int) throws -> Range<Int> {
        let index = document.sentences.lowerBound + sentence
        let shard = shards[document.shard]
        let start = index == 0 ? 0 : shard.sentences.element(index - 1, as: UInt32.self)
        guard document.sentences.contains(index), let start, let end = shard.sentences.element(index, as: UInt32.self),
            start < end, Int(end) <= shard.counts.tokens
        else { throw damaged("sentence \(sentence) of a document isn't valid") }
        return Int(start)..<Int(end)
    }

    /// Appends the ids of `range` of the document's shard to `ids`.
    func append(_ range: Range<Int>, of document: Document, to ids: inout [Int32]) throws {
        let file = shards[document.shard].tokens
        for index in range {
            let id: Int32? =
                tokenBytes == 2
                ? file.element(index, as: UInt16.self).map { Int32($0) } : file.element(index, as: Int32.self)
            guard let id, id >= 0, Int(id) < vocabularySize else {
                throw damaged("token \(index) isn't in the vocabulary")
            }
            ids.append(id)
        }
    }

    private func damaged(_ reason: String) -> CorpusError { .badDataset(path: directory, reason: reason) }
}
