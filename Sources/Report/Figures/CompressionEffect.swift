import Jobs
import Runs

/// What compressing gradients did to the loss: a run beside one of the same job that compressed them otherwise, or not at
/// all, at equal steps. Differences are the run's value less the reference's; losses are in nats.
public struct CompressionEffect: Sendable, Encodable {
    /// The run, and the one that it is compared with.
    public var runId: String
    public var referenceRunId: String
    /// How each compressed gradients; nil for not at all.
    public var kind: String?
    public var referenceKind: String?
    /// Steps that both have made, from the first on.
    public var stepsCompared: Int
    /// The training loss: the mean over these steps.
    public var meanLossDifferenceNats: Double?
    /// The training loss: the mean over the last tenth of these steps.
    public var lastSteps: Int
    public var lastLossDifferenceNats: Double?
    /// Steps after which both measured held-out text for the last time, and what they found.
    public var heldOutSteps: Int?
    public var heldOutMlmLossDifferenceNats: Double?
    public var heldOutMlmAccuracyDifference: Double?

    /// The effect on `run` beside `reference`; nil where their jobs differ in more than compression, or not in that, or they
    /// have no step in common.
    init?(_ run: RunRecord, beside reference: RunRecord) {
        let (mine, other) = (run.run.job, reference.run.job)
        guard mine.compression != other.compression, mine.withoutCompression == other.withoutCompression,
            run.run.corpus?.digest == reference.run.corpus?.digest
        else { return nil }
        let differences = zip(run.steps, reference.steps).prefix { $0.step == $1.step }.map { $0.loss - $1.loss }
        guard !differences.isEmpty else { return nil }
        runId = run.run.id.text
        referenceRunId = reference.run.id.text
        kind = mine.compression?.name
        referenceKind = other.compression?.name
        stepsCompared = differences.count
        func mean(_ values: some Collection<Double>) -> Double? { finite(values.reduce(0, +) / Double(values.count)) }
        meanLossDifferenceNats = mean(differences)
        lastSteps = max(1, differences.count / 10)
        lastLossDifferenceNats = mean(differences.suffix(lastSteps))
        let measured = Dictionary(reference.evaluations.map { ($0.stepsMade, $0) }) { $1 }
        guard let last = run.evaluations.last(where: { measured[$0.stepsMade] != nil }),
            let there = measured[last.stepsMade]
        else { return }
        heldOutSteps = last.stepsMade
        heldOutMlmLossDifferenceNats = finite(last.maskedLoss - there.maskedLoss)
        heldOutMlmAccuracyDifference = finite(last.maskedAccuracy - there.maskedAccuracy)
    }

    /// The effects on all of `runs` that compressed gradients, each beside the first run that did not.
    static func all(of runs: [RunRecord]) -> [CompressionEffect] {
        let references = runs.filter { $0.run.job.compression == nil }
        return runs.filter { $0.run.job.compression != nil }.compactMap { run in
            references.lazy.compactMap { CompressionEffect(run, beside: $0) }.first
        }
    }

    /// In words, with the JSON Pointer `key` to this effect.
    func phrase(_ key: String) -> Phrase {
        let loss: Phrase = """
            over \(Double(stepsCompared), .count, key + "/steps_compared") equal steps the training loss differs by \
            \(meanLossDifferenceNats, .signedNats, key + "/mean_loss_difference_nats") nats on average, over the last \
            \(Double(lastSteps), .count, key + "/last_steps") by \
            \(lastLossDifferenceNats, .signedNats, key + "/last_loss_difference_nats") nats
            """
        guard let heldOutSteps else { return loss + "." }
        return loss
            + """
            ; after \(Double(heldOutSteps), .count, key + "/held_out_steps") steps the held-out MLM loss differs by \
            \(heldOutMlmLossDifferenceNats, .signedNats, key + "/held_out_mlm_loss_difference_nats") nats.
            """
    }
}

extension ComparisonReport {
    /// What compressing gradients saved each run that did, and what it did to the loss, a sentence or two each.
    var compressionPhrases: [Phrase] {
        runs.enumerated().compactMap { index, run in
            guard let figures = run.compression else { return nil }
            let saving: Phrase =
                "\(run.label): \(phrase: figures.phrase("/runs/\(index)/compression", over: run.transport))."
            guard let place = compression.firstIndex(where: { $0.runId == run.runId }) else { return saving }
            let effect = compression[place]
            let reference = runs.first { $0.runId == effect.referenceRunId }?.label ?? effect.referenceRunId
            return saving + " Beside \(reference), \(phrase: effect.phrase("/compression/\(place)"))"
        }
    }
}

extension Job {
    /// The job without how gradients are compressed, and without what can't change its bits.
    fileprivate var withoutCompression: Job {
        var job = withoutPlaces
        job.compression = nil
        return job
    }
}
