import Jobs

/// What one synthetic abstract is about: a value for every slot, drawn once, so that its sentences speak of the same things.
struct Facts {
    private var values: [String: String] = [:]

    /// Draws the entities from `topic` and numbers that fit `finding`.
    init(topic: Lexicon.Topic, finding: Lexicon.Finding, random: inout CounterRandom) {
        for (slot, second) in [
            ("class", nil), ("drug", "drug2"), ("target", "target2"), ("pathway", nil), ("disease", "disease2"),
            ("cell", "cell2"), ("marker", nil), ("harm", nil), ("endpoint", "endpoint2"),
        ] as [(String, String?)] {
            var list = topic.values[slot] ?? []
            guard !list.isEmpty else { continue }
            values[slot] = list.remove(at: random.nextIndex(below: list.count))
            if let second { values[second] = list.isEmpty ? values[slot] : list[random.nextIndex(below: list.count)] }
        }
        drawCounts(&random)
        drawEffects(&random)
        let isMouse = random.nextUnit() < 0.6
        values["animal"] = isMouse ? "mouse" : "rat"
        values["animals"] = isMouse ? "mice" : "rats"
        let strains = isMouse ? ["Male C57BL/6 mice", "Female BALB/c mice"] : ["Wistar rats", "Sprague-Dawley rats"]
        values["strain"] = strains[random.nextIndex(below: 2)]
        values["variant"] = Self.variant(&random)
    }

    /// The names of all slots that have a value, and `a`.
    var slots: Set<String> { Set(values.keys).union(["a"]) }

    private mutating func drawCounts(_ random: inout CounterRandom) {
        func whole(_ range: ClosedRange<Int>) -> Int { range.lowerBound + random.nextIndex(below: range.count) }
        let half = whole(16...420)
        let other = max(12, half + whole(0...24) - 12)
        values["n"] = String(half + other)
        values["n1"] = String(half)
        values["n2"] = String(other)
        values["nsmall"] = String(whole(5...14))
        values["dose"] = String([5, 10, 20, 25, 40, 50, 75, 80, 100, 150, 200, 300, 400, 500][whole(0...13)])
        values["weeks"] = String([2, 4, 6, 8, 12, 16, 24, 26, 36, 48, 52][whole(0...10)])
        values["months"] = String([3, 6, 9, 12, 18, 24, 30, 36, 48, 60][whole(0...9)])
        values["hours"] = String([6, 12, 24, 48, 72][whole(0...4)])
        values["age"] = String(whole(18...81))
        values["centres"] = String(whole(3...64))
        values["reps"] = ["three", "four", "five", "six"][whole(0...3)]
        values["few"] = String(whole(3...19))
        values["fewer"] = ["two", "three", "four", "five"][whole(0...3)]
        values["yearsago"] = String(whole(2...15))
        values["studies"] = ["Nine", "Eleven", "Twelve", "Fourteen", "Seventeen", "Twenty-two"][whole(0...5)]
        let year = whole(1994...2016)
        values["year1"] = String(year)
        values["year2"] = String(year + whole(3...7))
        values["conc"] = String([1, 2, 5, 10, 20, 50][whole(0...5)])
        values["ic"] = String(whole(3...240))
        values["i2"] = String(whole(0...78))
    }

    private mutating func drawEffects(_ random: inout CounterRandom) {
        func whole(_ range: ClosedRange<Int>) -> Int { range.lowerBound + random.nextIndex(below: range.count) }
        func hundredths(_ value: Int) -> String {
            let rest = String(value % 100)
            return "\(value / 100)." + (rest.count == 1 ? "0" + rest : rest)
        }
        let lower = whole(12...48)
        values["pct1"] = String(lower + whole(9...36))
        values["pct2"] = String(lower)
        values["pctsame"] = String(lower + whole(0...4) - 2)
        values["pctfew"] = String(whole(1...9))
        values["psmall"] = ["0.001", "0.002", "0.004", "0.01", "0.02", "0.03"][whole(0...5)]
        values["pbig"] = "0." + String(whole(11...94))
        let ratio = whole(42...78)
        values["hr"] = hundredths(ratio)
        values["lo"] = hundredths(ratio - whole(8...20))
        values["hi"] = hundredths(min(98, ratio + whole(8...20)))
        let null = whole(92...108)
        values["hrnull"] = hundredths(null)
        values["lonull"] = hundredths(null - whole(12...25))
        values["hinull"] = hundredths(null + whole(12...25))
        let odds = whole(140...380)
        values["or"] = hundredths(odds)
        values["orlo"] = hundredths(odds - whole(20...38))
        values["orhi"] = hundredths(odds + whole(25...90))
        values["corr"] = hundredths(whole(41...88))
        values["corrnull"] = hundredths(whole(2...14))
        values["fold"] = "\(whole(2...8)).\(whole(1...9))"
        let area = whole(76...94)
        values["auc"] = hundredths(area)
        values["auclo"] = hundredths(area - whole(3...8))
        values["auchi"] = hundredths(min(99, area + whole(2...5)))
        values["aucnull"] = hundredths(whole(49...58))
        values["sens"] = String(whole(71...96))
        values["spec"] = String(whole(68...95))
    }

    /// A protein change such as V600E.
    private static func variant(_ random: inout CounterRandom) -> String {
        let residues = Array("ACDEFGHIKLMNPQRSTVWY")
        let from = residues[random.nextIndex(below: residues.count)]
        var to = from
        while to == from { to = residues[random.nextIndex(below: residues.count)] }
        return "\(from)\(12 + random.nextIndex(below: 860))\(to)"
    }

    /// The sentence that `template` makes of these facts, with a capital at its start.
    func sentence(_ template: SentenceTemplate, random: inout CounterRandom) -> String {
        var text = ""
        write(template.pieces, to: &text, random: &random)
        text = Self.withArticles(text)
        guard let first = text.first else { return text }
        // Names such as blaKPC and rpoB keep their small letter.
        let opening = text.prefix { $0 != " " }
        if opening.dropFirst().contains(where: \.isUppercase) { return text }
        return first.uppercased() + text.dropFirst()
    }

    private func write(_ pieces: [SentenceTemplate.Piece], to text: inout String, random: inout CounterRandom) {
        for piece in pieces {
            switch piece {
            case .text(let words): text += words
            case .slot("a"): text += Self.article
            case .slot(let name): text += values[name] ?? "{\(name)}"
            case .choice(let options):
                write(options[random.nextIndex(below: options.count)], to: &text, random: &random)
            }
        }
    }

    private static let article = "\u{1}"

    /// Puts "a" or "an" where an article was left open, by the sound of the next word's first letter.
    private static func withArticles(_ text: String) -> String {
        guard text.contains(article) else { return text }
        var result = ""
        var parts = text.components(article)
        result += parts.removeFirst()
        for part in parts {
            let word = part.drop { $0 == " " }.prefix { $0 != " " }
            let isInitialism = word.dropFirst().first?.isUppercase ?? false
            let sounds = isInitialism ? "AEFHILMNORSX" : "aeioAEIO"
            result += (word.first.map { sounds.contains($0) } ?? false) ? "an" : "a"
            result += part
        }
        return result
    }
}

extension String {
    /// The parts between occurrences of `separator`, empty ones too.
    fileprivate func components(_ separator: String) -> [Substring] {
        split(separator: separator, omittingEmptySubsequences: false)
    }
}
