/// Words spelled in ids, one after the other.
struct SpelledWords {
    /// The ids of all words.
    var symbols: [Int32] = []
    /// Where each word begins; a word ends where the next begins.
    var starts: [Int] = [0]
    /// How often each word occurs.
    var counts: [Int] = []
}

/// The counts of all adjacent pairs of spelled words, and the merging of a pair everywhere, with counts kept up to date by
/// what each merge changes (Sennrich et al. 2016, with the priority queue of Hugging Face's `BpeTrainer`).
struct PairMerger {
    private struct Record {
        var pair: IDPair
        var count: Int
        /// The newest node of the list of words that held the pair when it was counted; one may be named twice, or hold
        /// it no more.
        var words: UInt32 = 0
        /// The word of that node.
        var lastWord: UInt32 = .max
        /// The merge that last raised the count.
        var raisedBy: Int32 = -1
    }

    /// A node of a list of words; node 0 ends every list.
    private struct Node {
        var word: UInt32
        var next: UInt32
    }

    private var words: SpelledWords
    private var lengths: [Int32]
    private let minimumCount: Int
    private var records: [Record] = []
    private var table: PairTable
    private var nodes = [Node(word: 0, next: 0)]
    private var freeNode: UInt32 = 0
    private var queue = PairQueue()
    private var merges: Int32 = 0
    private var raised: [Int32] = []

    /// - Parameter minimumCount: pairs below this count are never handed out.
    init(words: SpelledWords, minimumCount: Int) {
        self.words = words
        self.minimumCount = max(1, minimumCount)
        lengths = words.counts.indices.map { Int32(words.starts[$0 + 1] - words.starts[$0]) }
        table = PairTable(capacity: words.counts.count)
        for word in words.counts.indices {
            for place in words.starts[word]..<max(words.starts[word], words.starts[word + 1] - 1) {
                raise(
                    IDPair(left: words.symbols[place], right: words.symbols[place + 1]), by: words.counts[word],
                    word: UInt32(word))
            }
        }
        for record in records { push(record) }
        raised.removeAll()
    }

    /// The pair to merge next, or nil where none is frequent enough.
    mutating func mostFrequentPair() -> IDPair? {
        while let top = queue.pop() {
            let pair = IDPair(left: top.left, right: top.right)
            let place = table.place(of: pair)
            guard place >= 0 else { continue }
            let count = records[Int(place)].count
            if count == top.count { return pair }
            // The count fell since it was queued; it comes again at its new place.
            push(records[Int(place)])
        }
        return nil
    }

    /// Replaces `pair` by `id` in every word.
    mutating func merge(_ pair: IDPair, into id: Int32) {
        let place = table.place(of: pair)
        guard place >= 0 else { return }
        merges += 1
        raised.removeAll(keepingCapacity: true)
        var node = records[Int(place)].words
        records[Int(place)].words = 0
        records[Int(place)].lastWord = .max
        records[Int(place)].count = 0
        while node != 0 {
            let held = nodes[Int(node)]
            nodes[Int(node)].next = freeNode
            freeNode = node
            merge(pair, into: id, inWord: held.word)
            node = held.next
        }
        for place in raised { push(records[Int(place)]) }
    }

    private mutating func merge(_ pair: IDPair, into id: Int32, inWord word: UInt32) {
        let start = words.starts[Int(word)]
        let length = Int(lengths[Int(word)])
        let times = words.counts[Int(word)]
        var read = 0
        var write = 0
        while read < length {
            let symbol = words.symbols[start + read]
            guard symbol == pair.left, read + 1 < length, words.symbols[start + read + 1] == pair.right else {
                words.symbols[start + write] = symbol
                read += 1
                write += 1
                continue
            }
            if write > 0 {
                let before = words.symbols[start + write - 1]
                lower(IDPair(left: before, right: pair.left), by: times)
                raise(IDPair(left: before, right: id), by: times, word: word)
            }
            if read + 2 < length {
                let after = words.symbols[start + read + 2]
                lower(IDPair(left: pair.right, right: after), by: times)
                raise(IDPair(left: id, right: after), by: times, word: word)
            }
            words.symbols[start + write] = id
            read += 2
            write += 1
        }
        lengths[Int(word)] = Int32(write)
    }

    private mutating func lower(_ pair: IDPair, by amount: Int) {
        let place = table.place(of: pair)
        if place >= 0 { records[Int(place)].count -= amount }
    }

    private mutating func raise(_ pair: IDPair, by amount: Int, word: UInt32) {
        var place = table.place(of: pair)
        if place < 0 {
            place = Int32(records.count)
            table.insert(pair, place: place)
            records.append(Record(pair: pair, count: 0))
        }
        let index = Int(place)
        records[index].count += amount
        if records[index].raisedBy != merges {
            records[index].raisedBy = merges
            raised.append(place)
        }
        guard records[index].lastWord != word else { return }
        records[index].lastWord = word
        records[index].words = node(word, before: records[index].words)
    }

    private mutating func node(_ word: UInt32, before next: UInt32) -> UInt32 {
        let node = Node(word: word, next: next)
        guard freeNode != 0 else {
            nodes.append(node)
            return UInt32(nodes.count - 1)
        }
        let place = freeNode
        freeNode = nodes[Int(place)].next
        nodes[Int(place)] = node
        return place
    }

    private mutating func push(_ record: Record) {
        guard record.count >= minimumCount else { return }
        queue.push(PairQueue.Item(count: record.count, left: record.pair.left, right: record.pair.right))
    }
}
