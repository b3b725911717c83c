import Jobs
import Runs

/// What the answer and the notes are made from.
struct AnswerFacts {
    var runs: [RunFigures]
    var job: JobFigures
    var comparisons: [Comparison]
    var identity: [IdentityCheck]
    var seedGroups: [SeedGroup]
    var seedComparisons: [SeedComparison]
    /// The index of the run that the others are compared with.
    var reference: Int
    var isOneMachine: Bool
    var isOneJob: Bool
    /// Whether the runs trained one job, under whatever seeds.
    var isOneJobButForSeeds: Bool
    var scaling: [ModelledScaling]
    var remedies: [RemedyTable]

    /// Whether every run ended as it should.
    var areAllFinished: Bool { runs.allSatisfy { $0.state == "finished" } }

    /// The run as it is called in a sentence.
    func name(_ index: Int) -> String {
        let run = runs[index]
        let hardware = run.hardware.map { " as \($0)" } ?? ""
        let id =
            runs.filter { $0.backend == run.backend && $0.workers == run.workers }.count > 1 ? " (\(run.runId))" : ""
        switch run.backend {
        case .wafer: return "the wafer backend" + hardware + id
        case .cluster: return "the \(run.workers)-worker cluster" + hardware + id
        }
    }

    func index(of runID: String) -> Int? { runs.firstIndex { $0.runId == runID } }

    /// Whether the runs are repetitions of one job, so that the answer is one of several runs each.
    var areRepeated: Bool { isOneJobButForSeeds && !seedGroups.isEmpty }
}

/// The answer in one sentence, and what a reader asks next.
public struct Answer: Sendable, Encodable {
    /// One sentence.
    public var sentence: Phrase
    /// How sure it is, whether the bits are equal, what the quality is: a sentence each.
    public var details: [Phrase]

    private enum CodingKeys: CodingKey { case sentence, details }

