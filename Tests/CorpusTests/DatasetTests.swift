import Corpus
import Foundation
import Jobs
import Testing

@Suite("Datasets")
struct DatasetTests {
    private static func request(
        documents: Int = 300, vocabulary: Int = 1200, sequences: [(Int, Int)] = [(64, 10), (128, 20)], seed: UInt64 = 5,
        nextSentence: Bool = true, heldOut: Double = 0.1
    ) -> DatasetRequest {
        DatasetRequest(
            corpus: CorpusSource(
                text: .synthetic(documents: documents, seed: 3), vocabulary: .trained(size: vocabulary),
                heldOut: heldOut),
            examples: ExampleSettings(nextSentence: nextSentence),
            sequenceLengths: sequences.map { DatasetRequest.SequenceLength(sequence: $0.0, maskedPositions: $0.1) },
            seed: seed)
    }

    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func dataset(_ request: DatasetRequest = request(), name: String = "data") throws -> Dataset {
        try DatasetPreparation.prepare(request, into: folder.file(name))
        return try Dataset(opening: folder.file(name))
    }

    @Test("every example has the form that BERT expects")
    func form() throws {
        let data = try dataset()
        let vocabulary = data.vocabulary
        for (sequence, masked) in [(64, 10), (128, 20)] {
            for split in Split.allCases {
                let count = data.exampleCount(sequence: sequence, split: split)
                #expect(count > 20)
                for number in 0..<count {
                    let example = try data.example(sequence: sequence, split: split, number: number, epoch: 2, seed: 9)
                    let ids = example.inputIDs
                    #expect(ids.count <= sequence && ids.count >= 5)
                    #expect(ids.first == vocabulary.classifierID && ids.last == vocabulary.separatorID)
                    #expect(ids.filter { $0 == vocabulary.separatorID }.count == 2)
                    let end = try #require(ids.firstIndex(of: vocabulary.separatorID))
                    #expect(example.tokenTypes == ids.indices.map { $0 > end ? 1 : 0 })
                    #expect(example.maskedPositions == example.maskedPositions.sorted())
                    #expect(Set(example.maskedPositions).count == example.maskedPositions.count)
                    let wanted = max(1, Int((Double(ids.count) * 0.15).rounded(.toNearestOrEven)))
                    #expect(example.maskedPositions.count == min(masked, wanted))
                    #expect(example.maskedLabels.count == example.maskedPositions.count)
                    for (position, label) in zip(example.maskedPositions, example.maskedLabels) {
                        let found = ids[Int(position)]
                        #expect(found != vocabulary.classifierID && found != vocabulary.separatorID)
                        #expect(label != vocabulary.maskID && Int(label) < vocabulary.count)
                    }
                }
            }
        }
    }

    @Test("of the masked positions 80 % hold [MASK], 10 % another entry, 10 % their own")
    func maskShares() throws {
        let data = try dataset()
        var total = 0.0
        var masked = 0.0
        var kept = 0.0
        for number in 0..<data.exampleCount(sequence: 128, split: .training) {
            for epoch in 0..<4 as Range<UInt64> {
                let example = try data.example(sequence: 128, split: .training, number: number, epoch: epoch, seed: 1)
                for (position, label) in zip(example.maskedPositions, example.maskedLabels) {
                    let found = example.inputIDs[Int(position)]
                    total += 1
                    masked += found == data.vocabulary.maskID ? 1 : 0
                    kept += found == label ? 1 : 0
                }
            }
        }
        // Three standard deviations of some 60,000 draws are below 0.005.
        #expect(abs(masked / total - 0.8) < 0.01)
        #expect(abs(kept / total - 0.1) < 0.01)
    }

