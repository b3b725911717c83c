import BERT
import Corpus
import Foundation
import Jobs
import Kernels

/// A model's quality on text that it has not seen: the answer of `wafermark evaluate --corpus`.
public struct CorpusEvaluation: Hashable, Sendable, Codable {
    /// Share of masked tokens predicted right.
    public let mlmAccuracy: Estimate
    /// Mean cross-entropy over masked tokens, in nats.
    public let mlmLoss: Estimate
    /// e to the power of that loss.
    public let mlmPerplexity: Estimate
    /// Share of sentence pairs told right; nil without that head.
    public let nspAccuracy: Estimate?
    /// Mean cross-entropy over sentence pairs, in nats; nil without that head.
    public let nspLoss: Estimate?
    /// Share of masked tokens that always guessing the text's own most frequent token would get right.
    public let baselineAccuracy: Double
    /// Documents of the text.
    public let documents: Int
    /// Tokens of a sequence at most.
    public let sequence: Int
    /// Sequences measured.
    public let sequences: Int
    /// Masked tokens measured.
    public let maskedTokens: Int

    private static let groupSize = 8

    /// Measures the model folder `model` on the text files `corpus`: one sentence a line, a blank line between documents.
    ///
    /// All documents are used; 15 % of tokens are masked and half of the pairs are random, drawn from `seed`.
    /// - Parameters:
    ///   - sequence: tokens of a sequence; 128, or the model's positions where it has fewer, unless given.
    ///   - sequences: sequences measured at most; all unless given.
    ///   - threads: threads to compute with; the result doesn't depend on it.
    ///   - isCancelled: asked now and then; where true, `CancellationError` is thrown and nothing stays behind.
    /// - Throws: `ModelFileError`, `CorpusError`, `BERTError`; `TrainingError.plan` where model and settings don't fit.
    public static func run(
        model directory: String, corpus: [String], sequence: Int? = nil, sequences: Int? = nil, seed: UInt64 = 1,
        threads: Int, isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws -> CorpusEvaluation {
        let model = try HuggingFaceModel(reading: directory)
        let sequence = sequence ?? min(128, model.configuration.positions)
        guard sequence >= 8, sequence <= model.configuration.positions else {
            throw TrainingError.plan(
                field: "sequence", found: "\(sequence)", allowed: "8 to the model's \(model.configuration.positions)")
        }
        // Both sides of the split are measured, so how it falls doesn't matter.
        let request = DatasetRequest(
            text: .files(corpus.map { DatasetRequest.TextFile(path: $0) }),
            vocabulary: .file("\(directory)/\(HuggingFaceModel.vocabularyFile)"),
            settings: DatasetSettings(
                sequences: [sequence], heldOut: 0.5, seed: seed,
                examples: ExampleSettings(nextSentence: model.configuration.nextSentence)))
        let dataset = try prepare(request, threads: threads, isCancelled: isCancelled)
        let manifest = dataset.manifest
        var examples = Split.allCases.flatMap { split in
            (0..<dataset.exampleCount(sequence: sequence, split: split)).map { (split: split, number: $0) }
        }
        if let sequences, sequences < examples.count {
            // An even selection, so that both sides and all of the text are in it.
            examples = (0..<max(1, sequences)).map { examples[$0 * examples.count / max(1, sequences)] }
        }
        let groups = stride(from: 0, to: examples.count, by: groupSize).map {
            Array(examples[$0..<min($0 + groupSize, examples.count)])
        }
        let losses = try measure(
            groups, model: model, reader: try ExampleReader(dataset, seed: seed), sequence: sequence, threads: threads,
            isCancelled: isCancelled)
        return CorpusEvaluation(
            losses, sequence: sequence, manifest: manifest, hasNextSentence: model.configuration.nextSentence)
    }

    /// The text as a dataset that is mapped into memory and on no disk any more.
    private static func prepare(
        _ request: DatasetRequest, threads: Int, isCancelled: @escaping @Sendable () -> Bool
    ) throws -> Dataset {
        let scratch = try ScratchFolder()
        defer { scratch.remove() }
        var manner = DatasetPreparation.Manner(threads: threads)
        manner.isCancelled = isCancelled
        do {
            return try DatasetPreparation.prepare(
                request, into: scratch.path + "/dataset", manner: manner)
        } catch CorpusError.cancelled {
            throw CancellationError()
        } catch CorpusError.tooFewDocuments {
            // The sides of a split are nothing that the caller knows of.
            throw TrainingError.plan(
                field: "corpus", found: "text of too few documents to draw random pairs from",
                allowed: "a dozen documents or more, with a blank line between them")
        }
    }

    private init(_ groups: [LaneLosses], sequence: Int, manifest: DatasetManifest, hasNextSentence: Bool) {
        self.sequence = sequence
        func estimate(_ part: (LaneLosses) -> Double, _ whole: (LaneLosses) -> Int) -> Estimate {
            Estimate(sums: groups.map { (part($0), Double(whole($0))) })
        }
        mlmAccuracy = estimate({ Double($0.maskedCorrect) }, \.maskedCount).asShare
        mlmLoss = estimate(\.maskedLossSum, \.maskedCount)
        mlmPerplexity = mlmLoss.mapped(exp)
        nspAccuracy = hasNextSentence ? estimate({ Double($0.nextSentenceCorrect) }, \.sequences).asShare : nil
        nspLoss = hasNextSentence ? estimate(\.nextSentenceLossSum, \.sequences) : nil
        let frequent = manifest.mostFrequentToken
        let (training, heldOut) = (manifest.training.counts, manifest.heldOut.counts)
        baselineAccuracy =
            (frequent.trainingShare * Double(training.tokens) + frequent.heldOutShare * Double(heldOut.tokens))
            / max(1, Double(training.tokens + heldOut.tokens))
        documents = training.documents + heldOut.documents
        sequences = groups.reduce(0) { $0 + $1.sequences }
        maskedTokens = groups.reduce(0) { $0 + $1.maskedCount }
    }

    private static func measure(
        _ groups: [[(split: Split, number: Int)]], model: HuggingFaceModel, reader: ExampleReader, sequence: Int,
        threads: Int, isCancelled: @Sendable () -> Bool
    ) throws -> [LaneLosses] {
        let crew = ThreadCrew(count: max(1, min(threads, groups.count)))
        let (layout, weights) = (model.layout, model.weights)
        let capacity = LaneCapacity(
            sequences: groupSize, sequenceLength: sequence,
            maskedPositionsEach: ExampleSettings().maskedPositions(ofSequence: sequence))
        let hasNextSentence = model.configuration.nextSentence
        var losses = groups.map { _ in LaneLosses() }
        try losses.withUnsafeMutableBufferPointer { losses in
            guard let start = losses.baseAddress else { return }
            let results = Shared(start)
            try crew.run { thread in
                let engine = try LaneEngine(layout: layout, capacity: capacity)
                for index in stride(from: thread, to: groups.count, by: crew.count) {
                    if isCancelled() { throw CancellationError() }
                    var builder = TokenBatchBuilder(sequenceLength: sequence, capacity: groupSize)
                    for (split, number) in groups[index] {
                        builder.append(
                            try reader.example(sequence: sequence, split: split, number: number),
                            nextSentence: hasNextSentence)
                    }
                    results.pointer[index] = try engine.forward(
                        batch: builder.batch, parameters: UnsafePointer(weights.pointer))
                }
            }
        }
        return losses
    }
}
