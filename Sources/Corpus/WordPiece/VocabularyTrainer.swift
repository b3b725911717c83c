/// Learns a WordPiece vocabulary of exactly the size asked, as Hugging Face's `WordPieceTrainer` does: byte-pair merges
/// over counted words, with `##` before every part that doesn't begin a word.
///
/// Order of the entries: the special tokens, the letters by code point, their `##` forms by code point, then merges by
/// falling count. The most frequent pair is merged first; of pairs as frequent, the one whose parts were entered first.
/// So the result is a function of the word counts alone, in whatever order or on however many threads they were counted.
public struct VocabularyTrainer: Sendable {
    /// What shapes a vocabulary.
    public struct Settings: Hashable, Sendable {
        /// The number of entries.
        public var size: Int
        /// Pairs seen fewer times than this are not merged.
        public var minimumCount: Int
        /// The most letters; the rarest beyond are left to `[UNK]`.
        public var letterLimit: Int

        /// As `BertWordPieceTokenizer.train` unless given.
        public init(size: Int, minimumCount: Int = 2, letterLimit: Int = 1000) {
            self.size = size
            self.minimumCount = minimumCount
            self.letterLimit = letterLimit
        }
    }

    private let settings: Settings
    private var counts = WordCounts()
    private var splitter = WordSplitter()

    /// A trainer that has seen no text.
    public init(_ settings: Settings) { self.settings = settings }

    /// The number of distinct words seen.
    public var distinctWords: Int { counts.count }

    /// Counts the words of `text`, which must be valid UTF-8.
    public mutating func add(_ text: UnsafeRawBufferPointer) {
        splitter.forEachWord(of: text) { word, scalars in
            if scalars <= WordSplitter.longestWord { counts.add(word) }
        }
    }

    /// Counts the words of every sentence of `document`.
    public mutating func add(_ document: TextDocument) {
        document.bytes.withUnsafeBytes { bytes in
            for sentence in 0..<document.sentenceCount {
                add(UnsafeRawBufferPointer(rebasing: bytes[document.range(ofSentence: sentence)]))
            }
        }
    }

    /// Counts the words of `text`.
    public mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    }

    /// Counts the words that `other` has seen.
    public mutating func merge(_ other: VocabularyTrainer) { counts.merge(other.counts) }

    /// The vocabulary of the words seen.
    ///
    /// Throws `.vocabularyTooLarge` where no pair is left before the size is reached, `.vocabularyTooSmall` where the
    /// letters alone don't fit, and what `progress` throws, which is called now and then with the number of entries.
    public func train(progress: (_ entries: Int) throws -> Void = { _ in }) throws -> Vocabulary {
        var pieces = PieceTable(counts: counts, letterLimit: settings.letterLimit)
        guard pieces.count <= settings.size else {
            throw CorpusError.vocabularyTooSmall(asked: settings.size, needed: pieces.count)
        }
        var merger = PairMerger(words: pieces.takeWords(), minimumCount: settings.minimumCount)
        while pieces.count < settings.size {
            guard let pair = merger.mostFrequentPair() else {
                throw CorpusError.vocabularyTooLarge(asked: settings.size, possible: pieces.count)
            }
            merger.merge(pair, into: pieces.join(pair.left, pair.right))
            if pieces.count & 255 == 0 { try progress(pieces.count) }
        }
        return try Vocabulary(tokens: pieces.tokens)
    }
}

/// The entries so far, and the words spelled in letters.
private struct PieceTable {
    private(set) var tokens: [String] = Vocabulary.Special.allCases.map(\.rawValue)
    private var ids: [[UInt8]: Int32] = [:]
    /// The words as ids of letters.
    private var words = SpelledWords()

    var count: Int { tokens.count }

    init(counts: WordCounts, letterLimit: Int) {
        let letters = Self.letters(counts, limit: letterLimit)
        var continued: Set<UInt32> = []
        var scalars: [UInt32] = []
        // A word with a letter that has no entry is [UNK] whole: it teaches nothing.
        func spell(_ word: UnsafeBufferPointer<UInt8>) -> Bool {
            Self.decode(word, into: &scalars)
            return letters.count < letterLimit || scalars.allSatisfy(letters.contains)
        }
        counts.forEach { word, _ in
            if spell(word) { for scalar in scalars.dropFirst() { continued.insert(scalar) } }
        }
        var first: [UInt32: Int32] = [:]
        var later: [UInt32: Int32] = [:]
        for scalar in letters.sorted() { first[scalar] = enter(Self.text(scalar)) }
        for scalar in continued.sorted() { later[scalar] = enter("##" + Self.text(scalar)) }
        words.starts.reserveCapacity(counts.count + 1)
        words.counts.reserveCapacity(counts.count)
        counts.forEach { word, count in
            guard spell(word), !scalars.isEmpty else { return }
            for (place, scalar) in scalars.enumerated() {
                words.symbols.append((place == 0 ? first[scalar] : later[scalar]) ?? 0)
            }
            words.starts.append(words.symbols.count)
            words.counts.append(count)
        }
    }

    /// The letters of all words; where there are more than `limit`, the commonest, of equals those of the lowest codes.
    private static func letters(_ counts: WordCounts, limit: Int) -> Set<UInt32> {
        var letters: [UInt32: Int] = [:]
        var scalars: [UInt32] = []
        var ascii = [Int](repeating: 0, count: 128)
        counts.forEach { word, count in
            decode(word, into: &scalars)
            for scalar in scalars {
                if scalar < 128 { ascii[Int(scalar)] += count } else { letters[scalar, default: 0] += count }
            }
        }
        for (scalar, count) in ascii.enumerated() where count > 0 { letters[UInt32(scalar)] = count }
        if letters.count <= limit { return Set(letters.keys) }
        return Set(letters.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(limit).map(\.key))
    }

    private static func decode(_ word: UnsafeBufferPointer<UInt8>, into scalars: inout [UInt32]) {
        scalars.removeAll(keepingCapacity: true)
        if word.allSatisfy({ $0 < 0x80 }) {
            for byte in word { scalars.append(UInt32(byte)) }
        } else {
            for scalar in String(decoding: word, as: UTF8.self).unicodeScalars { scalars.append(scalar.value) }
        }
    }

    /// Hands the words over: the merger changes them in place.
    mutating func takeWords() -> SpelledWords {
        defer { words = SpelledWords() }
        return words
    }

    /// The entry that `left` and `right` make together; a new one where their text isn't an entry yet.
    mutating func join(_ left: Int32, _ right: Int32) -> Int32 {
        // By scalars: a combining mark after "##" is one character with the second "#".
        enter(tokens[Int(left)] + String(tokens[Int(right)].unicodeScalars.dropFirst(2)))
    }

    private mutating func enter(_ token: String) -> Int32 {
        let key = Array(token.utf8)
        if let id = ids[key] { return id }
        let id = Int32(tokens.count)
        tokens.append(token)
        ids[key] = id
        return id
    }

    private static func text(_ scalar: UInt32) -> String {
        Unicode.Scalar(scalar).map { String($0) } ?? ""
    }
}
