/// How often each word occurs: an open-addressing table over one arena of bytes.
///
/// Memory is bounded: at `capacity` distinct words, those seen fewest times are forgotten (all of one count at once), which
/// the trained vocabulary can't notice unless words that rare would have made it.
struct WordCounts: Sendable {
    private struct Entry {
        /// The word's first eight bytes, with zeros after a shorter one's end.
        var prefix: UInt64
        var count: Int
        var offset: Int
        var length: UInt32
        var hash: UInt32
    }

    /// The most distinct words held.
    let capacity: Int
    private var entries: [Entry] = []
    /// An entry's hash above, its place plus one below; 0 for a free slot.
    private var slots: [UInt64]
    private var arena: [UInt8] = []

    init(capacity: Int = 1 << 22) {
        self.capacity = capacity
        slots = [UInt64](repeating: 0, count: 1 << 12)
    }

    /// The number of distinct words.
    var count: Int { entries.count }

    /// Counts `word`, which isn't empty, `times` more.
    @inline(__always)
    mutating func add(_ word: UnsafeBufferPointer<UInt8>, times: Int = 1) {
        let bytes = UnsafeRawBufferPointer(word)
        let prefix = Self.prefix(bytes)
        let hash = Self.hash(bytes, prefix)
        if let index = find(bytes, prefix, hash) {
            entries[index].count += times
        } else {
            insert(bytes, prefix, hash, times: times)
        }
    }

    /// Counts the words of `other` too.
    mutating func merge(_ other: WordCounts) {
        other.forEach { add($0, times: $1) }
    }

    /// Calls `body` with each word and its count, in the order of first sight.
    func forEach(_ body: (UnsafeBufferPointer<UInt8>, Int) throws -> Void) rethrows {
        try arena.withUnsafeBufferPointer { bytes in
            for entry in entries {
                try body(
                    UnsafeBufferPointer(rebasing: bytes[entry.offset..<entry.offset + Int(entry.length)]), entry.count)
            }
        }
    }

    @inline(__always)
    private func find(_ word: UnsafeRawBufferPointer, _ prefix: UInt64, _ hash: UInt32) -> Int? {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 {
            if UInt32(truncatingIfNeeded: slots[slot] >> 32) == hash {
                let index = Int(UInt32(truncatingIfNeeded: slots[slot])) - 1
                let entry = entries[index]
                if entry.prefix == prefix, Int(entry.length) == word.count,
                    word.count <= 8 || hasTail(word, at: entry.offset)
                {
                    return index
                }
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private func hasTail(_ word: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        arena.withUnsafeBytes { arena in
            arena[offset + 8..<offset + word.count].elementsEqual(word[8...])
        }
    }

    @inline(never)
    private mutating func insert(_ word: UnsafeRawBufferPointer, _ prefix: UInt64, _ hash: UInt32, times: Int) {
        if entries.count >= capacity { forgetRarest() }
        if entries.count * 2 >= slots.count { rehash(slots.count * 2) }
        entries.append(
            Entry(prefix: prefix, count: times, offset: arena.count, length: UInt32(word.count), hash: hash))
        arena.append(contentsOf: word)
        enter(entries.count - 1)
    }

    private mutating func enter(_ index: Int) {
        let hash = entries[index].hash
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = UInt64(hash) << 32 | UInt64(index + 1)
    }

    private mutating func rehash(_ size: Int) {
        slots = [UInt64](repeating: 0, count: size)
        for index in entries.indices { enter(index) }
    }

    private mutating func forgetRarest() {
        var least = 1
        while entries.count > capacity / 2 {
            var kept: [Entry] = []
            var keptArena: [UInt8] = []
            for entry in entries where entry.count > least {
                var moved = entry
                moved.offset = keptArena.count
                keptArena.append(contentsOf: arena[entry.offset..<entry.offset + Int(entry.length)])
                kept.append(moved)
            }
            entries = kept
            arena = keptArena
            least *= 2
        }
        rehash(slots.count)
    }

    /// The first eight bytes, with zeros after the end.
    @inline(__always)
    private static func prefix(_ word: UnsafeRawBufferPointer) -> UInt64 {
        func load<Value: FixedWidthInteger>(_ offset: Int, _: Value.Type) -> UInt64 {
            UInt64(truncatingIfNeeded: Value(littleEndian: word.loadUnaligned(fromByteOffset: offset, as: Value.self)))
        }
        let count = word.count
        // Two loads that overlap, so that nothing is read beyond the end.
        if count >= 8 { return load(0, UInt64.self) }
        if count >= 4 { return load(0, UInt32.self) | load(count - 4, UInt32.self) << UInt64(8 * (count - 4)) }
        if count >= 2 { return load(0, UInt16.self) | load(count - 2, UInt16.self) << UInt64(8 * (count - 2)) }
        return count == 1 ? UInt64(word[0]) : 0
    }

    @inline(__always)
    private static func hash(_ word: UnsafeRawBufferPointer, _ prefix: UInt64) -> UInt32 {
        var hash = (prefix ^ UInt64(word.count)) &* 0x9e37_79b9_7f4a_7c15
        var offset = 8
        while offset < word.count {
            let rest = UnsafeRawBufferPointer(rebasing: word[offset...])
            hash = (hash ^ hash >> 32 ^ Self.prefix(rest)) &* 0x9e37_79b9_7f4a_7c15
            offset += 8
        }
        return UInt32(truncatingIfNeeded: hash >> 32)
    }
}
