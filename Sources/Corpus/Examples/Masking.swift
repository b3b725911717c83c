import Jobs

/// Chooses the positions to predict and what stands there instead (Devlin et al. 2019, section 3.1).
///
/// Of a sequence's length a share is chosen, rounded, at least one position and at most a limit; `[CLS]` and `[SEP]` never
/// are. Of what is chosen 80 % become `[MASK]`, 10 % a random entry, 10 % stay: each position by itself, but a span as a
/// whole (Joshi et al. 2020, section 3.1).
struct Masking: Sendable {
    /// The share of tokens predicted.
    let share: Double
    /// What is chosen at once.
    let kind: ExampleSettings.Masking
    let table: MaskingTable

    /// The most words of a span.
    static let longestSpan = 10
    /// The chance that a span ends after each of its words, which makes 3.8 words the mean of spans of at most 10.
    static let spanEnd = 0.2

    /// Masked positions of a sequence at most, unless a job says otherwise.
    func limit(ofSequence sequence: Int) -> Int {
        ExampleSettings(maskedShare: share).maskedPositions(ofSequence: sequence)
    }

    /// Masks `ids` in place; returns the positions, ascending, and the ids that stood there.
    func apply(
        to ids: inout [Int32], limit: Int, random: inout CounterRandom
    ) -> (positions: [Int32], labels: [Int32]) {
        let wanted = min(limit, max(1, Int((Double(ids.count) * share).rounded(.toNearestOrEven))))
        let chosen: [Range<Int>] =
            switch kind {
            case .token: tokens(of: ids, wanted, &random)
            case .wholeWord: words(of: ids, wanted, &random)
            case .span: spans(of: ids, wanted, &random)
            }
        var positions: [Int32] = []
        var labels: [Int32] = []
        positions.reserveCapacity(wanted)
        labels.reserveCapacity(wanted)
        for range in chosen.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            var draw: Float = 0
            for position in range {
                if kind != .span || position == range.lowerBound { draw = random.nextUnit() }
                positions.append(Int32(position))
                labels.append(ids[position])
                if draw < 0.8 {
                    ids[position] = table.maskID
                } else if draw < 0.9, !table.replacements.isEmpty {
                    ids[position] = table.replacements[random.nextIndex(below: table.replacements.count)]
                }
            }
        }
        return (positions, labels)
    }

    /// Single positions, as in Google's `create_pretraining_data.py`.
    private func tokens(of ids: [Int32], _ wanted: Int, _ random: inout CounterRandom) -> [Range<Int>] {
        var candidates: [Int32] = []
        candidates.reserveCapacity(ids.count)
        for position in ids.indices where table.isCandidate(ids[position]) { candidates.append(Int32(position)) }
        let count = min(wanted, candidates.count)
        for place in 0..<count {
            candidates.swapAt(place, place + random.nextIndex(below: candidates.count - place))
        }
        return candidates[..<count].map { Int($0)..<Int($0) + 1 }
    }

    /// Whole words in a random order, each unless it would be too much, as Google's script does with
    /// `do_whole_word_mask`; where every word is too long, pieces of the first.
    private func words(of ids: [Int32], _ wanted: Int, _ random: inout CounterRandom) -> [Range<Int>] {
        var words = words(of: ids)
        var chosen: [Range<Int>] = []
        var left = wanted
        var place = 0
        while left > 0, place < words.count {
            words.swapAt(place, place + random.nextIndex(below: words.count - place))
            if words[place].count <= left {
                chosen.append(words[place])
                left -= words[place].count
            }
            place += 1
        }
        return chosen.isEmpty ? words.prefix(1).map { $0.prefix(wanted) } : chosen
    }

    /// Runs of whole words that begin at random ones, of a length drawn from a clipped geometric distribution; a run ends
    /// early at the end of its segment, at another run, and before a word that would be too much.
    private func spans(of ids: [Int32], _ wanted: Int, _ random: inout CounterRandom) -> [Range<Int>] {
        let words = words(of: ids)
        var order = Array(words.indices)
        var isTaken = [Bool](repeating: false, count: words.count)
        var chosen: [Range<Int>] = []
        var left = wanted
        var place = 0
        while left > 0, place < order.count {
            order.swapAt(place, place + random.nextIndex(below: order.count - place))
            let first = order[place]
            place += 1
            let length = Self.spanLength(&random)
            var span = words[first].lowerBound..<words[first].lowerBound
            var word = first
            while word < words.count, word - first < length, !isTaken[word], words[word].lowerBound == span.upperBound,
                words[word].count <= left
            {
                span = span.lowerBound..<words[word].upperBound
                left -= words[word].count
                isTaken[word] = true
                word += 1
            }
            if !span.isEmpty { chosen.append(span) }
        }
        return chosen.isEmpty ? words.prefix(1).map { $0.prefix(wanted) } : chosen
    }

    private static func spanLength(_ random: inout CounterRandom) -> Int {
        var length = 1
        // Longer ones are drawn again, not cut, so that the longest isn't favoured.
        while Double(random.nextUnit()) >= spanEnd {
            length += 1
            if length > longestSpan { length = 1 }
        }
        return length
    }

    /// The words of a sequence: a piece that may be chosen and the `##` pieces right after it.
    private func words(of ids: [Int32]) -> [Range<Int>] {
        var words: [Range<Int>] = []
        words.reserveCapacity(ids.count)
        for (position, id) in ids.enumerated() where table.isCandidate(id) {
            if table.isContinuation(id), let last = words.last, last.upperBound == position {
                words[words.count - 1] = last.lowerBound..<position + 1
            } else {
                words.append(position..<position + 1)
            }
        }
        return words
    }
}
