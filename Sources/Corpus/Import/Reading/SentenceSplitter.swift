/// Cuts running text into sentences by the habits of biomedical abstracts: "et al.", "Fig. 2", "E. coli", "p < 0.05.",
/// "3.5 mg/kg", "i.v." and "vs." end none.
///
/// A sentence ends at `.`, `?` or `!`, with closing brackets and quotes that follow, where blank space comes next and what
/// comes after it can begin a sentence, unless the word before the stop is an abbreviation that wants a word after it.
public struct SentenceSplitter: Sendable {
    /// A splitter; it holds nothing.
    public init() {}

    /// Abbreviations that never end a sentence: something always follows.
    private static let leading: Set<String> = [
        "fig", "figs", "eq", "eqs", "ref", "refs", "no", "nos", "vs", "cf", "e.g", "i.e", "viz", "ca", "approx", "dr",
        "prof",
        "mr", "mrs", "ms", "st", "sp", "spp", "subsp", "var", "ser", "sect", "vol", "pp", "ed", "eds", "chap", "tab",
        "suppl",
        "al", "resp", "incl", "excl", "max", "min", "temp", "concn", "aff", "nov", "gen", "bv", "pv", "f", "syn",
        "dept",
        "univ", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sept", "oct", "dec",
    ]
    /// Abbreviations that may stand at a sentence's end as well: what follows decides.
    private static let either: Set<String> = [
        "i.v", "i.p", "s.c", "p.o", "i.m", "i.d", "b.i.d", "t.i.d", "q.d", "b.w", "w.t", "a.m", "p.m", "u.s", "u.k",
        "u.s.a",
        "etc", "inc", "co", "corp", "ltd", "jr", "sr", "ph.d", "m.d", "d.c", "n.s", "s.d", "s.e", "s.e.m",
    ]

    /// Abbreviations of `leading` that are words too: an end of a sentence unless a number follows.
    private static let beforeNumbers: Set<String> = [
        "no", "nos", "min", "max", "ed", "var", "syn", "gen", "mar", "dec", "ref",
    ]
    /// Abbreviations of `leading` for ranks of species, which a capital may follow at a sentence's end.
    private static let ranks: Set<String> = ["sp", "spp", "nov", "f"]

    /// The sentences of `text`, without blank space at their ends, with runs of blank space inside as one blank.
    public func sentences(of text: String) -> [String] {
        var document = TextDocument()
        append(text, to: &document)
        return document.sentences
    }

    /// Appends the sentences of `text` to `document`.
    public func append(_ text: String, to document: inout TextDocument) {
        var text = text
        text.withUTF8 { split(Text(bytes: $0), into: &document) }
    }

    private func split(_ text: Text, into document: inout TextDocument) {
        let count = text.bytes.count
        var start = 0
        var index = 0
        while index < count {
            guard Text.isStop(text.bytes[index]) else {
                index += 1
                continue
            }
            var end = index + 1
            while end < count, Text.isStop(text.bytes[end]) { end += 1 }
            while end < count, text.closerLength(at: end) > 0 { end += text.closerLength(at: end) }
            if end < count, text.spaceLength(at: end) > 0, ends(text, stop: index, after: end, start: start) {
                text.appendTidied(start..<end, to: &document)
                start = end
            }
            index = end
        }
        text.appendTidied(start..<count, to: &document)
    }

    /// Whether the stop at `stop` ends a sentence, when blank space begins at `after`.
    private func ends(_ text: Text, stop: Int, after: Int, start: Int) -> Bool {
        var next = text.skipSpaces(from: after)
        guard next < text.bytes.count else { return true }
        while next < text.bytes.count, text.openerLength(at: next) > 0 { next += text.openerLength(at: next) }
        guard let follower = text.scalar(at: next) else { return true }
        if ")],;:".unicodeScalars.contains(follower) { return false }
        // A small letter begins a sentence only where it begins a name like "p53", "mRNA" or "pH".
        let startsSmall = follower.properties.isLowercase && !text.isMixedName(at: next)
        guard text.bytes[stop] == UInt8(ascii: ".") else { return !startsSmall }
        let word = text.word(before: stop, start: start)
        if word.isEmpty || word.utf8.count > 8 { return !startsSmall }
        let plain = word.lowercased()
        let isBeforeNumber = follower.properties.numericType != nil
        // "(vs.)" and the like: a bracket closed after the stop means that nothing follows the abbreviation.
        let isClosed = text.bytes[(stop + 1)..<after].contains { $0 == UInt8(ascii: ")") || $0 == UInt8(ascii: "]") }
        if Self.leading.contains(plain), !isClosed {
            if Self.beforeNumbers.contains(plain) { return !isBeforeNumber && !startsSmall }
            if Self.ranks.contains(plain), word == plain { return !isBeforeNumber && !startsSmall }
            return false
        }
        if Self.either.contains(plain) { return !startsSmall && !isBeforeNumber }
        if word.utf8.count == 1, word != plain {
            // "72 °C.", "2X.": a unit. "E. coli", "J. Smith": a genus or an initial. "vitamin C.": the end of a name.
            if startsSmall { return false }
            return text.isUnit(letterAt: stop - 1, start: start)
                || text.endsLetterName(letterAt: stop - 1, start: start)
        }
        return !startsSmall
    }
}

