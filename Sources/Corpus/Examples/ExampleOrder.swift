import Jobs

/// A seeded permutation of `0..<count` that is computed, not stored: any place in O(1), no repeats, none left out.
///
/// A Feistel network permutes the next power of four; places that fall outside are walked on until they fall inside
/// (Black and Rogaway 2002, "Ciphers with arbitrary finite domains").
package struct ExampleOrder: Sendable {
    private static let rounds = 6
    private let count: UInt64
    private let halfBits: UInt64
    private let halfMask: UInt64
    private var keys: [UInt32] = []

    /// The order of `count` examples, at least one, of `sequence` tokens in `epoch`.
    package init(count: Int, seed: UInt64, epoch: UInt64, sequence: Int) {
        self.count = UInt64(count)
        var bits: UInt64 = 1
        while UInt64(1) << (2 * bits) < UInt64(count) { bits += 1 }
        halfBits = bits
        halfMask = UInt64(1) << bits - 1
        var random = CounterRandom(
            seed: seed, purpose: .exampleOrder, step: epoch, example: UInt32(truncatingIfNeeded: sequence))
        for _ in 0..<Self.rounds { keys.append(random.nextWord()) }
    }

    /// The example at `place`, which is below the count.
    package func number(at place: Int) -> Int {
        var value = UInt64(place)
        repeat {
            var left = value >> halfBits
            var right = value & halfMask
            for key in keys { (left, right) = (right, left ^ Self.mix(right, key) & halfMask) }
            value = left << halfBits | right
        } while value >= count
        return Int(value)
    }

    /// The finaliser of MurmurHash3 over half and key.
    private static func mix(_ half: UInt64, _ key: UInt32) -> UInt64 {
        var hash = (half ^ UInt64(key) << 32 ^ UInt64(key)) &* 0xff51_afd7_ed55_8ccd
        hash ^= hash >> 33
        hash = hash &* 0xc4ce_b9fe_1a85_ec53
        return hash ^ hash >> 33
    }
}
