import BERT
import Corpus
import Foundation
import Testing
import Training

@Suite("Evaluation on text")
struct CorpusEvaluationTests {
    @Test("an untrained model knows nothing: its loss is that of a uniform guess, its pairs are coin flips")
    func untrained() throws {
        let folder = try TemporaryFolder()
        let model = try model(in: folder)
        let result = try CorpusEvaluation.run(model: model, corpus: [try text(in: folder)], threads: 2)
        #expect(result.sequence == 32)
        #expect(result.documents == 60)
        #expect(result.sequences > 20)
        #expect(result.maskedTokens > result.sequences)
        let uniform = log(Double(Sample.vocabularySize))
        #expect(abs(result.mlmLoss.value - uniform) < 0.2)
        #expect(result.mlmPerplexity.value == exp(result.mlmLoss.value))
        #expect(abs(try #require(result.nspLoss).value - log(2)) < 0.05)
        for share in [result.mlmAccuracy, try #require(result.nspAccuracy)] {
            #expect(0 <= share.low && share.low <= share.value && share.value <= share.high && share.high <= 1)
        }
        #expect(result.baselineAccuracy > 0 && result.baselineAccuracy < 1)
    }

    @Test("the result depends on the seed, not on the threads")
    func threads() throws {
        let folder = try TemporaryFolder()
        let (model, text) = (try model(in: folder), try text(in: folder))
        let one = try CorpusEvaluation.run(model: model, corpus: [text], seed: 5, threads: 1)
        #expect(try CorpusEvaluation.run(model: model, corpus: [text], seed: 5, threads: 3) == one)
        #expect(try CorpusEvaluation.run(model: model, corpus: [text], seed: 6, threads: 1) != one)
    }

    @Test("a part of the sequences is measured where fewer are asked for, and nothing stays behind")
    func fewer() throws {
        let folder = try TemporaryFolder()
        let result = try CorpusEvaluation.run(
            model: try model(in: folder), corpus: [try text(in: folder)], sequence: 24, sequences: 20, threads: 1)
        #expect(result.sequences == 20)
        #expect(result.sequence == 24)
    }

    @Test("a model without the next-sentence head has no figures of it")
    func withoutPairs() throws {
        let folder = try TemporaryFolder()
        let model = try model(in: folder, nextSentence: false)
        let result = try CorpusEvaluation.run(model: model, corpus: [try text(in: folder)], sequences: 8, threads: 1)
        #expect(result.nspLoss == nil && result.nspAccuracy == nil)
    }

    @Test("text of a few documents, long sequences and a vocabulary larger than the model's are refused in one line")
    func refusals() throws {
        let folder = try TemporaryFolder()
        let (model, text) = (try model(in: folder), try text(in: folder))
        func refusal(_ corpus: String, sequence: Int? = nil) throws -> String {
            try #require(throws: TrainingError.self) {
                _ = try CorpusEvaluation.run(model: model, corpus: [corpus], sequence: sequence, threads: 1)
            }.description
        }
        #expect(try refusal(try self.text(in: folder, documents: 1)).contains("too few documents"))
        #expect(try refusal(text, sequence: 33).contains("8 to the model's 32"))
        let vocabulary = URL(filePath: model + "/vocab.txt")
        try Data(try String(contentsOf: vocabulary, encoding: .utf8).utf8 + Data("more\n".utf8)).write(to: vocabulary)
        let tooLarge = try #require(throws: ModelFileError.self) {
            _ = try CorpusEvaluation.run(model: model, corpus: [text], threads: 1)
        }
        #expect(tooLarge.description.contains("201 lines"))
        try FileManager.default.removeItem(at: vocabulary)
        let missing = try #require(throws: CorpusError.self) {
            _ = try CorpusEvaluation.run(model: model, corpus: [text], threads: 1)
        }
        #expect(missing.description.contains("vocab.txt"))
    }

    @Test("a caller who asks to end is heard")
    func cancelled() throws {
        let folder = try TemporaryFolder()
        let (model, text) = (try model(in: folder), try text(in: folder))
        #expect(throws: CancellationError.self) {
            _ = try CorpusEvaluation.run(model: model, corpus: [text], threads: 1, isCancelled: { true })
        }
    }

    /// The ratio 12 / 24; deviations from it are 1, -1, 0 and 0, so the standard error is sqrt(4 / 3 * 2) / 24; Student's
    /// quantile for 3 degrees of freedom is 3.182.
    @Test("an interval is that of the ratio of sums over groups")
    func interval() {
        let estimate = Estimate(sums: [(4, 6), (2, 6), (3, 6), (3, 6)])
        let width = 3.182 * (4.0 / 3 * 2).squareRoot() / 24
        #expect(estimate.value == 0.5)
        #expect(abs(estimate.low - (0.5 - width)) < 0.01 * width)
        #expect(abs(estimate.high - (0.5 + width)) < 0.01 * width)
        #expect(Estimate(sums: [(1, 2)]).high == .infinity)
    }

    // MARK: Inputs

    /// A model folder of untrained weights whose vocabulary spells any lower-case word.
    private func model(in folder: TemporaryFolder, nextSentence: Bool = true) throws -> String {
        let letters = (UInt8(ascii: "a")...UInt8(ascii: "z")).map { String(UnicodeScalar($0)) }
        var vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "."] + letters + letters.map { "##\($0)" }
        vocabulary += (vocabulary.count..<Sample.vocabularySize).map { "word\($0)" }
        let path = folder.path + "/model"
        try Sample.trainer(Sample.job(nextSentence: nextSentence)).exportModel(to: path, vocabulary: vocabulary)
        return path
    }

    /// A text file of documents of three short sentences.
    private func text(in folder: TemporaryFolder, documents: Int = 60) throws -> String {
        let path = folder.path + "/text-\(documents).txt"
        let nouns = ["cat", "gene", "cell", "dog", "pea"]
        let lines = (0..<documents).map { number in
            (0..<3).map { "the \(nouns[(number + $0) % 5]) saw a \(nouns[(number / 5 + $0) % 5]) .\n" }.joined()
        }
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: path))
        return path
    }
}
