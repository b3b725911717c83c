/// Finds the name that a mistyped one was meant to be.
public enum NearestName {
    /// The candidate closest to `name`, if one is close enough to be meant; the first of equals.
    ///
    /// Case, dashes and underscores count for nothing; otherwise up to a third of the letters may differ.
    public static func suggestion(for name: String, among candidates: [String]) -> String? {
        let plain = folded(name)
        guard !plain.isEmpty, plain.count <= 64 else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let other = folded(candidate)
            let distance = distance(plain, other)
            guard distance <= max(1, min(plain.count, other.count) / 3) else { continue }
            if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
        }
        return best?.name
    }

    private static func folded(_ name: String) -> [Character] {
        Array(name.lowercased()).filter { $0 != "_" && $0 != "-" && $0 != " " }
    }

    /// Damerau-Levenshtein distance with adjacent transpositions (optimal string alignment).
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
        var twoAgo: [Int] = []
        var previous = Array(0...right.count)
        for i in 1...left.count {
            var current = [i] + Array(repeating: 0, count: right.count)
            for j in 1...right.count {
                let cost = left[i - 1] == right[j - 1] ? 0 : 1
                current[j] = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost)
                if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
                    current[j] = min(current[j], twoAgo[j - 2] + 1)
                }
            }
            twoAgo = previous
            previous = current
        }
        return previous[right.count]
    }
}
