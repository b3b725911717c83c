/// Words as sequences of ids, the counts of all adjacent pairs, and the merging of a pair everywhere, with counts kept up
/// to date by what each merge changes (Sennrich et al. 2016, with the priority queue of Hugging Face's `BpeTrainer`).
struct PairMerger {
    /// Two adjacent ids.
    struct Pair: Hashable {
        var left: Int32
        var right: Int32
    }

    private struct Record {
        var pair: Pair
        var count: Int
        /// Words that held the pair when it was counted; one may be named twice, or hold it no more.
        var words: [UInt32]
    }

    private var symbols: [Int32] = []
    private var starts: [Int] = []
    private var lengths: [Int32] = []
    private let wordCounts: [Int]
    private let minimumCount: Int
    private var records: [Record] = []
    private var places: [Pair: Int32] = [:]
    private var queue = PairQueue()

    /// - Parameters:
    ///   - words: each word's ids.
    ///   - wordCounts: how often each word occurs.
    ///   - minimumCount: pairs below this count are never handed out.
    init(words: [[Int32]], wordCounts: [Int], minimumCount: Int) {
        self.wordCounts = wordCounts
        self.minimumCount = max(1, minimumCount)
        for word in words {
            starts.append(symbols.count)
            lengths.append(Int32(word.count))
            symbols.append(contentsOf: word)
        }
        for word in words.indices {
            let start = starts[word]
            for place in start..<start + max(0, Int(lengths[word]) - 1) {
                change(Pair(left: symbols[place], right: symbols[place + 1]), by: wordCounts[word], word: UInt32(word))
            }
        }
        for record in records { push(record) }
    }

    /// The pair to merge next, or nil where none is frequent enough.
    mutating func mostFrequentPair() -> Pair? {
        while let top = queue.pop() {
            let pair = Pair(left: top.left, right: top.right)
            guard let place = places[pair] else { continue }
            let count = records[Int(place)].count
            if count == top.count { return pair }
            // The count fell since it was queued; it comes again at its new place.
            push(records[Int(place)])
        }
        return nil
    }

    /// Replaces `pair` by `id` in every word.
    mutating func merge(_ pair: Pair, into id: Int32) {
        guard let place = places.removeValue(forKey: pair) else { return }
        let holders = records[Int(place)].words
        records[Int(place)].words = []
        records[Int(place)].count = 0
        var risen: [Pair] = []
        for word in holders { merge(pair, into: id, inWord: word, risen: &risen) }
        for pair in Set(risen) {
            if let place = places[pair] { push(records[Int(place)]) }
        }
    }

    private mutating func merge(_ pair: Pair, into id: Int32, inWord word: UInt32, risen: inout [Pair]) {
        let start = starts[Int(word)]
        let length = Int(lengths[Int(word)])
        let times = wordCounts[Int(word)]
        var read = 0
        var write = 0
        while read < length {
            let symbol = symbols[start + read]
            guard symbol == pair.left, read + 1 < length, symbols[start + read + 1] == pair.right else {
                symbols[start + write] = symbol
                read += 1
                write += 1
                continue
            }
            if write > 0 {
                let before = symbols[start + write - 1]
                change(Pair(left: before, right: pair.left), by: -times, word: nil)
                change(Pair(left: before, right: id), by: times, word: word)
                risen.append(Pair(left: before, right: id))
            }
            if read + 2 < length {
                let after = symbols[start + read + 2]
                change(Pair(left: pair.right, right: after), by: -times, word: nil)
                change(Pair(left: id, right: after), by: times, word: word)
                risen.append(Pair(left: id, right: after))
            }
            symbols[start + write] = id
            read += 2
            write += 1
        }
        lengths[Int(word)] = Int32(write)
    }

    /// Adds to a pair's count; `word` is named where the pair is new to it.
    private mutating func change(_ pair: Pair, by amount: Int, word: UInt32?) {
        if let place = places[pair] {
            records[Int(place)].count += amount
            if let word, records[Int(place)].words.last != word { records[Int(place)].words.append(word) }
        } else if let word {
            places[pair] = Int32(records.count)
            records.append(Record(pair: pair, count: amount, words: [word]))
        }
    }

    private mutating func push(_ record: Record) {
        guard record.count >= minimumCount else { return }
        queue.push(PairQueue.Item(count: record.count, left: record.pair.left, right: record.pair.right))
    }
}

/// A binary heap: the highest count first; of equal counts, the pair of the lowest ids.
struct PairQueue {
    struct Item: Comparable {
        var count: Int
        var left: Int32
        var right: Int32
        static func < (one: Item, other: Item) -> Bool {
            if one.count != other.count { return one.count > other.count }
            return (one.left, one.right) < (other.left, other.right)
        }
    }

    private var items: [Item] = []

    mutating func push(_ item: Item) {
        items.append(item)
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard items[child] < items[parent] else { break }
            items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Item? {
        guard let top = items.first, let last = items.popLast() else { return nil }
        guard !items.isEmpty else { return top }
        items[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count && items[child] < items[least] {
                least = child
            }
            if least == parent { return top }
            items.swapAt(parent, least)
            parent = least
        }
    }
}
