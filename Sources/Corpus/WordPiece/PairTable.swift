/// Two adjacent ids.
struct IDPair: Hashable {
    var left: Int32
    var right: Int32
}

/// Which record belongs to a pair: an open-addressing table with linear probing. Pairs are never taken out.
struct PairTable {
    private var keys: [UInt64]
    private var places: [Int32]
    private var count = 0
    private var shift: UInt64

    /// Ids are below 2^31, so no pair has this key.
    private static let free = UInt64.max

    /// A table with room for about `capacity` pairs before it grows.
    init(capacity: Int) {
        var bits: UInt64 = 10
        while 1 << bits < 2 * capacity { bits += 1 }
        keys = [UInt64](repeating: Self.free, count: 1 << bits)
        places = [Int32](repeating: -1, count: 1 << bits)
        shift = 64 - bits
    }

    /// The record of `pair`; -1 for none.
    @inline(__always)
    func place(of pair: IDPair) -> Int32 {
        let key = Self.key(pair)
        var slot = slot(of: key)
        while keys[slot] != Self.free {
            if keys[slot] == key { return places[slot] }
            slot = (slot + 1) & (keys.count - 1)
        }
        return -1
    }

    /// Enters a pair that isn't there.
    mutating func insert(_ pair: IDPair, place: Int32) {
        if 2 * (count + 1) > keys.count { grow() }
        enter(Self.key(pair), place)
        count += 1
    }

    private mutating func enter(_ key: UInt64, _ place: Int32) {
        var slot = slot(of: key)
        while keys[slot] != Self.free { slot = (slot + 1) & (keys.count - 1) }
        keys[slot] = key
        places[slot] = place
    }

    private mutating func grow() {
        let (oldKeys, oldPlaces) = (keys, places)
        keys = [UInt64](repeating: Self.free, count: 2 * oldKeys.count)
        places = [Int32](repeating: -1, count: keys.count)
        shift -= 1
        for (slot, key) in oldKeys.enumerated() where key != Self.free { enter(key, oldPlaces[slot]) }
    }

    @inline(__always)
    private static func key(_ pair: IDPair) -> UInt64 {
        UInt64(UInt32(bitPattern: pair.left)) << 32 | UInt64(UInt32(bitPattern: pair.right))
    }

    /// Multiplicative hashing by the golden ratio (Knuth 1998, section 6.4).
    @inline(__always)
    private func slot(of key: UInt64) -> Int {
        Int(truncatingIfNeeded: ((key ^ key >> 29) &* 0x9e37_79b9_7f4a_7c15) >> shift)
    }
}
