import Corpus
import Foundation
import Jobs
import Testing

@Suite("Masking")
struct MaskingTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func dataset(_ examples: ExampleSettings = ExampleSettings()) throws -> Dataset {
        // A small vocabulary, so that many words are of several pieces.
        try DatasetPreparation.prepare(
            DatasetFixture.request(documents: 200, vocabulary: 300, sequences: [128], examples: examples),
            into: folder.file("data"))
    }

    private func examples(
        _ data: Dataset, _ settings: ExampleSettings? = nil, epochs: Range<UInt64> = 0..<1, seed: UInt64 = 1
    ) throws -> [Example] {
        let reader = try ExampleReader(data, seed: seed, examples: settings)
        return try epochs.flatMap { epoch in
            try (0..<data.exampleCount(sequence: 128, split: .training)).map {
                try reader.example(sequence: 128, split: .training, number: $0, epoch: epoch)
            }
        }
    }

    /// The words of an example before it was masked: runs of positions.
    private func words(of example: Example, _ vocabulary: Vocabulary) throws -> [Range<Int>] {
        var ids = example.inputIDs
        for (position, label) in zip(example.maskedPositions, example.maskedLabels) { ids[Int(position)] = label }
        var words: [Range<Int>] = []
        for (position, id) in ids.enumerated() where id != vocabulary.classifierID && id != vocabulary.separatorID {
            let token = try #require(vocabulary.token(id))
            if token.hasPrefix("##"), let last = words.last, last.upperBound == position {
                words[words.count - 1] = last.lowerBound..<position + 1
            } else {
                words.append(position..<position + 1)
            }
        }
        return words
    }

    @Test(
        "of the masked positions 80 % hold [MASK], 10 % another entry, 10 % their own",
        arguments: ExampleSettings.Masking.allCases)
    func shares(masking: ExampleSettings.Masking) throws {
        let data = try dataset()
        var total = 0.0
        var masked = 0.0
        var kept = 0.0
        for example in try examples(data, ExampleSettings(masking: masking), epochs: 0..<6) {
            for (position, label) in zip(example.maskedPositions, example.maskedLabels) {
                let found = example.inputIDs[Int(position)]
                total += 1
                masked += found == data.vocabulary.maskID ? 1 : 0
                kept += found == label ? 1 : 0
            }
        }
        #expect(total > 20_000)
        // Spans are drawn as a whole, some four tokens at once, so they scatter more.
        let tolerance = masking == .span ? 0.025 : 0.015
        #expect(abs(masked / total - 0.8) < tolerance)
        // One in 300 random entries is the very one that it replaces.
        #expect(abs(kept / total - 0.1) < tolerance)
    }

    @Test("whole words and spans take every piece of a word or none, and as much as tokens do")
    func wholeWords() throws {
        let data = try dataset()
        let wantedSum = try examples(data).reduce(0) { $0 + $1.maskedPositions.count }
        for masking in [ExampleSettings.Masking.wholeWord, .span] {
            var sum = 0
            for example in try examples(data, ExampleSettings(masking: masking)) {
                let chosen = Set(example.maskedPositions.map(Int.init))
                for word in try words(of: example, data.vocabulary) {
                    let taken = word.filter(chosen.contains).count
                    #expect(taken == 0 || taken == word.count)
                }
                #expect(example.maskedPositions == example.maskedPositions.sorted())
                #expect(chosen.count == example.maskedPositions.count)
                let wanted = max(1, Int((Double(example.inputIDs.count) * 0.15).rounded(.toNearestOrEven)))
                #expect(chosen.count <= wanted && chosen.count >= 1)
                sum += chosen.count
            }
            #expect(Double(sum) > 0.97 * Double(wantedSum))
        }
    }

    @Test("spans are runs of several words, of one fate, that don't cross from one segment into the other")
    func spans() throws {
        let data = try dataset()
        let separator = data.vocabulary.separatorID
        func runs(_ masking: ExampleSettings.Masking) throws -> (runs: Int, words: Int) {
            var runs = 0
            var count = 0
            for example in try examples(data, ExampleSettings(masking: masking)) {
                let chosen = Set(example.maskedPositions.map(Int.init))
                #expect(chosen.allSatisfy { example.inputIDs[$0] != separator })
                var end = -1
                for word in try words(of: example, data.vocabulary) where chosen.contains(word.lowerBound) {
                    count += 1
                    if word.lowerBound != end { runs += 1 }
                    end = word.upperBound
                }
            }
            return (runs, count)
        }
        let alone = try runs(.wholeWord)
        let together = try runs(.span)
        #expect(Double(alone.words) / Double(alone.runs) < 1.5)
        // The mean of the clipped geometric distribution is 3.8; in sequences this short, of which 15 % are few words,
        // most spans end early.
        let mean = Double(together.words) / Double(together.runs)
        #expect(mean > 1.7 && mean < 5, "\(mean)")
    }

    /// A word of its own for each number below 256.
    private static func word(_ number: Int) -> String {
        let letters = ["q", "x", "y", "z"]
        return [64, 16, 4, 1].map { letters[number / $0 % 4] }.joined()
    }

    @Test("a word that is longer than all that may be masked is masked in part")
    func longWord() throws {
        let sentence = String(repeating: "q", count: 60)
        let text = (0..<40).map { "\(sentence)\n\(Self.word($0)) q x y z a b\n" }.joined(
            separator: "\n")
        let vocabulary = try folder.write(
            (["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
                + ["q", "x", "y", "z", "a", "b"].flatMap { [$0, "##" + $0] })
                .joined(separator: "\n") + "\n", to: "vocab.txt")
        var request = DatasetFixture.request(files: [try folder.write(text, to: "text.txt")])
        request.vocabulary = .file(vocabulary)
        request.settings.examples.nextSentence = false
        let data = try DatasetPreparation.prepare(request, into: folder.file("data"))
        for masking in ExampleSettings.Masking.allCases {
            let reader = try ExampleReader(
                data, seed: 1, examples: ExampleSettings(masking: masking, nextSentence: false))
            for number in 0..<data.exampleCount(sequence: 64, split: .training) {
                let example = try reader.example(sequence: 64, split: .training, number: number)
                #expect((1...10).contains(example.maskedPositions.count))
            }
        }
    }

    @Test("masks and random segments change with the epoch in training and stay in held-out text")
    func dynamic() throws {
        let data = try dataset()
        func example(_ split: Split, _ epoch: UInt64, seed: UInt64 = 1) throws -> Example {
            try ExampleReader(data, seed: seed).example(sequence: 128, split: split, number: 3, epoch: epoch)
        }
        #expect(try example(.training, 0) == example(.training, 0))
        #expect(try example(.training, 0) != example(.training, 1))
        #expect(try example(.training, 0) != example(.training, 0, seed: 2))
        #expect(try example(.heldOut, 0) == example(.heldOut, 1))
    }

    @Test("static masks come in turn, whatever the job's seed")
    func fixed() throws {
        let data = try dataset(ExampleSettings(staticMasks: 3))
        func examples(_ epoch: UInt64, seed: UInt64 = 1) throws -> [Example] {
            try self.examples(data, epochs: epoch..<epoch + 1, seed: seed)
        }
        #expect(try examples(0) == examples(3))
        #expect(try examples(1) == examples(301))
        #expect(try examples(0) != examples(1))
        #expect(try examples(1) != examples(2))
        #expect(try examples(0) == examples(0, seed: 99))
    }

    @Test("what a dataset was made with can't be had otherwise")
    func unfit() throws {
        let data = try dataset(ExampleSettings(maskedShare: 0.2, staticMasks: 3))
        func refusal(_ change: (inout ExampleSettings) -> Void) -> String {
            var settings = data.manifest.settings.examples
            change(&settings)
            let error = #expect(throws: CorpusError.self) { try ExampleReader(data, seed: 1, examples: settings) }
            guard case .unfitDataset(_, let key, let found, let allowed) = error else {
                return "\(String(describing: error))"
            }
            return "\(key) \(found) \(allowed)"
        }
        #expect(refusal { $0.maskedShare = 0.15 } == "masked_share 0.15 0.2, as the corpus was built")
        #expect(refusal { $0.masking = .span } == "masking span token, as the corpus was built")
        #expect(refusal { $0.staticMasks = nil } == "static_masks none 3, as the corpus was built")
        #expect(refusal { $0.nextSentence = false } == "next_sentence false true, as the corpus was built")
        #expect(refusal { $0.shortSequenceShare = 0 } == "short_sequence_share 0.0 0.1, as the corpus was built")
        #expect(throws: CorpusError.self) { try data.check(sequences: [64], examples: data.manifest.settings.examples) }
    }

    @Test("an example as text tells what became of every piece")
    func text() throws {
        let data = try dataset()
        let example = try #require(try examples(data).first)
        let text = ExampleText(example, vocabulary: data.vocabulary)
        #expect(text.pieces.count == example.inputIDs.count)
        for (position, piece) in text.pieces.enumerated() {
            let isPredicted = example.maskedPositions.contains(Int32(position))
            #expect((piece.fate != .plain) == isPredicted)
            if piece.fate == .masked { #expect(example.inputIDs[position] == data.vocabulary.maskID) }
        }
        #expect(text.pieces.first?.text == "[CLS]")
    }
}
