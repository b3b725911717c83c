import Corpus
import Foundation
import Jobs
import Testing

@Suite("A corpus folder")
struct CorpusFolderTests {
    private let folder: TemporaryFolder
    private let corpus: CorpusFolder

    init() throws {
        folder = try TemporaryFolder()
        corpus = CorpusFolder(folder.file("corpus"))
        try ImportedFolder.make(
            at: corpus.directory,
            texts: [try DatasetFixture.text(documents: 120), try DatasetFixture.text(documents: 80, seed: 2)])
    }

    private func build(
        sequences: [Int] = [64], heldOut: Double? = nil, seed: UInt64? = nil,
        examples: ExampleSettings = ExampleSettings()
    ) throws -> Dataset {
        try CorpusBuild.run(
            in: corpus, sequences: sequences, heldOut: heldOut, seed: seed, examples: examples,
            manner: DatasetPreparation.Manner())
    }

    @discardableResult
    private func learn(heldOut: Double = 0.1, seed: UInt64 = 4) throws -> CorpusVocabulary {
        try CorpusVocabulary.train(
            in: corpus, settings: VocabularyTrainer.Settings(size: 600), heldOut: heldOut, seed: seed,
            manner: DatasetPreparation.Manner())
    }

    @Test("gets a vocabulary, then a dataset that holds out what the vocabulary never saw")
    func stages() throws {
        #expect(throws: CorpusError.missingVocabulary(path: corpus.directory)) { try build() }
        #expect(try learn().size == 600)
        let data = try build(sequences: [128, 64, 128])
        #expect(data.sequences == [64, 128])
        #expect(data.manifest.settings.heldOut == 0.1)
        #expect(data.manifest.settings.seed == 4)
        #expect(data.manifest.vocabularySize == 600)
        #expect(data.manifest.sources.map(\.name) == ["00000-part.txt.gz", "00001-part.txt.gz"])
        #expect(data.manifest.sources.map(\.documents) == [120, 80])
        #expect(data.manifest.origin?.licences.map(\.note) == ["CC BY 4.0"])
        #expect(data.manifest.origin?.files.map(\.name) == ["pubmed.xml.gz"])
        #expect(try corpus.dataset().digest == data.digest)
        let summary = try CorpusSummary(of: corpus)
        #expect(summary.dataset?.sides.map(\.split) == [.training, .heldOut])
        #expect(summary.dataset?.sides.first?.examples.first.map { $0.lengths.reduce(0, +) == $0.measured } == true)
    }

    @Test("refuses a split that the vocabulary has seen through")
    func otherSplit() throws {
        try learn()
        for (share, seed) in [(0.2, UInt64?.none), (nil, 5)] as [(Double?, UInt64?)] {
            let error = #expect(throws: CorpusError.self) { try build(heldOut: share, seed: seed) }
            guard case .unfitDataset(let path, _, _, _) = error else {
                Issue.record("another error: \(String(describing: error))")
                continue
            }
            #expect(path == corpus.vocabularyPath)
        }
        // A vocabulary from elsewhere binds nothing.
        try FileManager.default.copyItem(atPath: corpus.vocabularyPath, toPath: folder.file("vocab.txt"))
        _ = try CorpusVocabulary.copy(
            folder.file("vocab.txt"), into: corpus, manner: DatasetPreparation.Manner())
        #expect(try build(heldOut: 0.2, seed: 5).manifest.settings.heldOut == 0.2)
    }

    @Test("learns the same vocabulary on any number of threads")
    func deterministicVocabulary() throws {
        let digests = try [1, 2, 4].map { threads in
            try CorpusVocabulary.train(
                in: corpus, settings: VocabularyTrainer.Settings(size: 500), heldOut: 0.1, seed: 1,
                manner: DatasetPreparation.Manner(threads: threads)
            ).digest
        }
        #expect(Set(digests).count == 1)
    }

    @Test("keeps the dataset where nothing changes, and makes it anew for other options")
    func rebuilding() throws {
        try learn()
        let first = try build()
        let date = try modificationDate(first)
        #expect(try build().digest == first.digest)
        #expect(try modificationDate(first) == date)
        #expect(try build(examples: ExampleSettings(nextSentence: false)).digest != first.digest)
    }

    private func modificationDate(_ data: Dataset) throws -> Date? {
        try FileManager.default.attributesOfItem(atPath: data.directory + "/manifest.json")[.modificationDate] as? Date
    }

    @Test("has a dataset no more once its text or vocabulary is another, and says why")
    func staleness() throws {
        try learn()
        _ = try build()
        func reason() -> String {
            do {
                _ = try corpus.dataset()
                return "none"
            } catch {
                return "\(error)"
            }
        }
        #expect(reason() == "none")
        try learn(seed: 9)
        #expect(reason().contains("vocab.txt has changed"))
        try learn()
        #expect(reason() == "none")
        try ImportedFolder.make(at: corpus.directory, texts: [try DatasetFixture.text(documents: 30, seed: 8)])
        #expect(reason().contains("imported anew"))
    }

    @Test("is checked against all digests, and every damage is named")
    func check() throws {
        try learn()
        let data = try build()
        #expect(try CorpusCheck(of: corpus).isSound)
        let files = [
            "text/00000-part.txt.gz", "records/00001-part.jsonl.gz", "vocab.txt", "dataset/training-00000-000.tokens",
            "dataset/held_out-00000-000.examples-64", "dataset/manifest.json", "dataset/vocab.txt",
        ]
        for name in files {
            let url = URL(fileURLWithPath: corpus.directory + "/" + name)
            let whole = try Data(contentsOf: url)
            var changed = whole
            changed[whole.count / 2] ^= 1
            try changed.write(to: url)
            let check = try CorpusCheck(of: corpus)
            #expect(!check.isSound, "\(name)")
            #expect(
                check.parts.flatMap(\.problems).contains { $0.contains((name as NSString).lastPathComponent) },
                "\(name)")
            try FileManager.default.removeItem(at: url)
            if name != "vocab.txt" { #expect(try !CorpusCheck(of: corpus).isSound, "\(name)") }
            try whole.write(to: url)
        }
        #expect(try CorpusCheck(of: corpus).isSound)
        #expect(try corpus.dataset().digest == data.digest)
    }

    @Test("is no corpus where nothing was imported")
    func nothing() throws {
        #expect(throws: CorpusError.badCorpus(path: folder.path, reason: "it has no corpus.json")) {
            try CorpusSummary(of: CorpusFolder(folder.path))
        }
        #expect(throws: CorpusError.self) {
            try CorpusBuild.run(
                in: CorpusFolder(folder.path), sequences: [64], examples: ExampleSettings(),
                manner: DatasetPreparation.Manner())
        }
    }
}
