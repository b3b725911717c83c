import BERT
import Jobs

/// Where a trainer's examples come from: a prepared dataset, or numbers made up for a test or a measurement.
///
/// Every method is a pure function of its arguments, may be called from any thread, and gives equal batches in every process.
public protocol StepSource: Sendable {
    /// Identifies the examples: two sources of one digest give equal batches.
    var digest: String { get }
    /// The vocabulary that the examples' numbers refer to.
    var vocabularySize: Int { get }
    /// The examples `examples` (numbers within the global batch) of a training step.
    func trainingBatch(of step: StepPlan, examples: Range<Int>) throws -> TokenBatch
    /// The held-out examples `examples` at a sequence length; numbers beyond those that exist are left out.
    func evaluationBatch(sequence: Int, maskedPositions: Int, examples: Range<Int>) throws -> TokenBatch
}

/// Random numbers in the place of text: the work of a step without a corpus, for measurements and tests.
public struct RandomStepSource: StepSource {
    public let vocabularySize: Int
    private let seed: UInt64
    private let isRagged: Bool
    private let nextSentence: Bool

    /// - Parameters:
    ///   - vocabularySize: token numbers are drawn from `0..<vocabularySize`.
    ///   - seed: of the numbers.
    ///   - isRagged: whether sequences have different lengths and numbers of masked positions; otherwise all are full.
    ///   - nextSentence: whether next-sentence labels are made.
    public init(vocabularySize: Int, seed: UInt64 = 1, isRagged: Bool = false, nextSentence: Bool = true) {
        self.vocabularySize = vocabularySize
        self.seed = seed
        self.isRagged = isRagged
        self.nextSentence = nextSentence
    }

    public var digest: String { "random-\(vocabularySize)-\(seed)-\(isRagged)" }

    public func trainingBatch(of step: StepPlan, examples: Range<Int>) throws -> TokenBatch {
        batch(
            sequence: step.phase.sequence, maskedPositions: step.phase.maskedPositions, step: UInt64(step.step.index),
            examples: examples)
    }

    public func evaluationBatch(sequence: Int, maskedPositions: Int, examples: Range<Int>) throws -> TokenBatch {
        batch(sequence: sequence, maskedPositions: maskedPositions, step: UInt64.max, examples: examples)
    }

    private func batch(sequence: Int, maskedPositions: Int, step: UInt64, examples: Range<Int>) -> TokenBatch {
        var builder = TokenBatchBuilder(sequenceLength: sequence, capacity: examples.count)
        for example in examples {
            var random = CounterRandom(seed: seed, purpose: .syntheticText, step: step, example: UInt32(example))
            let length = isRagged ? max(4, sequence / 2 + random.nextIndex(below: sequence / 2 + 1)) : sequence
            let ids = (0..<length).map { _ in Int32(random.nextIndex(below: vocabularySize)) }
            let split = random.nextIndex(below: length)
            let wanted = min(length, isRagged ? 1 + random.nextIndex(below: maskedPositions) : maskedPositions)
            var masked: Set<Int32> = []
            while masked.count < wanted { masked.insert(Int32(random.nextIndex(below: length))) }
            builder.append(
                inputIDs: ids, tokenTypes: (0..<length).map { $0 < split ? 0 : 1 }, maskedPositions: masked.sorted(),
                maskedLabels: masked.map { _ in Int32(random.nextIndex(below: vocabularySize)) },
                nextSentenceLabel: nextSentence ? Int32(random.nextIndex(below: 2)) : nil)
        }
        return builder.batch
    }
}
