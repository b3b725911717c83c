extension Answer {
    /// What repeated runs of one job give: medians with their spread, and whether they differ by more than chance.
    static func repeated(_ facts: AnswerFacts) -> Phrase {
        let isToTarget = facts.seedGroups.allSatisfy { $0.targetsMissed == 0 && $0.timeToTargetHostSeconds != nil }
        let groups = facts.seedGroups.indices.sorted {
            (time(facts.seedGroups[$0], isToTarget)?.median ?? .infinity)
                < (time(facts.seedGroups[$1], isToTarget)?.median ?? .infinity)
        }
        let key = isToTarget ? "time_to_target_host_seconds" : "training_host_seconds"
        var sentence = Phrase(stringLiteral: place(facts))
        for (number, index) in groups.enumerated() {
            let group = facts.seedGroups[index]
            let spread = time(group, isToTarget)
            let place = "/seed_groups/\(index)/\(key)"
            let deed: Phrase =
                number > 0
                ? "" : isToTarget ? facts.job.target.map { "reached \(phrase: $0.phrase) " } ?? "" : "made its steps "
            sentence =
                sentence
                    + """
                    \(number == 0 ? "" : ", ")\(facts.name(of: group)) \(phrase: deed)in \
                    \(spread?.median, .duration, place + "/median")
                    """
        }
        let counts = facts.seedGroups.map(\.runCount)
        let fewest = facts.seedGroups.indices.min { counts[$0] < counts[$1] } ?? 0
        let each = Set(counts).count == 1 ? "each" : "or more"
        let runs: Phrase = "\(Double(counts[fewest]), .count, "/seed_groups/\(String(fewest))/run_count")"
        sentence = sentence + " (host clock, medians of \(phrase: runs) runs \(each))"
        guard facts.seedComparisons.count == 1, let comparison = facts.seedComparisons.first else {
            return sentence.capitalised + "."
        }
        return sentence.capitalised + ": " + outcome(comparison, "/seed_comparisons/0", facts) + "."
    }

    private static func time(_ group: SeedGroup, _ isToTarget: Bool) -> SeedSpread? {
        isToTarget ? group.timeToTargetHostSeconds : group.trainingHostSeconds
    }

    private static func outcome(_ comparison: SeedComparison, _ key: String, _ facts: AnswerFacts) -> Phrase {
        let name = facts.seedGroups[comparison.group].backend.rawValue
        return switch comparison.verdict {
        case .noSignificantDifference: "no significant difference"
        case .faster, .slower: "the \(name) took \(comparison.ratio, .ratio, key + "/ratio") as long"
        case nil: "too few runs to tell a difference from chance"
        }
    }

    /// A sentence each comparison, with its interval.
    static func repeatedDetails(_ facts: AnswerFacts) -> [Phrase] {
        facts.seedComparisons.enumerated().map { index, comparison in
            let key = "/seed_comparisons/\(index)"
            let (group, other) = (facts.seedGroups[comparison.group], facts.seedGroups[comparison.referenceGroup])
            var sentence: Phrase =
                """
                Beside \(facts.name(of: other)), \(facts.name(of: group)) took \
                \(comparison.ratio, .ratio, key + "/ratio") as long
                """
            if let low = comparison.ratioLow, let high = comparison.ratioHigh {
                let method = comparison.method == .pairedBySeed ? "seed by seed" : "bootstrap over runs"
                sentence =
                    sentence
                        + """
                        , between \(low, .ratio, key + "/ratio_low") and \(high, .ratio, key + "/ratio_high") (95 % \
                        interval, \(method))
                        """
            }
            return sentence + ": " + outcome(comparison, key, facts) + "."
        }
    }
}

extension AnswerFacts {
    /// A group as it is called in a sentence.
    func name(of group: SeedGroup) -> String {
        let hardware = group.hardware.map { " as \($0)" } ?? ""
        return switch group.backend {
        case .wafer: "the wafer backend" + hardware
        case .cluster: "the \(group.workers)-worker cluster" + hardware
        }
    }
}
