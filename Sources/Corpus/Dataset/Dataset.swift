import Digests
import Jobs

/// A prepared corpus, opened: examples by number, from memory-mapped files, for any number of threads and processes.
///
/// Every example is a pure function of the folder and the arguments, so any worker makes exactly its lanes' batches with
/// no state shared with others.
public struct Dataset: Sendable {
    /// The folder.
    public let directory: String
    /// What the folder says of itself.
    public let manifest: DatasetManifest
    /// The vocabulary.
    public let vocabulary: Vocabulary
    private let shards: ShardReader
    private let indexes: [IndexKey: Index]
    private let documents: [Split: MappedFile]
    private let masking: Masking

    private struct IndexKey: Hashable {
        var sequence: Int
        var split: Split
    }

    private struct Index: Sendable {
        var examples: DatasetManifest.Examples
        var file: MappedFile
    }

    /// Opens the dataset in `directory`. Sizes of all files, and digests of all but the tokens (see `verifyTokens`), are
    /// checked. Throws `.badDataset` where the folder is none, is from another version, or is damaged.
    public init(opening directory: String) throws {
        self.directory = directory
        manifest = try DatasetManifest(readingFrom: directory)
        guard manifest.tokenBytes == 2 || manifest.tokenBytes == 4 else {
            throw CorpusError.badDataset(path: directory, reason: "tokens of \(manifest.tokenBytes) bytes")
        }
        do {
            for file in manifest.files { try Self.check(file, in: directory, digest: !file.name.hasSuffix(".tokens")) }
            vocabulary = try Vocabulary(path: directory + "/vocab.txt")
            guard vocabulary.count == manifest.vocabularySize else {
                throw CorpusError.badDataset(
                    path: directory,
                    reason: "vocab.txt has \(vocabulary.count) entries; \(manifest.vocabularySize) are due")
            }
            shards = try ShardReader(
                directory: directory, shards: manifest.shards, tokenBytes: manifest.tokenBytes,
                vocabularySize: vocabulary.count)
            var documents: [Split: MappedFile] = [:]
            for split in Split.allCases {
                documents[split] = try MappedFile(path: directory + "/" + Self.documentsName(split))
            }
            self.documents = documents
            var indexes: [IndexKey: Index] = [:]
            for examples in manifest.exampleCounts {
                let file = try MappedFile(
                    path: directory + "/" + Self.indexName(sequence: examples.sequence, split: examples.split))
                guard file.count == examples.count * ExampleEntry.size else {
                    throw CorpusError.badDataset(
                        path: directory, reason: "the index of sequence \(examples.sequence) has the wrong size")
                }
                indexes[IndexKey(sequence: examples.sequence, split: examples.split)] = Index(
                    examples: examples, file: file)
            }
            self.indexes = indexes
        } catch CorpusError.missing(let path) {
            throw CorpusError.badDataset(path: directory, reason: "\(path.split(separator: "/").last ?? "") is missing")
        } catch CorpusError.badVocabulary(_, let line, let reason) {
            throw CorpusError.badDataset(path: directory, reason: "vocab.txt line \(line): \(reason)")
        }
        masking = Masking(share: manifest.examples.maskedShare, vocabulary: vocabulary)
    }

    static func indexName(sequence: Int, split: Split) -> String { "examples-\(sequence)-\(split.rawValue).index" }
    static func documentsName(_ split: Split) -> String { "documents-\(split.rawValue).list" }

    private static func check(_ file: DatasetManifest.File, in directory: String, digest: Bool) throws {
        guard !file.name.isEmpty, !file.name.contains("/"), !file.name.hasPrefix(".") else {
            throw CorpusError.badDataset(path: directory, reason: "the manifest names a file '\(file.name)'")
        }
        let mapped = try MappedFile(path: directory + "/" + file.name)
        guard mapped.count == file.bytes else {
            throw CorpusError.badDataset(
                path: directory, reason: "\(file.name) has \(mapped.count) bytes; \(file.bytes) are due")
        }
        if digest, SHA256.hexadecimal(of: mapped.bytes) != file.digest {
            throw CorpusError.badDataset(path: directory, reason: "\(file.name) has changed since it was written")
        }
    }

    /// Checks the digests of the token shards too, which `init` leaves out because they are large.
    public func verifyTokens(progress: (Double) -> Void = { _ in }) throws {
        let files = manifest.files.filter { $0.name.hasSuffix(".tokens") }
        for (number, file) in files.enumerated() {
            try Self.check(file, in: directory, digest: true)
            progress(Double(number + 1) / Double(files.count))
        }
    }

    /// The sequence lengths that there are examples of, ascending.
    public var sequences: [Int] { Set(manifest.exampleCounts.map(\.sequence)).sorted() }

    /// The number of examples of `sequence` tokens on one side; 0 where the dataset wasn't prepared for that length.
    public func exampleCount(sequence: Int, split: Split) -> Int {
        indexes[IndexKey(sequence: sequence, split: split)]?.examples.count ?? 0
    }

    /// The number of the training example at `position`, counted from the phase's start, and its epoch: each epoch is a
    /// seeded shuffle of all examples, with no repeats and none left out.
    public func number(at position: UInt64, sequence: Int, seed: UInt64) throws -> (number: Int, epoch: UInt64) {
        let count = exampleCount(sequence: sequence, split: .training)
        guard count > 0 else { throw CorpusError.noSuchExample(number: 0, count: 0) }
        let (epoch, place) = position.quotientAndRemainder(dividingBy: UInt64(count))
        let order = ExampleOrder(count: count, seed: seed, epoch: epoch, sequence: sequence)
        return (order.number(at: Int(place)), epoch)
    }

