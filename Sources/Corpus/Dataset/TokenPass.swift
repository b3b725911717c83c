import Jobs

/// Turns groups of text into shards: tokens, and where each example's text lies among them. Groups don't depend on each
/// other, so threads share a pass.
struct TokenPass: Sendable {
    /// A shard is closed after this many tokens, so that 32 bits count them and a lost one costs little.
    static let shardTokens = 1 << 26

    let text: InputText
    let settings: DatasetSettings
    let vocabulary: Vocabulary
    let folder: PartialFolder
    let monitor: PreparationMonitor
    /// Bytes of a stored token.
    let tokenBytes: Int
    private let tokenizer: WordPieceTokenizer
    private let shardTokens: Int
    private let packers: [ExamplePacker]

    init(
        text: InputText, settings: DatasetSettings, vocabulary: Vocabulary, folder: PartialFolder,
        monitor: PreparationMonitor, shardTokens: Int = Self.shardTokens
    ) {
        self.text = text
        self.settings = settings
        self.vocabulary = vocabulary
        self.folder = folder
        self.monitor = monitor
        self.shardTokens = shardTokens
        tokenBytes = vocabulary.count <= 1 << 16 ? 2 : 4
        tokenizer = WordPieceTokenizer(vocabulary: vocabulary, recognisesSpecialTokens: false)
        packers = settings.sequences.map {
            ExamplePacker(sequence: $0, settings: settings.examples, seed: settings.seed)
        }
    }

    /// Makes the shards of a group that aren't among `finished`, its first ones; returns all of them.
    func shards(ofGroup group: Int, finished: [ShardRecord]) throws -> [ShardRecord] {
        if finished.last?.sources != nil {
            if case .files(let range) = text.groups[group] {
                try monitor.advance(parts: text.files[range].reduce(0) { $0 + $1.bytes })
            }
            return finished
        }
        var records = finished
        var shard = OpenShard(group: group, part: records.count, of: self)
        let done = records.last?.documentsRead ?? 0
        var documentsRead = 0
        var scratch = WordPieceTokenizer.Scratch()
        var ids: [Int32] = []
        var ends: [Int] = []
        let sources = try text.forEachDocument(of: text.groups[group], monitor: monitor) { document in
            documentsRead += 1
            guard documentsRead > done else { return }
            encode(document, &ids, &ends, &scratch)
            guard !ends.isEmpty else { return }
            // Under one seed: the group above, the document's place in it below.
            let key = UInt64(group) << 32 | UInt64(truncatingIfNeeded: documentsRead - 1)
            try shard.append(ids, ends, side: settings.split(of: document), key: key)
            if shard.tokenCount >= shardTokens {
                records.append(try close(&shard, documentsRead: documentsRead, sources: nil))
                shard = OpenShard(group: group, part: records.count, of: self)
            }
        }
        records.append(try close(&shard, documentsRead: documentsRead, sources: sources))
        return records
    }

    /// The ids of a document and the ends of its sentences; a sentence of characters that all fall away has no tokens,
    /// and is none.
    private func encode(
        _ document: TextDocument, _ ids: inout [Int32], _ ends: inout [Int],
        _ scratch: inout WordPieceTokenizer.Scratch
    ) {
        ids.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        document.bytes.withUnsafeBytes { bytes in
            for sentence in 0..<document.sentenceCount {
                let before = ids.count
                tokenizer.encode(
                    UnsafeRawBufferPointer(rebasing: bytes[document.range(ofSentence: sentence)]), into: &ids,
                    scratch: &scratch)
                if ids.count > before { ends.append(ids.count) }
            }
        }
    }

    private func close(
        _ shard: inout OpenShard, documentsRead: Int, sources: [DatasetManifest.Source]?
    ) throws -> ShardRecord {
        let (made, files) = try shard.close()
        let record = ShardRecord(
            group: shard.group, part: shard.part, documentsRead: documentsRead, sources: sources, shard: made,
            files: files)
        try folder.add(record)
        return record
    }

    /// A shard that is being written.
    private struct OpenShard {
        let group: Int
        let part: Int
        private let name: String
        private var training: ShardSideWriter
        private var heldOut: ShardSideWriter

        init(group: Int, part: Int, of pass: TokenPass) {
            self.group = group
            self.part = part
            let name = ShardRecord.name(group: group, part: part)
            self.name = name
            func writer(_ side: Split) -> ShardSideWriter {
                ShardSideWriter(
                    folder: pass.folder, shard: name, side: side, tokenBytes: pass.tokenBytes,
                    vocabulary: pass.vocabulary, packers: pass.packers)
            }
            training = writer(.training)
            heldOut = writer(.heldOut)
        }

        var tokenCount: Int { training.tokenCount + heldOut.tokenCount }

        mutating func append(_ ids: [Int32], _ ends: [Int], side: Split, key: UInt64) throws {
            switch side {
            case .training: try training.append(ids: ids, sentenceEnds: ends, key: key)
            case .heldOut: try heldOut.append(ids: ids, sentenceEnds: ends, key: key)
            }
        }

        func close() throws -> (DatasetManifest.Shard, [DatasetManifest.File]) {
            let (learned, learnedFiles) = try training.close()
            let (measured, measuredFiles) = try heldOut.close()
            return (
                DatasetManifest.Shard(name: name, training: learned, heldOut: measured), learnedFiles + measuredFiles
            )
        }
    }
}