    @Test("half of the pairs that could go on do, and the labels tell which")
    func pairs() throws {
        let data = try dataset()
        let examples = try #require(
            data.manifest.exampleCounts.first { $0.sequence == 128 && $0.split == .training })
        let share = Double(examples.randomPairs) / Double(examples.count)
        #expect(share > 0.5 && share < 0.7)
        let random = try (0..<examples.count).filter {
            try !data.example(sequence: 128, split: .training, number: $0, seed: 1).isNext
        }
        #expect(random.count == examples.randomPairs)
    }

    @Test("masks and random segments change with the epoch in training and stay in held-out text")
    func dynamicMasking() throws {
        let data = try dataset()
        func example(_ split: Split, _ epoch: UInt64, seed: UInt64 = 1) throws -> Example {
            try data.example(sequence: 128, split: split, number: 3, epoch: epoch, seed: seed)
        }
        #expect(try example(.training, 0) == example(.training, 0))
        #expect(try example(.training, 0) != example(.training, 1))
        #expect(try example(.training, 0) != example(.training, 0, seed: 2))
        #expect(try example(.heldOut, 0) == example(.heldOut, 1))
    }

    @Test("an epoch holds every example once, in another order each time")
    func order() throws {
        let data = try dataset()
        let count = data.exampleCount(sequence: 64, split: .training)
        func epoch(_ number: Int, seed: UInt64 = 1) throws -> [Int] {
            try (0..<count).map { place in
                let found = try data.number(at: UInt64(number * count + place), sequence: 64, seed: seed)
                #expect(found.epoch == UInt64(number))
                return found.number
            }
        }
        let first = try epoch(0)
        #expect(first.sorted() == Array(0..<count))
        #expect(try epoch(1).sorted() == Array(0..<count))
        #expect(try epoch(1) != first)
        #expect(try epoch(0, seed: 2) != first)
        #expect(first != first.sorted())
    }

    @Test("without next-sentence prediction an example is one segment")
    func singleSegments() throws {
        let data = try dataset(Self.request(nextSentence: false))
        for number in 0..<data.exampleCount(sequence: 128, split: .training) {
            let example = try data.example(sequence: 128, split: .training, number: number, seed: 1)
            #expect(example.isNext)
            #expect(example.tokenTypes.allSatisfy { $0 == 0 })
            #expect(example.inputIDs.filter { $0 == data.vocabulary.separatorID }.count == 1)
        }
    }

    @Test("the same request gives the same bytes, another seed others")
    func sameBytes() throws {
        let first = try dataset(name: "first")
        let second = try dataset(name: "second")
        let names = folder.contents
        #expect(names == ["first", "second"])
        let files = try FileManager.default.contentsOfDirectory(atPath: first.directory).sorted()
        for file in files {
            #expect(
                FileManager.default.contentsEqual(
                    atPath: first.directory + "/" + file, andPath: second.directory + "/" + file), "\(file)")
        }
        #expect(try dataset(Self.request(seed: 6), name: "third").manifest.digest != first.manifest.digest)
    }

    @Test("the manifest tells what a model that knows frequencies alone would score")
    func baseline() throws {
        let manifest = try dataset().manifest
        #expect(manifest.isSynthetic)
        #expect(manifest.vocabularySize == 1200)
        #expect(manifest.mostFrequentToken.heldOutShare > 0.02 && manifest.mostFrequentToken.heldOutShare < 0.2)
        #expect(manifest.training.documents + manifest.heldOutCounts.documents == 300)
        #expect(manifest.heldOutCounts.documents > 15)
    }

    @Test("copies of a document fall on one side of the split")
    func copiesStayTogether() throws {
        let source = SyntheticAbstracts(documents: 60, seed: 1)
        var document = TextDocument()
        var text = ""
        while try source.next(into: &document) { text += document.sentences.joined(separator: "\n") + "\n\n" }
        let path = try folder.write(text + text + text, to: "thrice.txt")
        var request = Self.request(vocabulary: 400, heldOut: 0.2)
        request.corpus.text = .files([path])
        let data = try dataset(request)
        #expect(data.manifest.heldOutCounts.documents % 3 == 0)
        #expect(data.manifest.training.documents % 3 == 0)
    }

    @Test("a folder that is there already is used again, unless it holds another dataset")
    func reuse() throws {
        let first = try dataset()
        #expect(try DatasetPreparation.prepare(Self.request(), into: first.directory) == first.manifest)
        #expect(throws: CorpusError.badDataset(path: first.directory, reason: "it holds another dataset")) {
            try DatasetPreparation.prepare(Self.request(seed: 8), into: first.directory)
        }
    }

    @Test("a full disk leaves no folder and says so", arguments: [0, 3_000, 60_000, 150_000])
    func fullDisk(space: Int) throws {
        let error = try #require(throws: CorpusError.self) {
            try DatasetPreparation.prepare(
                Self.request(), into: folder.file("data"), space: space, progress: { _ in }, isCancelled: { false })
        }
        guard case .unwritable(_, let reason) = error else {
            Issue.record("another error: \(error)")
            return
        }
        #expect(reason == "No space left on device")
        #expect(folder.contents.isEmpty)
    }

    @Test("cancelling at any moment leaves no folder", arguments: [1, 2, 3, 4, 6, 8])
    func cancelling(calls: Int) throws {
        var left = calls
        #expect(throws: CorpusError.cancelled) {
            try DatasetPreparation.prepare(
                Self.request(documents: 800), into: folder.file("data"),
                isCancelled: {
                    left -= 1
                    return left <= 0
                })
        }
        #expect(folder.contents.isEmpty)
    }

    @Test("what a killed process left is removed by the next one")
    func leftovers() throws {
        // Process ids end below 2^22 on Linux.
        let stale = folder.file(".data.partial-4194999-1")
        try FileManager.default.createDirectory(atPath: stale, withIntermediateDirectories: true)
        _ = try dataset()
        #expect(folder.contents == ["data"])
    }

    @Test("a changed, cut or missing file of the folder is named when it is opened")
    func damage() throws {
        let directory = try dataset().directory
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) where !name.hasSuffix(".tokens") {
            let path = directory + "/" + name
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            var changed = whole
            changed[whole.count / 2] ^= 0x20
            for bytes in [changed, whole.dropLast(), Data()] {
                try bytes.write(to: URL(fileURLWithPath: path))
                let error = #expect(throws: CorpusError.self, "\(name)") { _ = try Dataset(opening: directory) }
                #expect(error.map { "\($0)".contains(directory) } ?? false)
            }
            try FileManager.default.removeItem(atPath: path)
            #expect(throws: CorpusError.self, "\(name)") { try Dataset(opening: directory) }
            try whole.write(to: URL(fileURLWithPath: path))
        }
        #expect(throws: Never.self) { try Dataset(opening: directory) }
    }

    @Test("changed tokens are found by the full check, and reading them never traps")
    func damagedTokens() throws {
        let directory = try dataset().directory
        let path = directory + "/shard-00000.tokens"
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        try Data(repeating: 0xff, count: whole.count).write(to: URL(fileURLWithPath: path))
        let data = try Dataset(opening: directory)
        #expect(throws: CorpusError.self) { try data.verifyTokens() }
        #expect(throws: CorpusError.self) { try data.example(sequence: 64, split: .training, number: 0, seed: 1) }
        try whole.write(to: URL(fileURLWithPath: path))
        try Dataset(opening: directory).verifyTokens()
    }

    @Test("an example that isn't there is refused")
    func bounds() throws {
        let data = try dataset()
        let count = data.exampleCount(sequence: 64, split: .training)
        for number in [-1, count] {
            #expect(throws: CorpusError.noSuchExample(number: number, count: count)) {
                try data.example(sequence: 64, split: .training, number: number, seed: 1)
            }
        }
        #expect(throws: CorpusError.noSuchExample(number: 0, count: 0)) {
            try data.example(sequence: 32, split: .training, number: 0, seed: 1)
        }
    }

    @Test("settings outside their range are refused before anything is read")
    func settings() throws {
        for request in [
            Self.request(sequences: []), Self.request(sequences: [(4, 1)]), Self.request(sequences: [(64, 0)]),
            Self.request(heldOut: 0), Self.request(heldOut: 0.6), Self.request(documents: 1),
            Self.request(vocabulary: 3),
        ] {
            let error = #expect(throws: CorpusError.self) {
                try DatasetPreparation.prepare(request, into: folder.file("data"))
            }
            guard case .badSetting = error else {
                Issue.record("another error: \(String(describing: error))")
                continue
            }
        }
        #expect(folder.contents.isEmpty)
    }

    @Test("a vocabulary that the text can't fill is refused with the size that it can, and that size works")
    func unfillableVocabulary() throws {
        let error = try #require(throws: CorpusError.self) { try dataset(Self.request(vocabulary: 50_000)) }
        guard case .vocabularyTooLarge(asked: 50_000, let possible) = error else {
            Issue.record("another error: \(error)")
            return
        }
        #expect(try dataset(Self.request(vocabulary: possible)).vocabulary.count == possible)
    }

    @Test("the digest of a request follows the bytes of its files, not their place")
    func requestDigest() throws {
        let one = try folder.write("a b c\n\nd e f\n", to: "text.txt")
        let elsewhere = try TemporaryFolder()
        let two = try elsewhere.write("a b c\n\nd e f\n", to: "text.txt")
        func digest(_ path: String) throws -> String {
            var request = Self.request()
            request.corpus.text = .files([path])
            return try DatasetPreparation.digest(of: request)
        }
        #expect(try digest(one) == digest(two))
        let before = try digest(one)
        _ = try folder.write("a b c\n\nd e g\n", to: "text.txt")
        #expect(try digest(one) != before)
    }
}
