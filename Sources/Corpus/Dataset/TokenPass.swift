import Jobs

/// The pass that turns text into token shards and learns what the manifest tells of them.
struct TokenPass {
    let request: DatasetRequest
    let vocabulary: Vocabulary
    /// Bytes of a stored token.
    let tokenBytes: Int
    private let folder: FolderWriter
    private let tokenizer: WordPieceTokenizer
    private(set) var sources: [DatasetManifest.Source] = []
    private(set) var shards: [DatasetManifest.Shard] = []
    private(set) var counts: [Split: DatasetManifest.Counts] = [.training: .init(), .heldOut: .init()]
    /// The documents of each side, by number.
    private(set) var documents: [Split: [UInt32]] = [:]
    private var frequencies: [Split: [Int]]

    init(request: DatasetRequest, vocabulary: Vocabulary, folder: FolderWriter) {
        self.request = request
        self.vocabulary = vocabulary
        self.folder = folder
        tokenBytes = vocabulary.count <= 1 << 16 ? 2 : 4
        tokenizer = WordPieceTokenizer(vocabulary: vocabulary, recognisesSpecialTokens: false)
        let none = [Int](repeating: 0, count: vocabulary.count)
        frequencies = [.training: none, .heldOut: none]
    }

    /// Reads every document, writes its tokens, and closes the shards and the lists of documents.
    mutating func run(
        _ inputs: Inputs, progress: (PreparationProgress) -> Void, isCancelled: () -> Bool
    ) throws {
        var scratch = WordPieceTokenizer.Scratch()
        var ids: [Int32] = []
        var ends: [Int] = []
        var writer = ShardWriter(folder: folder, tokenBytes: tokenBytes)
        var number = 0
        sources = try inputs.forEachDocument(stage: .tokenizing, progress: progress, isCancelled: isCancelled) {
            document, _ in
            ids.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
            document.bytes.withUnsafeBytes { bytes in
                for sentence in 0..<document.sentenceCount {
                    let text = UnsafeRawBufferPointer(rebasing: bytes[document.range(ofSentence: sentence)])
                    let before = ids.count
                    tokenizer.encode(text, into: &ids, scratch: &scratch)
                    // A sentence of characters that all fall away has no tokens, and is none.
                    if ids.count > before { ends.append(ids.count) }
                }
            }
            guard !ends.isEmpty else { return }
            let split = request.split(of: document)
            count(ids, sentences: ends.count, split: split)
            documents[split, default: []].append(UInt32(number))
            number += 1
            try writer.append(ids: ids, sentenceEnds: ends)
        }
        try writer.close()
        shards = writer.shards
        for split in Split.allCases {
            let list = documents[split, default: []]
            // A random next segment needs another document of the same side.
            let needed = request.examples.nextSentence ? 2 : 1
            guard list.count >= needed else {
                throw CorpusError.tooFewDocuments(split: split, found: list.count, needed: needed)
            }
            let file = try folder.file(Dataset.documentsName(split))
            try file.write(list)
            try file.finish()
        }
    }

    private mutating func count(_ ids: [Int32], sentences: Int, split: Split) {
        let unknown = vocabulary.unknownID
        var unknowns = 0
        for id in ids {
            frequencies[split]?[Int(id)] += 1
            unknowns += id == unknown ? 1 : 0
        }
        counts[split]?.documents += 1
        counts[split]?.sentences += sentences
        counts[split]?.tokens += ids.count
        counts[split]?.unknownTokens += unknowns
    }

    /// The most frequent token of the training text; of equals, the one of the lowest id.
    var mostFrequentToken: DatasetManifest.MostFrequentToken {
        let training = frequencies[.training] ?? []
        var best = 0
        for id in training.indices where training[id] > training[best] { best = id }
        func share(_ split: Split) -> Double {
            let all = counts[split]?.tokens ?? 0
            return all == 0 ? 0 : Double(frequencies[split]?[best] ?? 0) / Double(all)
        }
        return DatasetManifest.MostFrequentToken(
            id: Int32(best), token: vocabulary.tokens[best], trainingShare: share(.training),
            heldOutShare: share(.heldOut))
    }
}
