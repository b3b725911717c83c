import Jobs

/// Finds things that share a key, in bounded memory: the keys are gone through in several rounds, each looking at a share
/// of them, so that no more than a set number of entries is held.
struct Grouping {
    private struct Entry {
        var key: UInt64
        var item: UInt32
    }

    /// Entries held at once; 16 bytes each.
    var mostEntries = 8 << 20

    /// Calls `group` with every set of at least two items that share a key, items ascending.
    ///
    /// - Parameters:
    ///   - count: how many items there are at most.
    ///   - keys: calls its argument with each item and its key; the same ones every time.
    func forEach(
        count: Int, keys: ((_ key: UInt64, _ item: UInt32) -> Void) throws -> Void,
        group: ([UInt32]) throws -> Void
    ) throws {
        let rounds = UInt64(max(1, (count + mostEntries - 1) / mostEntries))
        var entries: [Entry] = []
        var items: [UInt32] = []
        for round in 0..<rounds {
            entries.removeAll(keepingCapacity: true)
            try keys { key, item in
                // Keys such as PubMed numbers aren't spread evenly.
                if rounds == 1 || WordScan.mix(key) % rounds == round { entries.append(Entry(key: key, item: item)) }
            }
            entries.sort { ($0.key, $0.item) < ($1.key, $1.item) }
            var start = 0
            while start < entries.count {
                var end = start + 1
                while end < entries.count, entries[end].key == entries[start].key { end += 1 }
                if end - start > 1 {
                    items.removeAll(keepingCapacity: true)
                    for entry in entries[start..<end] { items.append(entry.item) }
                    try group(items)
                }
                start = end
            }
        }
    }
}
