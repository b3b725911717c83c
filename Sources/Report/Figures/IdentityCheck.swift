import Jobs
import Runs

/// Whether two runs of one job gave the same bits: the losses of every step, and the weights.
public struct IdentityCheck: Sendable, Encodable {
    /// The run that is compared.
    public var runId: String
    /// The run that it is compared with.
    public var referenceRunId: String
    /// Losses, step by step and bit by bit, and weights are equal; nil where the runs can't be compared.
    public var bitIdentical: Bool?
    /// Why they can't be compared, if so.
    public var obstacle: String?
    /// Steps that both have, from the first on.
    public var stepsCompared: Int
    /// Of those, steps whose loss has the same 64 bits.
    public var stepsEqual: Int
    /// The first step whose loss differs, and the two losses.
    public var firstDifferingStep: Int?
    /// The run's loss at that step.
    public var lossThereNats: Double?
    /// The reference's loss at that step.
    public var referenceLossThereNats: Double?
    /// Whether the digests of the final weights are equal; nil where a run has none.
    public var weightsEqual: Bool?

    /// Compares `run` with `reference`.
    init(_ run: RunRecord, with reference: RunRecord) {
        runId = run.run.id.text
        referenceRunId = reference.run.id.text
        var equal = 0
        var compared = 0
        for (mine, other) in zip(run.steps, reference.steps) where mine.step == other.step {
            compared += 1
            if mine.loss.bitPattern == other.loss.bitPattern {
                equal += 1
            } else if firstDifferingStep == nil {
                firstDifferingStep = mine.step.index
                lossThereNats = finite(mine.loss)
                referenceLossThereNats = finite(other.loss)
            }
        }
        stepsCompared = compared
        stepsEqual = equal
        if let digest = run.run.outcome?.weightsDigest, let other = reference.run.outcome?.weightsDigest {
            weightsEqual = digest == other
        }
        obstacle = Self.obstacle(between: run, and: reference)
        if obstacle == nil {
            let isWhole = compared == run.steps.count && compared == reference.steps.count && compared > 0
            bitIdentical = isWhole && equal == compared && weightsEqual == true
        }
    }

    /// Why the two can't be expected to give the same bits, or nil.
    private static func obstacle(between run: RunRecord, and reference: RunRecord) -> String? {
        if run.run.job.withoutPlaces != reference.run.job.withoutPlaces { return "the runs trained different jobs" }
        if let digest = run.run.corpus?.digest, let other = reference.run.corpus?.digest, digest != other {
            return "the runs read different text"
        }
        for record in [run, reference] where record.run.outcome == nil {
            return "run \(record.run.id) is \(record.run.state.name)"
        }
        if let mine = run.run.machine, let other = reference.run.machine,
            (mine.instructionSet, mine.oneDNN) != (other.instructionSet, other.oneDNN)
        {
            return "the runs used different kernels (\(mine.instructionSet), oneDNN \(mine.oneDNN) and "
                + "\(other.instructionSet), oneDNN \(other.oneDNN))"
        }
        return nil
    }
}

extension Job {
    /// The job without what can't change its bits: its name, when it is saved, and where its files lie.
    var withoutPlaces: Job {
        var job = self
        job.name = ""
        job.checkpoints = CheckpointSettings()
        // The dataset's digest, which is compared as well, covers what the files hold.
        job.corpus = job.corpus.withoutPlaces
        return job
    }
}
