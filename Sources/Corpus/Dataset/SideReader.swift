/// The shards of one side of a dataset, mapped: documents, sentences, tokens and examples by number.
struct SideReader: Sendable {
    /// A shard of this side.
    struct Shard: Sendable {
        fileprivate var firstDocument: Int
        fileprivate var counts: DatasetManifest.Counts
        fileprivate var tokens: MappedFile
        fileprivate var sentences: MappedFile
        fileprivate var documents: MappedFile
    }

    /// A document's place: its shard and its sentences there.
    struct Document {
        fileprivate var shard: Int
        fileprivate var sentences: Range<Int>

        /// The number of its sentences.
        var sentenceCount: Int { sentences.count }
    }

    /// The examples of one sequence length, over all shards.
    private struct Index: Sendable {
        /// The number of examples before each shard, and that of all at the end.
        var starts: [Int]
        var files: [MappedFile]
    }

    private let directory: String
    private let tokenBytes: Int
    private let vocabularySize: Int
    private var shards: [Shard] = []
    private var indexes: [Int: Index] = [:]
    /// The number of documents.
    private(set) var documentCount = 0

    /// Maps the files of `side`. Throws `.badDataset` where one isn't as large as the manifest says.
    init(_ side: Split, of manifest: DatasetManifest, in directory: String) throws {
        self.directory = directory
        tokenBytes = manifest.tokenBytes
        vocabularySize = manifest.vocabularySize
        for shard in manifest.shards where shard[side].counts.documents > 0 {
            let counts = shard[side].counts
            func map(_ part: ShardPart, _ elements: Int, _ size: Int) throws -> MappedFile {
                let name = part.fileName(shard: shard.name, side: side)
                let file = try MappedFile(path: directory + "/" + name)
                guard elements >= 0, elements <= Int(UInt32.max), file.count == elements * size else {
                    throw CorpusError.badDataset(
                        path: directory, reason: "\(name) has \(file.count) bytes; \(elements) x \(size) are due")
                }
                return file
            }
            shards.append(
                Shard(
                    firstDocument: documentCount, counts: counts, tokens: try map(.tokens, counts.tokens, tokenBytes),
                    sentences: try map(.sentences, counts.sentences, 4),
                    documents: try map(.documents, counts.documents, 4)))
            documentCount += counts.documents
            for examples in shard[side].examples {
                var index = indexes[examples.sequence] ?? Index(starts: [0], files: [])
                index.files.append(
                    try map(.examples(sequence: examples.sequence), examples.count, ExampleEntry.size))
                index.starts.append((index.starts.last ?? 0) + examples.count)
                indexes[examples.sequence] = index
            }
        }
        guard indexes.values.allSatisfy({ $0.files.count == shards.count }) else {
            throw CorpusError.badDataset(path: directory, reason: "a shard lacks examples of a sequence length")
        }
    }

    /// The number of examples of a sequence length.
    func exampleCount(sequence: Int) -> Int { indexes[sequence]?.starts.last ?? 0 }

    /// Example `number` of a sequence length, and its document.
    func example(_ number: Int, sequence: Int) throws -> (entry: ExampleEntry, document: Document) {
        guard let index = indexes[sequence], number >= 0, number < index.starts.last ?? 0 else {
            throw CorpusError.noSuchExample(number: number, count: exampleCount(sequence: sequence))
        }
        let shard = Self.place(of: number, in: index.starts.count - 1) { index.starts[$0] }
        let first = 4 * (number - index.starts[shard])
        let file = index.files[shard]
        guard let word0 = file.element(first, as: UInt32.self), let word1 = file.element(first + 1, as: UInt32.self),
            let word2 = file.element(first + 2, as: UInt32.self), let word3 = file.element(first + 3, as: UInt32.self)
        else { throw damaged("example \(number) isn't there") }
        let entry = ExampleEntry(words: (word0, word1, word2, word3))
        return (entry, try document(Int(entry.document), ofShard: shard))
    }

    /// Document `number` of this side.
    func document(_ number: Int) throws -> Document {
        guard number >= 0, number < documentCount else { throw damaged("document \(number) isn't there") }
        let shard = Self.place(of: number, in: shards.count) { shards[$0].firstDocument }
        return try document(number - shards[shard].firstDocument, ofShard: shard)
    }

    /// The number of a document that is entry's own: where `entry` is in shard `document.shard`.
    func number(of entry: ExampleEntry, in document: Document) -> Int {
        shards[document.shard].firstDocument + Int(entry.document)
    }

    private func document(_ local: Int, ofShard number: Int) throws -> Document {
        let shard = shards[number]
        let start = local == 0 ? 0 : shard.documents.element(local - 1, as: UInt32.self)
        guard let start, let end = shard.documents.element(local, as: UInt32.self), start < end,
            Int(end) <= shard.counts.sentences
        else { throw damaged("document \(shard.firstDocument + local) has no valid sentences") }
        return Document(shard: number, sentences: Int(start)..<Int(end))
    }

    /// The last of `count` shards that begins at or before `number`.
    private static func place(of number: Int, in count: Int, _ start: (Int) -> Int) -> Int {
        var low = 0
        var high = count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if start(middle) <= number { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// The tokens of `count` sentences of a document from `first` on, as a range within the shard.
    func tokens(of document: Document, sentences first: Int, count: Int = 1) throws -> Range<Int> {
        let shard = shards[document.shard]
        let index = document.sentences.lowerBound + first
        let last = index + count - 1
        let start = index == 0 ? 0 : shard.sentences.element(index - 1, as: UInt32.self)
        guard first >= 0, count >= 1, last < document.sentences.upperBound, let start,
            let end = shard.sentences.element(last, as: UInt32.self), start < end, Int(end) <= shard.counts.tokens
        else { throw damaged("sentence \(first) of a document isn't valid") }
        return Int(start)..<Int(end)
    }

    /// Appends the ids of `range` of the document's shard to `ids`.
    func append(_ range: Range<Int>, of document: Document, to ids: inout [Int32]) throws {
        let file = shards[document.shard].tokens
        let limit = UInt32(vocabularySize)
        for index in range {
            let id: UInt32? =
                tokenBytes == 2
                ? file.element(index, as: UInt16.self).map(UInt32.init) : file.element(index, as: UInt32.self)
            guard let id, id < limit else { throw damaged("token \(index) isn't in the vocabulary") }
            ids.append(Int32(bitPattern: id))
        }
    }

    private func damaged(_ reason: String) -> CorpusError { .badDataset(path: directory, reason: reason) }
}