    /// The sentences as plain text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(sentence.plain, forKey: .sentence)
        try container.encode(details.map(\.plain), forKey: .details)
    }

    init(_ facts: AnswerFacts) {
        if !facts.areAllFinished {
            sentence = Self.unfinished(facts)
        } else if facts.runs.count == 1 {
            sentence = Self.single(facts)
        } else if facts.areRepeated {
            sentence = Self.repeated(facts)
        } else if !facts.isOneJob {
            sentence =
                """
                These \(Double(facts.runs.count), .count, "/run_count") runs trained different jobs, so their \
                times don't compare.
                """
        } else if facts.comparisons.count < facts.runs.count - 1 {
            sentence = Self.unlike(facts)
        } else if facts.runs.count == 2 {
            sentence = Self.pair(facts)
        } else {
            sentence = Self.several(facts)
        }
        details =
            [Self.scale(facts)].compactMap { $0 }
            + (facts.areRepeated
                ? Self.repeatedDetails(facts) : [Self.certainty(facts), Self.ratios(facts)].compactMap { $0 })
            + [Self.bits(facts), Self.quality(facts), Self.remedy(facts)].compactMap { $0 }
    }

    // MARK: One sentence

    static func place(_ facts: AnswerFacts) -> String { facts.isOneMachine ? "On this machine " : "" }

    /// "reached 40 % MLM accuracy" or "made 300 steps".
    private static func deed(_ facts: AnswerFacts, _ measure: Comparison.Measure, run: Int) -> Phrase {
        if measure == .timeToTarget, let target = facts.job.target { return "reached \(phrase: target.phrase)" }
        return "made \(Double(facts.runs[run].stepsMade), .count, "/runs/\(String(run))/steps_made") steps"
    }

    private static func single(_ facts: AnswerFacts) -> Phrase {
        (Phrase(stringLiteral: place(facts)) + clause(facts, run: 0)).capitalised + "."
    }

    /// What one run did and how long it took: "the wafer backend made 300 steps in 41.2 s (host clock)".
    private static func clause(_ facts: AnswerFacts, run index: Int) -> Phrase {
        let run = facts.runs[index]
        let key = "/runs/\(index)"
        let name = Phrase(stringLiteral: facts.name(index) + " ")
        if run.timeToTargetHostSeconds != nil {
            let time: Phrase = "\(run.timeToTargetHostSeconds, .duration, key + "/time_to_target_host_seconds")"
            return name + deed(facts, .timeToTarget, run: index) + " in " + time + " (host clock)"
        }
        let time: Phrase = "\(run.trainingHostSeconds, .duration, key + "/training_host_seconds")"
        let missed: Phrase = facts.job.target.map { ", without reaching \(phrase: $0.phrase)" } ?? ""
        return name + deed(facts, .timeForSameSteps, run: index) + " in " + time + " (host clock)" + missed
    }

    /// Runs of one job that did not do the same work: each for itself, and no ratio.
    private static func unlike(_ facts: AnswerFacts) -> Phrase {
        let clauses = facts.runs.indices.map { clause(facts, run: $0) }
        let joined = clauses.dropFirst().reduce(clauses.first ?? "") { $0 + "; " + $1 }
        return (Phrase(stringLiteral: place(facts)) + joined).capitalised + ". They did not do the same work."
    }

    private static func pair(_ facts: AnswerFacts) -> Phrase {
        let comparison = facts.comparisons[0]
        guard let run = facts.index(of: comparison.runId) else { return single(facts) }
        let time = comparison.measure == .timeToTarget ? "time_to_target_host_seconds" : "training_host_seconds"
        let other = facts.reference
        let sides: Phrase =
            """
            \(facts.name(other)) \(phrase: deed(facts, comparison.measure, run: other)) in \
            \(comparison.referenceHostSeconds, .duration, "/runs/\(String(other))/\(time)"), \(facts.name(run)) \
            in \(comparison.hostSeconds, .duration, "/runs/\(String(run))/\(time)") (host clock)
            """
        let start = (Phrase(stringLiteral: place(facts)) + sides).capitalised
        return start + ": " + outcome(comparison, key: "/comparisons/0", name: facts.runs[run].shortName) + "."
    }

    /// "the cluster took 1.09× as long" or "no significant difference".
    private static func outcome(_ comparison: Comparison, key: String, name: String) -> Phrase {
        switch comparison.verdict {
        case .noSignificantDifference: "no significant difference"
        case .faster, .slower, nil:
            "the \(name) took \(comparison.ratio, .ratio, key + "/ratio") as long"
        }
    }

    private static func several(_ facts: AnswerFacts) -> Phrase {
        let isToTarget = facts.job.target != nil && facts.runs.allSatisfy { $0.timeToTargetHostSeconds != nil }
        let key = isToTarget ? "time_to_target_host_seconds" : "training_host_seconds"
        func time(_ run: RunFigures) -> Double? {
            isToTarget ? run.timeToTargetHostSeconds : run.trainingHostSeconds
        }
        let ranked = facts.runs.indices.sorted {
            (time(facts.runs[$0]) ?? .infinity) < (time(facts.runs[$1]) ?? .infinity)
        }
        guard let best = ranked.first, let worst = ranked.last, best != worst else { return single(facts) }
        let text: Phrase =
            """
            \(place(facts))\(facts.name(best)) \
            \(phrase: deed(facts, isToTarget ? .timeToTarget : .timeForSameSteps, run: best)) soonest of \
            \(Double(facts.runs.count), .count, "/run_count") runs, in \
            \(time(facts.runs[best]), .duration, "/runs/\(String(best))/\(key)"); \(facts.name(worst)) took \
            longest, \(time(facts.runs[worst]), .duration, "/runs/\(String(worst))/\(key)") (host clock).
            """
        return text.capitalised
    }

    private static func unfinished(_ facts: AnswerFacts) -> Phrase {
        let open = facts.runs.indices.filter { facts.runs[$0].state != "finished" }
        let clauses: [Phrase] = open.map { index in
            let run = facts.runs[index]
            let verb: Phrase =
                switch run.state {
                case "failed": "failed"
                case "cancelled": "was cancelled"
                case "interrupted": "was interrupted"
                default: "is still \(run.state)"
                }
            return
                """
                \(facts.name(index)) \(phrase: verb) after \
                \(Double(run.stepsMade), .count, "/runs/\(String(index))/steps_made") of \
                \(Double(run.stepsPlanned), .count, "/runs/\(String(index))/steps_planned") steps
                """
        }
        var sentence: Phrase = "There is no answer: "
        if facts.runs.count == 1 { sentence = "" }
        for (index, clause) in clauses.enumerated() {
            sentence = index == 0 ? sentence + clause : sentence + ", " + clause
        }
        return sentence.capitalised + "."
    }

    // MARK: What a reader asks next

    /// What it would be on the machines that the runs stand for.
    private static func scale(_ facts: AnswerFacts) -> Phrase? {
        facts.isOneJobButForSeeds ? facts.scaling.first?.sentence("/scaling/0") : nil
    }

    private static func certainty(_ facts: AnswerFacts) -> Phrase? {
        guard let comparison = facts.comparisons.first, facts.runs.count == 2, facts.areAllFinished else { return nil }
        guard let low = comparison.ratioLow, let high = comparison.ratioHigh else {
            return "With so few steps nothing can be said about chance."
        }
        return
            """
            By the spread of their steps the ratio is \(comparison.ratio, .ratio, "/comparisons/0/ratio"), \
            between \(low, .ratio, "/comparisons/0/ratio_low") and \(high, .ratio, "/comparisons/0/ratio_high") \
            (\(comparison.confidence, .percent, "/comparisons/0/confidence") interval). It is one run each: \
            what differs from run to run is not in it.
            """
    }

    /// With several runs: each beside the reference.
    private static func ratios(_ facts: AnswerFacts) -> Phrase? {
        guard facts.runs.count > 2, facts.areAllFinished, !facts.comparisons.isEmpty else { return nil }
        var sentence: Phrase = "Beside \(facts.name(facts.reference)): "
        for (index, comparison) in facts.comparisons.enumerated() {
            let name = facts.index(of: comparison.runId).map(facts.name) ?? comparison.runId
            let key = "/comparisons/\(index)"
            sentence = sentence + "\(index == 0 ? "" : ", ")\(name) \(comparison.ratio, .ratio, key + "/ratio")"
            if let low = comparison.ratioLow, let high = comparison.ratioHigh {
                sentence =
                    sentence + " (\(low, .ratio, key + "/ratio_low") to \(high, .ratio, key + "/ratio_high"))"
            }
        }
        return sentence + " as long. In parentheses what the spread of the steps allows; it is one run each."
    }

    private static func bits(_ facts: AnswerFacts) -> Phrase? {
        if facts.identity.count > 1, facts.identity.allSatisfy({ $0.bitIdentical == true }) {
            return "All runs are bit-identical: the same losses and the same weights, so they compare time alone."
        }
        guard facts.identity.count == 1, let check = facts.identity.first, check.bitIdentical != nil else { return nil }
        if check.bitIdentical == true {
            return
                """
                The runs are bit-identical: the same loss at each of \
                \(Double(check.stepsCompared), .count, "/identity/0/steps_compared") steps and the same \
                weights, so they compare time alone.
                """
        }
        if let step = check.firstDifferingStep {
            return
                """
                The runs are not bit-identical: their losses differ from step \
                \(Double(step), .count, "/identity/0/first_differing_step") on.
                """
        }
        return "The runs are not bit-identical: their weights differ."
    }

    /// What would shorten the first cluster's steps most.
    private static func remedy(_ facts: AnswerFacts) -> Phrase? {
        guard facts.areAllFinished, let table = facts.remedies.first, table.best != nil,
            let run = facts.index(of: table.runId)
        else { return nil }
        return table.sentence("/remedies/0", name: "What would help " + facts.name(run))
    }

    private static func quality(_ facts: AnswerFacts) -> Phrase? {
        let index = facts.reference
        let run = facts.runs[index]
        guard let accuracy = run.finalHeldOutMlmAccuracy, let baseline = run.baselineMlmAccuracy else { return nil }
        let subject = facts.runs.count > 1 ? facts.name(index).capitalisedFirst : "It"
        return
            """
            \(subject) ended at \(accuracy, .share, "/runs/\(String(index))/final_held_out_mlm_accuracy") MLM \
            accuracy on held-out text; always guessing the most frequent token gets \
            \(baseline, .share, "/runs/\(String(index))/baseline_mlm_accuracy").
            """
    }
}

extension RunFigures {
    /// `cluster` or `wafer`.
    var shortName: String { backend.rawValue }
}

extension Phrase {
    /// The sentence with a capital first letter.
    var capitalised: Phrase {
        var parts = parts.filter { $0 != .text("") }
        if case .text(let text)? = parts.first { parts[0] = .text(text.capitalisedFirst) }
        return Phrase(parts)
    }
}

extension String {
    /// The text with a capital first letter.
    var capitalisedFirst: String { prefix(1).uppercased() + dropFirst() }
}
