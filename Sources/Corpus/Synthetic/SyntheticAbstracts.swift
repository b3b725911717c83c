import Jobs

/// Writes biomedical-style abstracts: a title and five to nine sentences from background to conclusion, as many different
/// ones as asked, each a function of the seed and its number.
///
/// The text can be learned from: an abstract takes drug, targets, diseases and findings from one topic and keeps them, its
/// numbers are of plausible size, and its conclusion agrees with its results. What it says of medicine is invented.
public final class SyntheticAbstracts: DocumentSource {
    private let count: Int
    private let seed: UInt64
    private let lexicon: Lexicon
    private var number = 0
    /// Hashes of the abstracts so far: one that came out equal to another is drawn anew.
    private var seen: Set<UInt64> = []

    /// A source of `documents` abstracts. The first `n` are the same whatever the number asked for.
    public init(documents: Int, seed: UInt64) {
        count = documents
        self.seed = seed
        lexicon = .shared
    }

    /// The share of the abstracts written so far.
    public var fractionRead: Double { count == 0 ? 1 : Double(number) / Double(count) }

    /// Puts the next abstract into `document`; false at the end.
    public func next(into document: inout TextDocument) throws -> Bool {
        document.removeAll()
        guard number < count else { return false }
        var attempt: UInt32 = 0
        repeat {
            document.removeAll()
            var random = CounterRandom(seed: seed, purpose: .syntheticText, step: UInt64(number), example: attempt)
            write(&document, &random)
            attempt += 1
        } while !seen.insert(document.contentHash).inserted && attempt < 1000
        number += 1
        return true
    }

    private func write(_ document: inout TextDocument, _ random: inout CounterRandom) {
        let topic = lexicon.topics[random.nextIndex(below: lexicon.topics.count)]
        let kind = lexicon.kinds[random.nextIndex(below: lexicon.kinds.count)]
        let finding: Lexicon.Finding = random.nextUnit() < 0.6 ? .positive : .negative
        let facts = Facts(topic: topic, finding: finding, random: &random)
        // A title, and five to nine sentences.
        let plan: [(Lexicon.Part, Int)] = [
            (.title, 1), (.background, 1 + random.nextIndex(below: 2)), (.aim, 1),
            (.methods, 1 + random.nextIndex(below: 2)), (.results, 1 + random.nextIndex(below: 3)), (.conclusion, 1),
        ]
        for (part, wanted) in plan {
            var templates = lexicon.sentences(kind: kind, part: part, finding: finding)
            for _ in 0..<min(wanted, templates.count) {
                let template = templates.remove(at: random.nextIndex(below: templates.count))
                document.append(facts.sentence(template, random: &random))
            }
        }
    }
}
