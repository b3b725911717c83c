import Jobs

/// Chooses the positions to predict and what stands there instead (Devlin et al. 2019, section 3.1).
struct Masking: Sendable {
    /// The share of tokens predicted.
    let share: Double
    private let maskID: Int32
    /// The ids that a random replacement is drawn from: every entry but the special ones.
    private let replacements: [Int32]
    private let special: Set<Int32>

    init(share: Double, vocabulary: Vocabulary) {
        self.share = share
        maskID = vocabulary.maskID
        replacements = (0..<Int32(vocabulary.count)).filter { !vocabulary.isSpecial($0) }
        special = [vocabulary.paddingID, vocabulary.classifierID, vocabulary.separatorID]
    }

    /// Masks `ids` in place; returns the positions, ascending, and the ids that stood there.
    ///
    /// As in Google's `create_pretraining_data.py`: `[CLS]` and `[SEP]` are never chosen; of the rest, the share of the
    /// sequence's length rounded, at least one and at most `limit`; of these 80 % become `[MASK]`, 10 % a random entry,
    /// 10 % stay.
    func apply(
        to ids: inout [Int32], limit: Int, random: inout CounterRandom
    ) -> (positions: [Int32], labels: [Int32]) {
        var candidates = ids.indices.filter { !special.contains(ids[$0]) }.map { Int32($0) }
        let wanted = Int((Double(ids.count) * share).rounded(.toNearestOrEven))
        let count = min(limit, max(1, wanted), candidates.count)
        for place in 0..<count {
            candidates.swapAt(place, place + random.nextIndex(below: candidates.count - place))
        }
        let positions = candidates[..<count].sorted()
        let labels = positions.map { ids[Int($0)] }
        for position in positions {
            let draw = random.nextUnit()
            if draw < 0.8 {
                ids[Int(position)] = maskID
            } else if draw < 0.9, !replacements.isEmpty {
                ids[Int(position)] = replacements[random.nextIndex(below: replacements.count)]
            }
        }
        return (positions, labels)
    }
}
