import Jobs
import Runs

/// Something that a reader must know to read the figures right.
public struct Note: Sendable, Encodable {
    /// What kind of thing: the key by which programs know it.
    public enum Kind: String, Sendable, Encodable {
        case syntheticText = "synthetic_text"
        case hostClock = "host_clock"
        case notFinished = "not_finished"
        case targetMissed = "target_missed"
        case differentJobs = "different_jobs"
        case differentMachines = "different_machines"
        case bitsDiffer = "bits_differ"
        case sparse
        case activationZeros = "activation_zeros"
        case compressed
        case stepsDrift = "steps_drift"
    }

    /// What kind of thing.
    public var kind: Kind
    /// A few words.
    public var title: String
    /// In full.
    public var text: Phrase
    /// Whether it is a reason to distrust the answer.
    public var isWarning: Bool

    static func all(_ facts: AnswerFacts) -> [Note] {
        unfinished(facts) + differences(facts) + missedTargets(facts) + syntheticText(facts) + methods(facts)
            + drifts(facts) + clocks(facts)
    }

    private static func unfinished(_ facts: AnswerFacts) -> [Note] {
        facts.runs.filter { $0.state != "finished" }.map { run in
            Note(
                kind: .notFinished, title: "\(run.label): \(run.state)",
                text: "\(run.failure ?? "The run has no final figures; what it recorded is shown.")",
                isWarning: run.state == "failed")
        }
    }

    private static func differences(_ facts: AnswerFacts) -> [Note] {
        var notes: [Note] = []
        if !facts.isOneJobButForSeeds {
            notes.append(
                Note(
                    kind: .differentJobs, title: "Different jobs",
                    text:
                        "The runs trained different jobs. Times are shown side by side, but no ratio is made of them.",
                    isWarning: true))
        }
        if facts.identity.contains(where: { $0.bitIdentical == false }) {
            notes.append(
                Note(
                    kind: .bitsDiffer, title: "The bits differ",
                    text: "The same job should give the same bits on every backend. It did not, so the runs did not "
                        + "do the same work: read their times with care, and report this as a fault.",
                    isWarning: true))
        }
        return notes
    }

    private static func missedTargets(_ facts: AnswerFacts) -> [Note] {
        guard facts.job.target != nil, facts.isOneJobButForSeeds else { return [] }
        return facts.runs.filter { $0.state == "finished" && $0.timeToTargetHostSeconds == nil }.map { run in
            Note(
                kind: .targetMissed, title: "\(run.label): target missed",
                text: "The run made all its steps without meeting the job's target.", isWarning: true)
        }
    }

    private static func syntheticText(_ facts: AnswerFacts) -> [Note] {
        guard facts.runs.contains(where: { $0.corpus?.isSynthetic == true }) || facts.job.text == "synthetic" else {
            return []
        }
        return [
            Note(
                kind: .syntheticText, title: "Synthetic text",
                text: "The text was written by Wafermark’s own generator, not by people. Times are as real as on "
                    + "any text; accuracies and losses say nothing about biomedical language.",
                isWarning: false)
        ]
    }

    /// What the runs compute or send in another way than a dense network with whole gradients.
    private static func methods(_ facts: AnswerFacts) -> [Note] {
        var notes: [Note] = []
        for (index, run) in facts.runs.enumerated() {
            if let sparsity = run.sparsity {
                notes.append(
                    Note(
                        kind: .sparse, title: "\(run.label): sparse", text: sparsity.phrase("/runs/\(index)/sparsity"),
                        isWarning: false))
            }
            if let zeros = run.activationZeros {
                notes.append(
                    Note(
                        kind: .activationZeros, title: "\(run.label): ReLU’s zeros",
                        text: zeros.phrase("/runs/\(index)/activation_zeros"), isWarning: false))
            }
        }
        for run in facts.runs {
            guard let compression = run.compression else { continue }
            notes.append(
                Note(
                    kind: .compressed, title: "\(run.label): compressed gradients",
                    text: "The job compresses gradients (\(compression.kind)). The bits are those of this compression, "
                        + "on every backend; what it saved and did to the loss is told under “Quality”.",
                    isWarning: false))
        }
        return notes
    }

    private static func drifts(_ facts: AnswerFacts) -> [Note] {
        // Phases have steps of unequal work, and an emulated device holds its pace whatever the host does.
        guard facts.job.phases.count == 1 else { return [] }
        return facts.runs.filter { $0.emulation == nil }.compactMap {
            StepDrift($0.series.stepHostSeconds)?.note($0.label)
        }
    }

    private static func clocks(_ facts: AnswerFacts) -> [Note] {
        var notes: [Note] = []
        if !facts.isOneMachine {
            notes.append(
                Note(
                    kind: .differentMachines, title: "Different machines",
                    text: "The runs were made on different machines, so a difference in time may be the machine's.",
                    isWarning: true))
        }
        notes.append(
            Note(
                kind: .hostClock, title: "Host clock",
                text: "Every duration was measured on the host named under “Job and machine”, whose processor does "
                    + "the work of every backend. It tells how Wafermark’s backends run there; it is not the time of "
                    + "a GPU cluster or of a wafer.",
                isWarning: false))
        return notes
    }
}

extension Note {
    private enum CodingKeys: String, CodingKey {
        case kind, title, text, isWarning
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(title, forKey: .title)
        try container.encode(text.plain, forKey: .text)
        try container.encode(isWarning, forKey: .isWarning)
    }
}
