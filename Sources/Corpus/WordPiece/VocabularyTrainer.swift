/// Learns a WordPiece vocabulary of exactly the size asked, as Hugging Face's `WordPieceTrainer` does: byte-pair merges
/// over counted words, with `##` before every part that doesn't begin a word.
///
/// Order of the entries: the special tokens, the letters by code point, their `##` forms by code point, then merges by
/// falling count. The most frequent pair is merged first; of pairs as frequent, the one whose parts were entered first.
/// So the result is a function of the word counts alone, in whatever order or on however many threads they were counted.
public struct VocabularyTrainer {
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
    /// letters alone don't fit, `.cancelled`.
    public func train(
        progress: (_ entries: Int) -> Void = { _ in }, isCancelled: () -> Bool = { false }
    ) throws -> Vocabulary {
        var pieces = PieceTable(counts: counts, letterLimit: settings.letterLimit)
        guard pieces.count <= settings.size else {
            throw CorpusError.vocabularyTooSmall(asked: settings.size, needed: pieces.count)
        }
        var merger = PairMerger(words: pieces.words, wordCounts: pieces.wordCounts, minimumCount: settings.minimumCount)
        while pieces.count < settings.size {
            guard let pair = merger.mostFrequentPair() else {
                throw CorpusError.vocabularyTooLarge(asked: settings.size, possible: pieces.count)
            }
            merger.merge(pair, into: pieces.join(pair.left, pair.right))
            if pieces.count & 255 == 0 {
                progress(pieces.count)
                if isCancelled() { throw CorpusError.cancelled }
            }
        }
        return try Vocabulary(tokens: pieces.tokens)
    }
}

/// The entries so far, and the words spelled in letters.
private struct PieceTable {
    private(set) var tokens: [String] = Vocabulary.Special.allCases.map(\.rawValue)
    private var ids: [String: Int32] = [:]
    /// Each word as ids of letters.
    private(set) var words: [[Int32]] = []
    private(set) var wordCounts: [Int] = []

    var count: Int { tokens.count }

    init(counts: WordCounts, letterLimit: Int) {
        var letters: [UInt32: Int] = [:]
        var continued: Set<UInt32> = []
        var spelled: [(scalars: [UInt32], count: Int)] = []
        spelled.reserveCapacity(counts.count)
        counts.forEach { word, count in
            let scalars = String(decoding: word, as: UTF8.self).unicodeScalars.map(\.value)
            for scalar in scalars { letters[scalar, default: 0] += count }
            spelled.append((scalars, count))
        }
        if letters.count > letterLimit {
            let kept = letters.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(letterLimit)
            letters = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
            // A word with a letter that has no entry is [UNK] whole: it teaches nothing.
            spelled.removeAll { !$0.scalars.allSatisfy { letters[$0] != nil } }
        }
        for word in spelled { continued.formUnion(word.scalars.dropFirst()) }
        var first: [UInt32: Int32] = [:]
        var later: [UInt32: Int32] = [:]
        for scalar in letters.keys.sorted() { first[scalar] = enter(Self.text(scalar)) }
        for scalar in continued.sorted() { later[scalar] = enter("##" + Self.text(scalar)) }
        for word in spelled where word.scalars.count > 0 {
            words.append(
                word.scalars.enumerated().map { place, scalar in
                    (place == 0 ? first[scalar] : later[scalar]) ?? 0
                })
            wordCounts.append(word.count)
        }
    }

    /// The entry that `left` and `right` make together; a new one where their text isn't an entry yet.
    mutating func join(_ left: Int32, _ right: Int32) -> Int32 {
        enter(tokens[Int(left)] + tokens[Int(right)].dropFirst(2))
    }

    private mutating func enter(_ token: String) -> Int32 {
        if let id = ids[token] { return id }
        let id = Int32(tokens.count)
        tokens.append(token)
        ids[token] = id
        return id
    }

    private static func text(_ scalar: UInt32) -> String {
        Unicode.Scalar(scalar).map { String($0) } ?? ""
    }
}
