import Jobs

/// Makes documents of citations, one after the other, by the rules of an import.
struct DocumentMaker {
    /// The longest sentence in bytes; a longer one is cut at a blank, so that every reader of lines can read it.
    static let longestSentence = 1 << 16
    /// The longest document in bytes.
    static let longestDocument = 64 << 20

    /// The document that was made last.
    private(set) var document = TextDocument()
    /// 128 bits that name its words.
    var digest: (UInt64, UInt64) { words.digest }
    /// Sentences cut so far.
    private(set) var cutSentences = 0

    private let options: ImportOptions
    private let queries: QueryWords
    private let splitter = SentenceSplitter()
    private var words: WordScan
    private var hashes = MinHash()

    init(_ options: ImportOptions) {
        self.options = options
        queries = QueryWords(options.queries)
        words = WordScan(queries: queries)
    }

    /// Makes `document` of a title and sections; returns why it is to be left out, or nil.
    mutating func make(title: String, sections: [Citation.Section]) -> SkipReason? {
        document.removeAll()
        splitter.append(title, to: &document)
        for section in sections {
            let isLabelled = options.keepsLabels && !section.label.isEmpty
            splitter.append(isLabelled ? "\(section.label): \(section.text)" : section.text, to: &document)
            if document.bytes.count > Self.longestDocument - (1 << 16) { return .tooLong }
        }
        cutLongSentences()
        guard document.sentenceCount > 0 else { return .noText }
        words.reset()
        hashes.reset()
        let isHashed = options.duplicates == .near
        document.bytes.withUnsafeBytes { bytes in
            for index in 0..<document.sentenceCount {
                let sentence = UnsafeRawBufferPointer(rebasing: bytes[document.range(ofSentence: index)])
                words.add(sentence) { if isHashed { hashes.add($0) } }
            }
        }
        if words.count < WordScan.shingleWords { hashes.add(words.shingleHash) }
        if words.count < options.minimumWords { return .short }
        return queries.match(words.queryHits) ? nil : .query
    }

    /// The signature of the document's words, for near duplicates.
    func signature() -> [UInt16] { hashes.signature() }

    private mutating func cutLongSentences() {
        var start = 0
        guard
            document.sentenceEnds.contains(where: { end in
                defer { start = end }
                return end - start > Self.longestSentence
            })
        else { return }
        let whole = document
        document.removeAll()
        for index in 0..<whole.sentenceCount {
            var rest = whole.bytes[whole.range(ofSentence: index)]
            while rest.count > Self.longestSentence {
                let cut = Self.cut(rest)
                document.bytes.append(contentsOf: rest[..<cut])
                document.sentenceEnds.append(document.bytes.count)
                rest = rest[cut...].drop { $0 == 0x20 }
                cutSentences += 1
            }
            guard !rest.isEmpty else { continue }
            document.bytes.append(contentsOf: rest)
            document.sentenceEnds.append(document.bytes.count)
        }
    }

    /// Where a sentence that is too long is cut: at its last blank before the limit, else before a character.
    private static func cut(_ sentence: ArraySlice<UInt8>) -> Int {
        let limit = sentence.startIndex + longestSentence
        if let blank = sentence[..<limit].lastIndex(of: 0x20), blank > sentence.startIndex { return blank }
        var cut = limit
        while cut > sentence.startIndex + 1, sentence[cut] & 0xc0 == 0x80 { cut -= 1 }
        return cut
    }
}
