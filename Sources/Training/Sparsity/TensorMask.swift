import BERT
import Jobs
import Kernels

/// The mask of one tensor `[rows, columns]` while it is chosen, unit by unit of its pattern.
///
/// A unit is what is kept or masked at once: one weight, or a block of four rows. The order of units is fixed, so equal
/// weights and gradients give equal masks on every worker.
struct TensorMask {
    let rows: Int
    let columns: Int
    let pattern: SparsityPattern
    private let words: UnsafeMutablePointer<UInt64>
    private let wordsOfRow: Int

    /// The mask `[rows, columns]` at `words`.
    init(rows: Int, columns: Int, pattern: SparsityPattern, words: UnsafeMutablePointer<UInt64>) {
        (self.rows, self.columns, self.pattern, self.words) = (rows, columns, pattern, words)
        wordsOfRow = (columns + 63) / 64
    }

    /// Rows of a unit.
    private var unitRows: Int { pattern == .block4 ? 4 : 1 }
    /// Units of the tensor.
    var unitCount: Int { rows / unitRows * columns }

    /// Units that are kept at `density`: at least one.
    func keptUnits(density: Double) -> Int {
        min(unitCount, max(1, Int((density * Double(unitCount)).rounded())))
    }

    // MARK: - Choices

    /// Keeps units at random: the same for a seed and a tensor's name.
    func keepAtRandom(density: Double, seed: UInt64, name: String) {
        var random = CounterRandom(
            seed: seed, purpose: .sparsityMask, step: WeightInitialisation.stream(of: name))
        withKeys { _ in
            random.nextWord()
        } body: { keys in
            keepLargest(keys, density: density)
        }
    }

    /// Keeps the largest of the kept units by magnitude, at a smaller density.
    func prune(density: Double, weights: UnsafePointer<Float>) {
        withKeys {
            keeps($0) ? key($0, weights) : 0
        } body: { keys in
            keepLargest(keys, density: density)
        }
    }

    /// Lets the share `share` of the kept units, the smallest by magnitude, give way to those with the largest gradients.
    /// A unit that gave way can be among these again (Evci et al. 2020, algorithm 1).
    func exchange(share: Double, weights: UnsafePointer<Float>, gradient: UnsafePointer<Float>) {
        if case .nOfM(_, let group) = pattern {
            return exchangeWithinGroups(of: group, share: share, weights, gradient)
        }
        let kept = (0..<unitCount).reduce(0) { $0 + (keeps($1) ? 1 : 0) }
        let exchanged = Int(share * Double(kept))
        guard exchanged > 0 else { return }
        withKeys {
            keeps($0) ? key($0, weights) : 0
        } body: { keys in
            var survivors = LargestKeys(kept - exchanged, of: keys)
            for unit in keys.indices { set(unit, survivors.takes(keys[unit])) }
        }
        withKeys {
            keeps($0) ? 0 : key($0, gradient)
        } body: { keys in
            var grown = LargestKeys(exchanged, of: keys)
            for unit in keys.indices where grown.takes(keys[unit]) { set(unit, true) }
        }
    }

    private func keepLargest(_ keys: UnsafeBufferPointer<UInt32>, density: Double) {
        if case .nOfM(let kept, let group) = pattern {
            for start in stride(from: 0, to: keys.count, by: group) {
                for member in start..<start + group {
                    var larger = 0
                    for other in start..<start + group
                    where keys[other] > keys[member] || (keys[other] == keys[member] && other < member) {
                        larger += 1
                    }
                    set(member, larger < kept)
                }
            }
            return
        }
        var largest = LargestKeys(keptUnits(density: density), of: keys)
        for unit in keys.indices { set(unit, largest.takes(keys[unit])) }
    }

    /// In the groups whose smallest kept weight is smallest, that weight gives way to the masked one of its group with the
    /// largest gradient.
    private func exchangeWithinGroups(
        of group: Int, share: Double, _ weights: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>
    ) {
        let groups = unitCount / group
        let kept = (0..<unitCount).reduce(0) { $0 + (keeps($1) ? 1 : 0) }
        func members(_ index: Int) -> Range<Int> { index * group..<(index + 1) * group }
        func smallest(_ index: Int) -> Int? {
            members(index).filter(keeps).min { key($0, weights) < key($1, weights) }
        }
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: groups) { keys in
            for index in 0..<groups { keys[index] = smallest(index).map { .max - key($0, weights) } ?? 0 }
            var chosen = LargestKeys(min(groups, Int(share * Double(kept))), of: UnsafeBufferPointer(keys))
            for index in 0..<groups where chosen.takes(keys[index]) {
                // `min` gives the first of equal ones.
                let grown = members(index).filter { !keeps($0) }.min { key($0, gradient) > key($1, gradient) }
                guard let dropped = smallest(index), let grown else { continue }
                set(dropped, false)
                set(grown, true)
            }
        }
    }

    // MARK: - Units

    private func place(_ unit: Int) -> (row: Int, column: Int) {
        let (row, column) = unit.quotientAndRemainder(dividingBy: columns)
        return (row * unitRows, column)
    }

    private func keeps(_ unit: Int) -> Bool {
        let (row, column) = place(unit)
        return words[row * wordsOfRow + column / 64] >> UInt64(column % 64) & 1 == 1
    }

    private func set(_ unit: Int, _ keeps: Bool) {
        let (row, column) = place(unit)
        let bit = UInt64(1) << UInt64(column % 64)
        for row in row..<row + unitRows {
            if keeps {
                words[row * wordsOfRow + column / 64] |= bit
            } else {
                words[row * wordsOfRow + column / 64] &= ~bit
            }
        }
    }

    /// The unit's sum of magnitudes as a key of the same order, above that of what is left out (0).
    private func key(_ unit: Int, _ values: UnsafePointer<Float>) -> UInt32 {
        let (row, column) = place(unit)
        var sum: Float = 0
        for row in row..<row + unitRows { sum += abs(values[row * columns + column]) }
        // Magnitudes that are no numbers would sort above all others; none comes here, as the gradient's norm is checked.
        return sum.bitPattern + 1
    }

    private func withKeys(
        _ key: (Int) -> UInt32, body: (UnsafeBufferPointer<UInt32>) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: unitCount) { keys in
            for unit in 0..<unitCount { keys[unit] = key(unit) }
            body(UnsafeBufferPointer(keys))
        }
    }
}