    /// Example `number` of `sequence` tokens at most, masked.
    ///
    /// Masks and random next segments of training examples are drawn anew for each `epoch`; those of held-out examples
    /// are always the same.
    /// - Parameter maskedPositions: masked positions at most; the request's number unless given.
    public func example(
        sequence: Int, split: Split, number: Int, epoch: UInt64 = 0, seed: UInt64, maskedPositions: Int? = nil
    ) throws -> Example {
        guard let index = indexes[IndexKey(sequence: sequence, split: split)] else {
            throw CorpusError.noSuchExample(number: number, count: 0)
        }
        let entry = try entry(number, of: index)
        let draw = split == .training ? epoch : .max
        var random = CounterRandom(seed: seed, purpose: .sentencePairs, step: draw, example: UInt32(number))
        let room = sequence - (manifest.examples.nextSentence ? 3 : 2)

        let home = try shards.document(Int(entry.document))
        let first = Int(entry.firstSentence)
        var segmentA = try segment(of: home, first: first, count: Int(entry.sentencesA))
        var other = home
        var segmentB = 0..<0
        if entry.isRandomNext {
            (other, segmentB) = try randomSegment(
                notFrom: entry.document, split: split, tokens: max(1, Int(entry.target) - segmentA.count),
                random: &random)
        } else if entry.sentencesB > 0 {
            segmentB = try segment(
                of: home, first: first + Int(entry.sentencesA), count: Int(entry.sentencesB))
        }
        Self.truncate(&segmentA, &segmentB, to: room, random: &random)

        var ids: [Int32] = []
        ids.reserveCapacity(sequence)
        ids.append(vocabulary.classifierID)
        try shards.append(segmentA, of: home, to: &ids)
        ids.append(vocabulary.separatorID)
        var types = [UInt8](repeating: 0, count: ids.count)
        if manifest.examples.nextSentence {
            try shards.append(segmentB, of: other, to: &ids)
            ids.append(vocabulary.separatorID)
            types.append(contentsOf: repeatElement(1, count: ids.count - types.count))
        }
        var maskRandom = CounterRandom(seed: seed, purpose: .masking, step: draw, example: UInt32(number))
        let masked = masking.apply(
            to: &ids, limit: maskedPositions ?? index.examples.maskedPositions, random: &maskRandom)
        return Example(
            inputIDs: ids, tokenTypes: types, maskedPositions: masked.positions, maskedLabels: masked.labels,
            isNext: !entry.isRandomNext)
    }

    private func entry(_ number: Int, of index: Index) throws -> ExampleEntry {
        guard number >= 0, number < index.examples.count,
            let word0 = index.file.element(4 * number, as: UInt32.self),
            let word1 = index.file.element(4 * number + 1, as: UInt32.self),
            let word2 = index.file.element(4 * number + 2, as: UInt32.self),
            let word3 = index.file.element(4 * number + 3, as: UInt32.self)
        else { throw CorpusError.noSuchExample(number: number, count: index.examples.count) }
        return ExampleEntry(words: (word0, word1, word2, word3))
    }

    /// The tokens of `count` sentences of `document` from `first` on.
    private func segment(of document: ShardReader.Document, first: Int, count: Int) throws -> Range<Int> {
        let start = try shards.tokens(of: document, sentence: first).lowerBound
        let end = try shards.tokens(of: document, sentence: first + max(1, count) - 1).upperBound
        guard start < end else { throw CorpusError.badDataset(path: directory, reason: "an example has no tokens") }
        return start..<end
    }

    /// Sentences of another document of the same side, from a random one on, until `tokens` are reached or it ends.
    private func randomSegment(
        notFrom document: UInt32, split: Split, tokens: Int, random: inout CounterRandom
    ) throws -> (ShardReader.Document, Range<Int>) {
        guard let list = documents[split], list.count >= 8 else {
            throw CorpusError.badDataset(path: directory, reason: "the list of \(split.words) documents is too short")
        }
        // Drawing among the others: the last takes the place of the document itself.
        let count = list.count / 4
        var chosen = list.element(random.nextIndex(below: count - 1), as: UInt32.self)
        if chosen == document { chosen = list.element(count - 1, as: UInt32.self) }
        let other = try shards.document(Int(chosen ?? 0))
        let first = random.nextIndex(below: other.sentences.count)
        var range = try shards.tokens(of: other, sentence: first)
        var next = first + 1
        while range.count < tokens, next < other.sentences.count {
            range = range.lowerBound..<(try shards.tokens(of: other, sentence: next).upperBound)
            next += 1
        }
        return (other, range)
    }

    /// Takes tokens off the longer segment, at a random end each time, until both fit (`truncate_seq_pair`).
    private static func truncate(
        _ a: inout Range<Int>, _ b: inout Range<Int>, to room: Int, random: inout CounterRandom
    ) {
        func shorten(_ range: inout Range<Int>) {
            if random.nextUnit() < 0.5 {
                range = range.lowerBound + 1..<range.upperBound
            } else {
                range = range.lowerBound..<range.upperBound - 1
            }
        }
        while a.count + b.count > room {
            if a.count > b.count { shorten(&a) } else { shorten(&b) }
        }
    }
}

extension Dataset: CustomStringConvertible {
    /// The folder and the number of documents: a dataset is too large to print.
    public var description: String {
        "dataset \(directory) of \(manifest.training.documents + manifest.heldOutCounts.documents) documents"
    }
}
