import Jobs

/// Where an example's text lies: 16 bytes in an index file.
struct ExampleEntry: Equatable, Sendable {
    /// The document, by its number in the shard.
    var document: UInt32
    /// Its first sentence, counted from the document's first.
    var firstSentence: UInt32
    /// Sentences of segment A.
    var sentencesA: UInt16
    /// Sentences of segment B that follow A; 0 where B comes from another document, or there is none.
    var sentencesB: UInt16
    /// The tokens that both segments together aim at.
    var target: UInt16
    /// Whether B comes from another document.
    var isRandomNext: Bool

    static let size = 16

    /// The entry as words of an index file.
    var words: [UInt32] {
        [
            document, firstSentence, UInt32(sentencesA) | UInt32(sentencesB) << 16,
            UInt32(target) | (isRandomNext ? 1 << 16 : 0),
        ]
    }

    init(document: Int, firstSentence: Int, sentencesA: Int, sentencesB: Int, target: Int, isRandomNext: Bool) {
        self.document = UInt32(document)
        self.firstSentence = UInt32(firstSentence)
        self.sentencesA = UInt16(sentencesA)
        self.sentencesB = UInt16(sentencesB)
        self.target = UInt16(target)
        self.isRandomNext = isRandomNext
    }

    init(words: (UInt32, UInt32, UInt32, UInt32)) {
        document = words.0
        firstSentence = words.1
        sentencesA = UInt16(truncatingIfNeeded: words.2)
        sentencesB = UInt16(truncatingIfNeeded: words.2 >> 16)
        target = UInt16(truncatingIfNeeded: words.3)
        isRandomNext = words.3 >> 16 & 1 == 1
    }
}

/// Packs a document's sentences into examples, as `create_instances_from_document` of Google's
/// `create_pretraining_data.py` does; which tokens of a random next segment follow is drawn when the example is read.
struct ExamplePacker {
    let sequence: Int
    let settings: ExampleSettings
    let seed: UInt64

    /// Tokens of a sequence beside `[CLS]` and the `[SEP]`s.
    var room: Int { sequence - (settings.nextSentence ? 3 : 2) }

    /// Calls `body` with each example of document `document`, whose sentences have `lengths` tokens; `key` is the
    /// document's own under the seed.
    func pack(document: Int, key: UInt64, lengths: [Int], _ body: (ExampleEntry) throws -> Void) rethrows {
        // The tag keeps this stream apart from those that reading draws from, whose last word is an example's number.
        var random = CounterRandom(
            seed: seed, purpose: .sentencePairs, step: key, example: 0x8000_0000 | UInt32(sequence))
        var target = room
        if Double(random.nextUnit()) < settings.shortSequenceShare {
            target = 2 + random.nextIndex(below: max(1, room - 1))
        }
        var first = 0
        var length = 0
        var next = 0
        while next < lengths.count {
            length += lengths[next]
            next += 1
            guard next == lengths.count || length >= target else { continue }
            let count = next - first
            guard settings.nextSentence else {
                try body(
                    ExampleEntry(
                        document: document, firstSentence: first, sentencesA: count, sentencesB: 0, target: target,
                        isRandomNext: false))
                first = next
                length = 0
                continue
            }
            let countA = count >= 2 ? 1 + random.nextIndex(below: count - 1) : 1
            let isRandom = count == 1 || random.nextUnit() < 0.5
            try body(
                ExampleEntry(
                    document: document, firstSentence: first, sentencesA: countA,
                    sentencesB: isRandom ? 0 : count - countA, target: target, isRandomNext: isRandom))
            // Sentences that a random segment took the place of are used again.
            if isRandom { next = first + countA }
            first = next
            length = 0
        }
    }
}
