import BERT
import Corpus
import Jobs

/// The examples of a prepared dataset, in the job's seeded order.
public struct DatasetStepSource: StepSource {
    /// The dataset.
    public var dataset: Dataset { reader.dataset }
    private let reader: ExampleReader
    /// The seed of the order.
    private let seed: UInt64
    private let dealt = LastDealing()

    /// The examples of `dataset` as `job` orders and masks them. Throws `CorpusError.unfitDataset` where the dataset
    /// doesn't hold what the job needs.
    public init(dataset: Dataset, job: Job) throws {
        try dataset.check(sequences: job.phases.map(\.sequence), examples: job.examples)
        reader = try ExampleReader(dataset, seed: job.seed, examples: job.examples)
        seed = job.seed
    }

    /// The dataset's digest.
    public var digest: String { dataset.digest }
    /// Entries of the dataset's vocabulary.
    public var vocabularySize: Int { dataset.manifest.vocabularySize }

    /// Training examples of the step's stretch of the seeded order, dealt to the lanes by their lengths (`LaneDealing`),
    /// masked anew each epoch.
    public func trainingBatch(of step: StepPlan, examples: Range<Int>) throws -> TokenBatch {
        let sequence = step.phase.sequence
        var builder = TokenBatchBuilder(sequenceLength: sequence, capacity: examples.count)
        let dealing = try dealt.dealing(of: step) { try lengths(of: step) }
        for place in examples {
            let (number, epoch) = try number(of: step, example: dealing.examples[place])
            try append(
                number, .training, epoch: epoch, sequence: sequence, maskedPositions: step.phase.maskedPositions,
                to: &builder)
            builder.count(ExampleChecksum.of(number: number, sequence: sequence))
        }
        return builder.batch
    }

    private func number(of step: StepPlan, example: Int) throws -> (number: Int, epoch: UInt64) {
        try dataset.number(
            at: step.firstPosition + UInt64(example), sequence: step.phase.sequence, seed: seed)
    }

    /// Tokens of each example of the step's global batch.
    private func lengths(of step: StepPlan) throws -> [Int] {
        try (0..<step.phase.globalBatch).map { example in
            let (number, epoch) = try number(of: step, example: example)
            return try reader.length(sequence: step.phase.sequence, split: .training, number: number, epoch: epoch)
        }
    }

    /// Held-out examples in their own order, always masked alike.
    public func evaluationBatch(sequence: Int, maskedPositions: Int, examples: Range<Int>) throws -> TokenBatch {
        var builder = TokenBatchBuilder(sequenceLength: sequence, capacity: examples.count)
        for number in examples.clamped(to: 0..<dataset.exampleCount(sequence: sequence, split: .heldOut)) {
            try append(
                number, .heldOut, epoch: 0, sequence: sequence, maskedPositions: maskedPositions, to: &builder)
        }
        return builder.batch
    }

    private func append(
        _ number: Int, _ split: Split, epoch: UInt64, sequence: Int, maskedPositions: Int,
        to builder: inout TokenBatchBuilder
    ) throws {
        let example = try reader.example(
            sequence: sequence, split: split, number: number, epoch: epoch, maskedPositions: maskedPositions)
        builder.append(example, nextSentence: dataset.manifest.settings.examples.nextSentence)
    }
}

extension TokenBatchBuilder {
    /// Adds a dataset's example, with its next-sentence label where the model has that head.
    mutating func append(_ example: Example, nextSentence: Bool) {
        append(
            inputIDs: example.inputIDs, tokenTypes: example.tokenTypes, maskedPositions: example.maskedPositions,
            maskedLabels: example.maskedLabels, nextSentenceLabel: nextSentence ? (example.isNext ? 0 : 1) : nil)
    }
}
