/// How often each word occurs: an open-addressing table over one arena of bytes.
///
/// Memory is bounded: at `capacity` distinct words, those seen fewest times are forgotten (all of one count at once), which
/// the trained vocabulary can't notice unless words that rare would have made it.
struct WordCounts {
    private struct Entry {
        var offset: Int = 0
        var length: UInt32 = 0
        var hash: UInt32 = 0
        var count: Int = 0
    }

    /// The most distinct words held.
    let capacity: Int
    private var entries: [Entry] = []
    private var slots: [UInt32]
    private var arena: [UInt8] = []
    /// Words forgotten, by distinct word.
    private(set) var forgotten = 0

    init(capacity: Int = 1 << 22) {
        self.capacity = capacity
        slots = [UInt32](repeating: 0, count: 1 << 12)
    }

    /// The number of distinct words.
    var count: Int { entries.count }

    /// Counts `word` `times` more.
    mutating func add(_ word: UnsafeBufferPointer<UInt8>, times: Int = 1) {
        let hash = Self.hash(word)
        if let index = find(word, hash) {
            entries[index].count += times
            return
        }
        if entries.count >= capacity { forgetRarest() }
        if entries.count * 2 >= slots.count { rehash(slots.count * 2) }
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        entries.append(Entry(offset: arena.count, length: UInt32(word.count), hash: hash, count: times))
        arena.append(contentsOf: word)
        slots[slot] = UInt32(entries.count)
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

    private func find(_ word: UnsafeBufferPointer<UInt8>, _ hash: UInt32) -> Int? {
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            let entry = entries[index]
            if entry.hash == hash, Int(entry.length) == word.count {
                var place = 0
                while place < word.count, arena[entry.offset + place] == word[place] { place += 1 }
                if place == word.count { return index }
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private mutating func rehash(_ size: Int) {
        slots = [UInt32](repeating: 0, count: size)
        for (index, entry) in entries.enumerated() {
            var slot = Int(entry.hash) & (size - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = UInt32(index + 1)
        }
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
            forgotten += entries.count - kept.count
            entries = kept
            arena = keptArena
            least *= 2
        }
        rehash(slots.count)
    }

    private static func hash(_ word: UnsafeBufferPointer<UInt8>) -> UInt32 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in word { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
    }
}
