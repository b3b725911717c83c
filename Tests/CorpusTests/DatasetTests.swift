import Corpus
import Foundation
import Jobs
import Testing

@Suite("Datasets")
struct DatasetTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func dataset(_ request: DatasetRequest = DatasetFixture.request(), name: String = "data") throws -> Dataset
    {
        try DatasetPreparation.prepare(request, into: folder.file(name))
    }

    @Test("every example has the form that BERT expects")
    func form() throws {
        let data = try dataset()
        let reader = try ExampleReader(data, seed: 9)
        let vocabulary = data.vocabulary
        for sequence in [64, 128] {
            for split in Split.allCases {
                let count = data.exampleCount(sequence: sequence, split: split)
                #expect(count > 20)
                for number in 0..<count {
                    let example = try reader.example(sequence: sequence, split: split, number: number, epoch: 2)
                    let ids = example.inputIDs
                    #expect(ids.count <= sequence && ids.count >= 5)
                    #expect(
                        try reader.length(sequence: sequence, split: split, number: number, epoch: 2) == ids.count)
                    #expect(ids.first == vocabulary.classifierID && ids.last == vocabulary.separatorID)
                    #expect(ids.filter { $0 == vocabulary.separatorID }.count == 2)
                    let end = try #require(ids.firstIndex(of: vocabulary.separatorID))
                    #expect(example.tokenTypes == ids.indices.map { $0 > end ? 1 : 0 })
                    #expect(example.maskedPositions == example.maskedPositions.sorted())
                    #expect(Set(example.maskedPositions).count == example.maskedPositions.count)
                    let wanted = max(1, Int((Double(ids.count) * 0.15).rounded(.toNearestOrEven)))
                    #expect(example.maskedPositions.count == wanted)
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

    @Test("half of the pairs that could go on do, and the labels tell which")
    func pairs() throws {
        let data = try dataset()
        let examples = try #require(data.manifest.training.examples.first { $0.sequence == 128 })
        let share = Double(examples.randomPairs) / Double(examples.count)
        #expect(share > 0.5 && share < 0.7)
        let reader = try ExampleReader(data, seed: 1)
        let random = try (0..<examples.count).filter {
            try !reader.example(sequence: 128, split: .training, number: $0).isNext
        }
        #expect(random.count == examples.randomPairs)
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

    @Test("the order of any number of examples has no repeats and leaves none out", arguments: 1...40)
    func orderOfAnyCount(step: Int) {
        // All small counts, and some around powers of four, where the network's domain grows.
        for count in [step, step * step * 7, 4096 + step - 20] {
            for epoch in 0..<3 as Range<UInt64> {
                let order = ExampleOrder(count: count, seed: UInt64(step), epoch: epoch, sequence: 128)
                var isSeen = [Bool](repeating: false, count: count)
                for place in 0..<count {
                    let number = order.number(at: place)
                    #expect(number >= 0 && number < count && !isSeen[number])
                    if number < count { isSeen[number] = true }
                }
            }
        }
    }

    @Test("without next-sentence prediction an example is one segment")
    func singleSegments() throws {
        let data = try dataset(DatasetFixture.request(examples: ExampleSettings(nextSentence: false)))
        let reader = try ExampleReader(data, seed: 1)
        for number in 0..<data.exampleCount(sequence: 128, split: .training) {
            let example = try reader.example(sequence: 128, split: .training, number: number)
            #expect(example.isNext)
            #expect(example.tokenTypes.allSatisfy { $0 == 0 })
            #expect(
                try reader.length(sequence: 128, split: .training, number: number) == example.inputIDs.count)
            #expect(example.inputIDs.filter { $0 == data.vocabulary.separatorID }.count == 1)
        }
    }

    @Test("the same request gives the same bytes, another seed others")
    func sameBytes() throws {
        let first = try dataset(name: "first")
        let second = try dataset(name: "second")
        #expect(folder.contents == ["first", "second"])
        #expect(try DatasetFixture.contents(of: first.directory) == DatasetFixture.contents(of: second.directory))
        #expect(first.digest == second.digest)
        #expect(try dataset(DatasetFixture.request(seed: 6), name: "third").digest != first.digest)
    }

    @Test("the number of threads changes no byte", arguments: [1, 2, 5])
    func threads(count: Int) throws {
        let paths = try (0..<5).map { number in
            try folder.write(DatasetFixture.text(documents: 40, seed: UInt64(number)), to: "\(number).txt")
        }
        func made(_ name: String, threads: Int) throws -> Dataset {
            var manner = DatasetPreparation.Manner(threads: threads)
            // Every file is a group of its own.
            manner.groupBytes = 1
            return try DatasetPreparation.prepare(
                DatasetFixture.request(files: paths), into: folder.file(name), manner: manner)
        }
        let data = try made("data", threads: count)
        #expect(data.manifest.shards.count == 5)
        #expect(
            try DatasetFixture.contents(of: data.directory)
                == DatasetFixture.contents(of: made("one", threads: 1).directory))
    }

    @Test("the manifest tells what a model that knows frequencies alone would score, and how long the texts are")
    func baseline() throws {
        let manifest = try dataset().manifest
        #expect(manifest.isSynthetic)
        #expect(manifest.vocabularySize == 1200)
        #expect(manifest.mostFrequentToken.heldOutShare > 0.02 && manifest.mostFrequentToken.heldOutShare < 0.2)
        #expect(manifest.training.counts.documents + manifest.heldOut.counts.documents == 300)
        #expect(manifest.heldOut.counts.documents > 15)
        for counts in [manifest.training.counts, manifest.heldOut.counts] {
            #expect(counts.documentLengths.count == counts.documents)
            #expect(counts.documentLengths.sum == counts.tokens)
            #expect(counts.sentenceLengths.count == counts.sentences)
            #expect(counts.sentenceLengths.sum == counts.tokens)
            #expect(counts.sentenceLengths.least >= 1)
            #expect(counts.sentenceLengths.most <= counts.documentLengths.most)
        }
    }

    @Test("copies of a document fall on one side of the split")
    func copiesStayTogether() throws {
        let text = try DatasetFixture.text(documents: 60)
        let path = try folder.write(text + text + text, to: "thrice.txt")
        let data = try dataset(DatasetFixture.request(files: [path]))
        #expect(data.manifest.heldOut.counts.documents % 3 == 0)
        #expect(data.manifest.training.counts.documents % 3 == 0)
    }

    @Test("an example that isn't there is refused")
    func bounds() throws {
        let data = try dataset()
        let reader = try ExampleReader(data, seed: 1)
        let count = data.exampleCount(sequence: 64, split: .training)
        for number in [-1, count] {
            #expect(throws: CorpusError.noSuchExample(number: number, count: count)) {
                try reader.example(sequence: 64, split: .training, number: number)
            }
        }
        #expect(throws: CorpusError.noSuchExample(number: 0, count: 0)) {
            try reader.example(sequence: 32, split: .training, number: 0)
        }
    }

    @Test("settings outside their range are refused before anything is read")
    func settings() throws {
        for request in [
            DatasetFixture.request(sequences: []), DatasetFixture.request(sequences: [4]),
            DatasetFixture.request(sequences: [9000]), DatasetFixture.request(heldOut: 0),
            DatasetFixture.request(heldOut: 0.6), DatasetFixture.request(heldOut: .nan),
            DatasetFixture.request(documents: 1), DatasetFixture.request(vocabulary: 3),
            DatasetFixture.request(examples: ExampleSettings(maskedShare: .nan)),
            DatasetFixture.request(examples: ExampleSettings(staticMasks: 0)),
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
        let error = try #require(throws: CorpusError.self) { try dataset(DatasetFixture.request(vocabulary: 50_000)) }
        guard case .vocabularyTooLarge(asked: 50_000, let possible) = error else {
            Issue.record("another error: \(error)")
            return
        }
        #expect(try dataset(DatasetFixture.request(vocabulary: possible)).vocabulary.count == possible)
    }

    @Test("the digest of a request follows the bytes of its files, not their place")
    func requestDigest() throws {
        let one = try folder.write("a b c\n\nd e f\n", to: "text.txt")
        let elsewhere = try TemporaryFolder()
        let two = try elsewhere.write("a b c\n\nd e f\n", to: "text.txt")
        func digest(_ path: String) throws -> String {
            try DatasetPreparation.digest(of: DatasetFixture.request(files: [path]))
        }
        #expect(try digest(one) == digest(two))
        let before = try digest(one)
        _ = try folder.write("a b c\n\nd e g\n", to: "text.txt")
        #expect(try digest(one) != before)
    }

    @Test("a job that only masks otherwise shares its dataset; static masks make another")
    func sharing() throws {
        func request(_ examples: ExampleSettings) throws -> String {
            let corpus = TextCorpus(text: .synthetic(documents: 100, seed: 1), vocabulary: .trained(size: 500))
            var job = try JobFile.parse(JobExample.demo.text, name: "demo")
            job.corpus = .text(corpus)
            job.examples = examples
            return try DatasetPreparation.digest(of: DatasetRequest(corpus: corpus, for: job))
        }
        let usual = try request(ExampleSettings())
        #expect(try request(ExampleSettings(maskedShare: 0.4, masking: .span)) == usual)
        #expect(try request(ExampleSettings(staticMasks: 4)) != usual)
        #expect(
            try request(ExampleSettings(maskedShare: 0.4, staticMasks: 4)) != request(ExampleSettings(staticMasks: 4)))
        #expect(try request(ExampleSettings(nextSentence: false)) != usual)
    }
}
