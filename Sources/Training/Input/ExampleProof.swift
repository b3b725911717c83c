import Corpus
import Jobs

/// What the examples of a run's steps must add up to, worked out from the dataset and the job alone: every example once in
/// each whole pass, whatever the order, and in a last, partial one those that the seeded order puts first.
public struct ExampleProof: Hashable, Sendable {
    /// Examples that the steps use, over all sequence lengths.
    public var examples: Int
    /// Whole passes through the examples of the shortest-lived sequence length.
    public var wholePasses: Int
    /// The sum, modulo 2^64, of `ExampleChecksum` over them.
    public var checksum: UInt64

    /// What the first `steps` steps of `job` use of `dataset`.
    ///
    /// - Throws: `CorpusError` where the dataset has no examples of a length that the job needs.
    public init(of job: Job, steps: Int, dataset: Dataset) throws {
        var used: [Int: Int] = [:]
        var left = steps
        for phase in job.phases where left > 0 {
            let made = min(left, phase.steps)
            used[phase.sequence, default: 0] += made * phase.globalBatch
            left -= made
        }
        examples = used.values.reduce(0, +)
        wholePasses = Int.max
        checksum = 0
        for (sequence, positions) in used {
            let count = dataset.exampleCount(sequence: sequence, split: .training)
            guard count > 0 else { throw CorpusError.noSuchExample(number: 0, count: 0) }
            let (passes, rest) = positions.quotientAndRemainder(dividingBy: count)
            wholePasses = min(wholePasses, passes)
            checksum &+= UInt64(passes) &* ExampleChecksum.epoch(count: count, sequence: sequence)
            for position in positions - rest..<positions {
                let (number, _) = try dataset.number(at: UInt64(position), sequence: sequence, seed: job.seed)
                checksum &+= ExampleChecksum.of(number: number, sequence: sequence)
            }
        }
        if used.isEmpty { wholePasses = 0 }
    }
}
