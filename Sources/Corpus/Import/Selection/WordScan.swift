import Jobs

/// What the words of a document are, as hashes: for duplicates, for queries, for lengths. A word is a run of letters and
/// digits, ASCII capitals as small letters; all bytes of other scripts count as letters.
struct WordScan {
    /// Words of a shingle: the unit in which near duplicates overlap, as in Lee et al. 2022, "Deduplicating Training Data
    /// Makes Language Models Better", section 4.2.
    static let shingleWords = 5

    /// Number of words.
    private(set) var count = 0
    /// 128 bits that name the sequence of words.
    private(set) var digest: (UInt64, UInt64) = (0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344)
    /// For each query, which of its words were met.
    private(set) var queryHits: [UInt64]

    private let queryWords: [UInt64: [(query: Int, word: Int)]]
    private var window: [UInt64] = []

    /// A scan that looks for `queries`.
    init(queries: QueryWords) {
        queryWords = queries.places
        queryHits = Array(repeating: 0, count: queries.masks.count)
    }

    /// Forgets what was scanned.
    mutating func reset() {
        count = 0
        digest = (0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344)
        for index in queryHits.indices { queryHits[index] = 0 }
        window.removeAll(keepingCapacity: true)
    }

    /// Adds the words of `bytes`; calls `shingle` with the hash of each run of five words.
    mutating func add(_ bytes: UnsafeRawBufferPointer, shingle: (UInt64) -> Void) {
        Self.forEachWord(bytes) { word in
            count += 1
            digest.0 = Self.mix(digest.0 ^ word)
            digest.1 = Self.mix(digest.1 &+ word &* 0x9e37_79b9_7f4a_7c15)
            if !queryWords.isEmpty, let places = queryWords[word] {
                for place in places { queryHits[place.query] |= 1 << UInt64(place.word) }
            }
            // A ring of the last words; which is the oldest follows from the count.
            if window.count < Self.shingleWords {
                window.append(word)
            } else {
                window[(count - 1) % Self.shingleWords] = word
            }
            if count >= Self.shingleWords { shingle(shingleHash) }
        }
    }

    /// The hash of the last words, oldest first; of all there are where they are fewer than five.
    var shingleHash: UInt64 {
        var hash: UInt64 = 0
        let length = window.count
        let first = length < Self.shingleWords ? 0 : count % Self.shingleWords
        for offset in 0..<length {
            let place = first + offset < length ? first + offset : first + offset - length
            hash = (hash &+ window[place]) &* 0xd6e8_feb8_6659_fd93
            hash ^= hash >> 32
        }
        return Self.mix(hash)
    }

    /// Calls `body` with the hash of each word.
    @inline(__always)
    static func forEachWord(_ bytes: UnsafeRawBufferPointer, _ body: (UInt64) -> Void) {
        var hash: UInt64 = 0
        for byte in bytes {
            let small = byte | 0x20
            let isWord = small &- 0x61 < 26 || byte &- 0x30 < 10 || byte >= 0x80
            if isWord {
                // Digits have that bit already.
                hash = (hash &+ UInt64(byte < 0x80 ? small : byte) &+ 1) &* 0x9e37_79b9_7f4a_7c15
                hash ^= hash >> 29
            } else if hash != 0 {
                body(mix(hash))
                hash = 0
            }
        }
        if hash != 0 { body(mix(hash)) }
    }

    /// The finaliser of MurmurHash3: every bit of the result depends on every bit of `value`.
    @inline(__always)
    static func mix(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ value >> 33) &* 0xff51_afd7_ed55_8ccd
        value = (value ^ value >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return value ^ value >> 33
    }
}

/// The words of the queries of an import. A document matches a query if it has all of its words.
struct QueryWords {
    /// More words than any query needs; so that a word is a bit.
    static let most = 64

    /// For each word's hash, the queries that have it and its place there.
    private(set) var places: [UInt64: [(query: Int, word: Int)]] = [:]
    /// For each query a bit for each of its words.
    private(set) var masks: [UInt64] = []

    init(_ queries: [String]) {
        for (number, query) in queries.enumerated() {
            var words: [UInt64] = []
            Array(query.utf8).withUnsafeBytes { bytes in
                WordScan.forEachWord(bytes) { if !words.contains($0), words.count < Self.most { words.append($0) } }
            }
            for (place, word) in words.enumerated() { places[word, default: []].append((number, place)) }
            masks.append(words.count == 64 ? .max : (1 << UInt64(words.count)) - 1)
        }
    }

    /// The number of words of `query`.
    static func count(in query: String) -> Int {
        var count = 0
        Array(query.utf8).withUnsafeBytes { WordScan.forEachWord($0) { _ in count += 1 } }
        return count
    }

    /// Whether all words of one of the queries were met, or there are no queries.
    func match(_ hits: [UInt64]) -> Bool { masks.isEmpty || zip(masks, hits).contains { $0 == $1 } }
}