/// Valid UTF-8 and what stands in it.
private struct Text {
    let bytes: UnsafeBufferPointer<UInt8>

    static func isStop(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "!")
    }

    private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a }

    /// The bytes of the blank at `index`; 0 where there is none.
    @inline(__always)
    func spaceLength(at index: Int) -> Int {
        let byte = bytes[index]
        // Control characters, which no text needs, count as blanks.
        if byte <= 0x20 { return 1 }
        if byte < 0x80 { return 0 }
        if byte == 0xc2, index + 1 < bytes.count, bytes[index + 1] == 0xa0 { return 2 }
        guard byte == 0xe2 || byte == 0xe3, let scalar = scalar(at: index), scalar.properties.isWhitespace else {
            return 0
        }
        return 3
    }

    func skipSpaces(from index: Int) -> Int {
        var index = index
        while index < bytes.count, spaceLength(at: index) > 0 { index += spaceLength(at: index) }
        return index
    }

    /// The bytes of the closing bracket or quote at `index`; 0 where there is none.
    func closerLength(at index: Int) -> Int {
        switch bytes[index] {
        case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "\""), UInt8(ascii: "'"): 1
        case 0xe2:
            index + 2 < bytes.count && bytes[index + 1] == 0x80
                && (bytes[index + 2] == 0x99 || bytes[index + 2] == 0x9d) ? 3 : 0
        default: 0
        }
    }

    /// The bytes of the opening bracket or quote at `index`; 0 where there is none.
    func openerLength(at index: Int) -> Int {
        switch bytes[index] {
        case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "'"): 1
        case 0xe2:
            index + 2 < bytes.count && bytes[index + 1] == 0x80
                && (bytes[index + 2] == 0x98 || bytes[index + 2] == 0x9c) ? 3 : 0
        default: 0
        }
    }

    /// The character that begins at `index`; nil at the end.
    func scalar(at index: Int) -> Unicode.Scalar? {
        guard index < bytes.count else { return nil }
        if bytes[index] < 0x80 { return Unicode.Scalar(bytes[index]) }
        return String(decoding: bytes[index..<min(bytes.count, index + 4)], as: UTF8.self).unicodeScalars.first
    }

    /// The letters before `stop`, with stops among them ("i.v").
    func word(before stop: Int, start: Int) -> String {
        var first = stop
        while first > start, Self.isLetter(bytes[first - 1]) || bytes[first - 1] == UInt8(ascii: ".") { first -= 1 }
        return String(decoding: bytes[first..<stop], as: UTF8.self)
    }

    /// Whether one of the first four characters at `index` is a capital or a digit.
    func isMixedName(at index: Int) -> Bool {
        bytes[index..<min(bytes.count, index + 4)].prefix { $0 > 0x20 }.contains {
            ($0 >= 0x41 && $0 <= 0x5a) || ($0 >= 0x30 && $0 <= 0x39)
        }
    }

    /// Whether the single letter at `index` hangs on what stands before it, as in "72°C" and "2X", or is a unit after a
    /// number, as in "10 M".
    func isUnit(letterAt index: Int, start: Int) -> Bool {
        guard index > start else { return false }
        let before = bytes[index - 1]
        if before != 0x20 { return before != UInt8(ascii: "(") && before != UInt8(ascii: "[") }
        guard index - 2 >= start else { return false }
        let last = bytes[index - 2]
        // The second byte of the degree sign.
        return (last >= 0x30 && last <= 0x39) || last == 0xb0
    }

    /// Whether the single letter at `index` ends a name ("vitamin C", "hepatitis B"): a word of four or more small letters
    /// stands before it. "and E. coli" and "by J. Smith" have shorter ones.
    func endsLetterName(letterAt index: Int, start: Int) -> Bool {
        guard index - 2 >= start, bytes[index - 1] == 0x20 else { return false }
        var first = index - 1
        while first > start, bytes[first - 1] >= 0x61, bytes[first - 1] <= 0x7a { first -= 1 }
        let isWhole = first == start || bytes[first - 1] == 0x20
        let word = String(decoding: bytes[first..<(index - 1)], as: UTF8.self)
        return isWhole && word.utf8.count >= 4
            && !["with", "from", "that", "than", "into", "were", "also"].contains(word)
    }

    /// Appends the characters of `range` as a sentence with blank space evened out, unless nothing is left.
    func appendTidied(_ range: Range<Int>, to document: inout TextDocument) {
        let before = document.bytes.count
        var index = skipSpaces(from: range.lowerBound)
        while index < range.upperBound {
            var end = index
            while end < range.upperBound, spaceLength(at: end) == 0 { end += 1 }
            if document.bytes.count > before { document.bytes.append(0x20) }
            document.bytes.append(contentsOf: bytes[index..<end])
            index = skipSpaces(from: end)
        }
        if document.bytes.count > before { document.sentenceEnds.append(document.bytes.count) }
    }
}
