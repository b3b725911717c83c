import Digests
import Jobs

/// Makes a manifest of finished shards.
struct DatasetAssembly {
    let request: DatasetRequest
    let requestDigest: String
    let vocabulary: Vocabulary
    let tokenBytes: Int
    let records: [ShardRecord]
    /// Where the shards are.
    let folder: String

    /// The manifest. Throws `.tooFewDocuments` where a side can't make examples.
    func manifest() throws -> DatasetManifest {
        var training = emptySide
        var heldOut = emptySide
        for record in records {
            training.add(record.shard.training)
            heldOut.add(record.shard.heldOut)
        }
        // A random next segment needs another document of the same side.
        let needed = request.settings.examples.nextSentence ? 2 : 1
        for (split, side) in [(Split.training, training), (.heldOut, heldOut)] {
            guard side.counts.documents >= needed else {
                throw CorpusError.tooFewDocuments(split: split, found: side.counts.documents, needed: needed)
            }
            for examples in side.examples where examples.count >= 1 << 31 {
                throw CorpusError.badSetting(
                    name: "examples", found: "\(examples.count)", allowed: "fewer than 2147483648")
            }
        }
        let contents = vocabulary.fileContents
        let vocabularyFile = contents.withUnsafeBytes {
            DatasetManifest.File(name: Dataset.vocabularyName, bytes: $0.count, digest: SHA256.hexadecimal(of: $0))
        }
        let isSynthetic = if case .synthetic = request.text { true } else { false }
        return DatasetManifest(
            requestDigest: requestDigest, isSynthetic: isSynthetic, settings: request.settings,
            sources: records.flatMap { $0.sources ?? [] }, origin: request.origin, vocabularySize: vocabulary.count,
            vocabularyDigest: vocabularyFile.digest, tokenBytes: tokenBytes, training: training, heldOut: heldOut,
            mostFrequentToken: try mostFrequentToken(training.counts, heldOut.counts),
            shards: records.map(\.shard).filter { !$0.isEmpty },
            files: (records.flatMap(\.files) + [vocabularyFile]).sorted { $0.name < $1.name })
    }

    private var emptySide: DatasetManifest.ShardSide {
        DatasetManifest.ShardSide(
            examples: request.settings.sequences.map {
                DatasetManifest.Examples(sequence: $0, count: 0, randomPairs: 0)
            })
    }

    /// The most frequent token of the training text; of equals, the one of the lowest id.
    private func mostFrequentToken(
        _ training: DatasetManifest.Counts, _ heldOut: DatasetManifest.Counts
    ) throws -> DatasetManifest.MostFrequentToken {
        let learned = try frequencies(.training)
        let measured = try frequencies(.heldOut)
        var best = 0
        for id in learned.indices where learned[id] > learned[best] { best = id }
        func share(_ frequency: Int, _ tokens: Int) -> Double { tokens == 0 ? 0 : Double(frequency) / Double(tokens) }
        return DatasetManifest.MostFrequentToken(
            id: Int32(best), token: vocabulary.tokens[best], trainingShare: share(learned[best], training.tokens),
            heldOutShare: share(measured[best], heldOut.tokens))
    }

    private func frequencies(_ side: Split) throws -> [Int] {
        var sums = [Int](repeating: 0, count: vocabulary.count)
        for record in records where record.shard[side].counts.documents > 0 {
            let name = ShardPart.frequencies.fileName(shard: record.shard.name, side: side)
            let file = try MappedFile(path: folder + "/" + name)
            for id in sums.indices { sums[id] += Int(file.element(id, as: UInt32.self) ?? 0) }
        }
        return sums
    }
}

extension DatasetManifest.Shard {
    /// Whether it has no documents at all.
    var isEmpty: Bool { training.counts.documents == 0 && heldOut.counts.documents == 0 }
}
