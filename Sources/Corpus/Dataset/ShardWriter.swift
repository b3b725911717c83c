import Jobs

/// What is known of a shard that is on the disk.
struct ShardRecord: Codable, Sendable {
    /// The group of texts that it was made of.
    var group: Int
    /// Its place among the shards of that group.
    var part: Int
    /// Documents of the group that have been read once this shard is done, tokens or not.
    var documentsRead: Int
    /// What the group's texts were, where this is its last shard.
    var sources: [DatasetManifest.Source]?
    /// What is in it.
    var shard: DatasetManifest.Shard
    /// Its files.
    var files: [DatasetManifest.File]

    /// What the files of a shard begin with after the side: group and part.
    static func name(group: Int, part: Int) -> String {
        func digits(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return "\(digits(group, 5))-\(digits(part, 3))"
    }
}

/// The files of one side of a shard. A side without documents has none.
enum ShardPart: Hashable {
    /// The tokens of all its documents, one after the other.
    case tokens
    /// The end of each sentence, in tokens from the shard's start.
    case sentences
    /// The end of each document, in sentences from the shard's start.
    case documents
    /// How often each entry of the vocabulary occurs.
    case frequencies
    /// Where the text of each example of a sequence length lies (`ExampleEntry`).
    case examples(sequence: Int)

    /// The file's name.
    func fileName(shard: String, side: Split) -> String {
        let ending =
            switch self {
            case .tokens: "tokens"
            case .sentences: "sentences"
            case .documents: "documents"
            case .frequencies: "frequencies"
            case .examples(let sequence): "examples-\(sequence)"
            }
        return "\(side.rawValue)-\(shard).\(ending)"
    }
}

/// Writes one side of a shard.
struct ShardSideWriter {
    private let folder: PartialFolder
    private let shard: String
    private let side: Split
    private let tokenBytes: Int
    private let unknownID: Int32
    private let packers: [ExamplePacker]
    private var tokens: FileWriter?
    private var indexes: [FileWriter] = []
    private var sentenceEnds: [UInt32] = []
    private var documentEnds: [UInt32] = []
    private var frequencies: [UInt32]
    private var result = DatasetManifest.ShardSide()

    init(
        folder: PartialFolder, shard: String, side: Split, tokenBytes: Int, vocabulary: Vocabulary,
        packers: [ExamplePacker]
    ) {
        self.folder = folder
        self.shard = shard
        self.side = side
        self.tokenBytes = tokenBytes
        self.packers = packers
        unknownID = vocabulary.unknownID
        frequencies = [UInt32](repeating: 0, count: vocabulary.count)
        result.examples = packers.map {
            DatasetManifest.Examples(sequence: $0.sequence, count: 0, randomPairs: 0)
        }
    }

    /// Tokens so far.
    var tokenCount: Int { result.counts.tokens }

    /// Appends a document: its ids, and the end of each sentence in them; `key` is its own under the seed.
    mutating func append(ids: [Int32], sentenceEnds ends: [Int], key: UInt64) throws {
        if tokens == nil { try open() }
        if tokenBytes == 2 {
            try tokens?.write(ids.map { UInt16(truncatingIfNeeded: $0) })
        } else {
            try tokens?.write(ids)
        }
        var lengths: [Int] = []
        lengths.reserveCapacity(ends.count)
        var start = 0
        for end in ends {
            lengths.append(end - start)
            result.counts.sentenceLengths.add(end - start)
            sentenceEnds.append(UInt32(tokenCount + end))
            start = end
        }
        let document = documentEnds.count
        documentEnds.append(UInt32(sentenceEnds.count))
        for id in ids {
            frequencies[Int(id)] += 1
            result.counts.unknownTokens += id == unknownID ? 1 : 0
        }
        result.counts.documentLengths.add(ids.count)
        result.counts.documents += 1
        result.counts.sentences += ends.count
        result.counts.tokens += ids.count
        for (index, packer) in packers.enumerated() {
            try packer.pack(document: document, key: key, lengths: lengths) { entry in
                try indexes[index].write(entry.words)
                result.examples[index].count += 1
                result.examples[index].randomPairs += entry.isRandomNext ? 1 : 0
            }
        }
    }

    private mutating func open() throws {
        tokens = try folder.file(ShardPart.tokens.fileName(shard: shard, side: side))
        indexes = try packers.map {
            try folder.file(ShardPart.examples(sequence: $0.sequence).fileName(shard: shard, side: side))
        }
    }

    /// Puts everything on the disk; returns what is in it and its files.
    consuming func close() throws -> (DatasetManifest.ShardSide, [DatasetManifest.File]) {
        guard let tokens else { return (result, []) }
        var files: [DatasetManifest.File] = []
        func finish(_ writer: FileWriter, _ part: ShardPart) throws {
            let summary = try writer.finish()
            files.append(
                DatasetManifest.File(
                    name: part.fileName(shard: shard, side: side), bytes: summary.bytes, digest: summary.digest))
        }
        func write(_ values: [UInt32], _ part: ShardPart) throws {
            let file = try folder.file(part.fileName(shard: shard, side: side))
            try file.write(values)
            try finish(file, part)
        }
        try finish(tokens, .tokens)
        try write(sentenceEnds, .sentences)
        try write(documentEnds, .documents)
        try write(frequencies, .frequencies)
        for (packer, index) in zip(packers, indexes) { try finish(index, .examples(sequence: packer.sequence)) }
        return (result, files)
    }
}
