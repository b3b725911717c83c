/// Cuts text into BERT's normalised words: cleaned, decomposed, stripped of accents, in lower case, with punctuation and
/// CJK characters as words of their own.
///
/// Identical to Hugging Face's `BertNormalizer` (uncased) followed by `BertPreTokenizer`. ASCII takes a table of 128
/// entries; the rest takes `UnicodeTable`. A splitter is a scratch buffer: one for each thread.
struct WordSplitter {
    /// Words of more scalars than this are [UNK] whole; their bytes beyond are counted and not kept.
    static let longestWord = 100

    private enum ASCIIClass {
        static let word: UInt8 = 0, space: UInt8 = 1, remove: UInt8 = 2, isolate: UInt8 = 3, other: UInt8 = 4
    }

    private let table = UnicodeTable.shared
    /// For each byte, its class in the high half and its lower case in the low half; from 128 on no class of ASCII.
    private let ascii: [UInt16]
    private var word = [UInt8](repeating: 0, count: 4 * (longestWord + 8))
    private var length = 0
    private var scalars = 0
    /// Retained combining marks at the end of the word: where each begins, and its class.
    private var marks: [(start: Int, combiningClass: Int)] = []

    init() {
        ascii = (0..<256).map { byte in
            if byte >= 0x80 { return UInt16(ASCIIClass.other) << 8 }
            let entry = UnicodeTable.shared.entry(UInt32(byte))
            let lower = byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte
            let kind =
                switch entry.action {
                case .space: ASCIIClass.space
                case .remove, .separate: ASCIIClass.remove
                case .isolate: ASCIIClass.isolate
                case .keep, .mark, .map, .mapIsolated, .hangul: ASCIIClass.word
                }
            return UInt16(kind) << 8 | UInt16(lower)
        }
    }

    /// Calls `body` with each word of `text`, which must be valid UTF-8: its bytes, valid during the call, and its number
    /// of scalars. Where the number is above `longestWord` the bytes are only the word's beginning.
    @inline(__always)
    mutating func forEachWord(
        of text: UnsafeRawBufferPointer, _ body: (UnsafeBufferPointer<UInt8>, Int) throws -> Void
    ) rethrows {
        let bytes = text.bindMemory(to: UInt8.self)
        var index = 0
        let count = bytes.count
        length = 0
        scalars = 0
        marks.removeAll(keepingCapacity: true)
        while index < count {
            // Most words are plain as they stand: they are handed on from where they are.
            var end = index
            while end < count, ascii[Int(bytes[end])] == Self.plain(bytes[end]) { end += 1 }
            if end > index {
                let next = end < count ? ascii[Int(bytes[end])] : Self.end
                if next >> 8 == UInt16(ASCIIClass.space) || next >> 8 == UInt16(ASCIIClass.isolate) {
                    try body(UnsafeBufferPointer(rebasing: bytes[index..<end]), end - index)
                    index = end
                } else {
                    try takeWord(bytes, &index, body)
                }
                continue
            }
            switch UInt8(ascii[Int(bytes[index])] >> 8) {
            case ASCIIClass.space, ASCIIClass.remove: index += 1
            case ASCIIClass.isolate:
                try body(UnsafeBufferPointer(rebasing: bytes[index..<index + 1]), 1)
                index += 1
            default: try takeWord(bytes, &index, body)
            }
        }
    }

    /// What the table holds for a byte that is a letter of a word as it stands.
    @inline(__always)
    private static func plain(_ byte: UInt8) -> UInt16 { UInt16(ASCIIClass.word) << 8 | UInt16(byte) }

    /// What stands for the end of the text: as if a space followed.
    private static let end = UInt16(ASCIIClass.space) << 8

    /// Takes characters one by one up to the next place where a word has just ended.
    private mutating func takeWord(
        _ text: UnsafeBufferPointer<UInt8>, _ index: inout Int,
        _ body: (UnsafeBufferPointer<UInt8>, Int) throws -> Void
    ) rethrows {
        while index < text.count {
            let byte = text[index]
            if byte < 0x80 {
                let entry = ascii[Int(byte)]
                switch UInt8(entry >> 8) {
                case ASCIIClass.word:
                    index += 1
                    if scalars < Self.longestWord {
                        word[length] = UInt8(truncatingIfNeeded: entry)
                        length += 1
                    }
                    scalars += 1
                    if !marks.isEmpty { marks.removeAll(keepingCapacity: true) }
                case ASCIIClass.remove: index += 1
                default:
                    // A space, or punctuation that is a word by itself.
                    try flush(body)
                    return
                }
            } else {
                try take(Self.decode(text, &index), body)
            }
        }
        try flush(body)
    }

    @inline(__always)
    private mutating func flush(_ body: (UnsafeBufferPointer<UInt8>, Int) throws -> Void) rethrows {
        if scalars > 0 {
            try word.withUnsafeBufferPointer { try body(UnsafeBufferPointer(rebasing: $0[..<length]), scalars) }
            length = 0
            scalars = 0
        }
        if !marks.isEmpty { marks.removeAll(keepingCapacity: true) }
    }

    private mutating func take(
        _ scalar: UInt32, _ body: (UnsafeBufferPointer<UInt8>, Int) throws -> Void
    ) rethrows {
        let entry = table.entry(scalar)
        switch entry.action {
        case .keep: append(scalar)
        case .remove: break
        case .separate: marks.removeAll(keepingCapacity: true)
        case .space: try flush(body)
        case .isolate:
            try flush(body)
            append(scalar)
            try flush(body)
        case .mark: append(mark: scalar, combiningClass: entry.payload)
        case .map, .mapIsolated:
            let isIsolated = entry.action == .mapIsolated
            if isIsolated { try flush(body) }
            let start = entry.payload + 1
            for place in start..<start + Int(table.pool[entry.payload]) {
                try takeMapped(table.pool[place], body)
            }
            if isIsolated { try flush(body) }
        case .hangul:
            // Unicode, section 3.12: L, V and, where there is one, T.
            let syllable = scalar - 0xAC00
            append(0x1100 + syllable / 588)
            append(0x1161 + syllable % 588 / 28)
            if syllable % 28 != 0 { append(0x11A7 + syllable % 28) }
        }
    }

    /// A scalar that normalisation made: only splitting is left.
    private mutating func takeMapped(
        _ scalar: UInt32, _ body: (UnsafeBufferPointer<UInt8>, Int) throws -> Void
    ) rethrows {
        let entry = table.entry(scalar)
        switch entry.action {
        case .isolate:
            try flush(body)
            append(scalar)
            try flush(body)
        case .mark: append(mark: scalar, combiningClass: entry.payload)
        case .keep, .remove, .separate, .space, .map, .mapIsolated, .hangul: append(scalar)
        }
    }

    private mutating func append(_ scalar: UInt32) {
        marks.removeAll(keepingCapacity: true)
        scalars += 1
        guard scalars <= Self.longestWord else { return }
        length += Self.encode(scalar, into: &word, at: length)
    }

    /// Canonical ordering: a mark goes before those of a higher class that it follows (Unicode, section 3.11, D109).
    private mutating func append(mark scalar: UInt32, combiningClass: Int) {
        scalars += 1
        guard scalars <= Self.longestWord else { return }
        let start = length
        length += Self.encode(scalar, into: &word, at: length)
        let size = length - start
        var place = marks.count
        while place > 0, marks[place - 1].combiningClass > combiningClass { place -= 1 }
        guard place < marks.count else {
            marks.append((start, combiningClass))
            return
        }
        let target = marks[place].start
        let bytes = Array(word[start..<length])
        for index in stride(from: start - 1, through: target, by: -1) { word[index + size] = word[index] }
        word.replaceSubrange(target..<target + size, with: bytes)
        for index in place..<marks.count { marks[index].start += size }
        marks.insert((target, combiningClass), at: place)
    }

    /// The scalar at `index`, which moves past it. The text is valid UTF-8.
    @inline(__always)
    private static func decode(_ text: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> UInt32 {
        let first = UInt32(text[index])
        func tail(_ offset: Int) -> UInt32 {
            index + offset < text.count ? UInt32(text[index + offset] & 0x3f) : 0
        }
        if first < 0xe0 {
            defer { index += 2 }
            return (first & 0x1f) << 6 | tail(1)
        }
        if first < 0xf0 {
            defer { index += 3 }
            return (first & 0x0f) << 12 | tail(1) << 6 | tail(2)
        }
        defer { index += 4 }
        return min(0x10_ffff, (first & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3))
    }

    private static func encode(_ scalar: UInt32, into bytes: inout [UInt8], at start: Int) -> Int {
        switch scalar {
        case ..<0x80:
            bytes[start] = UInt8(scalar)
            return 1
        case ..<0x800:
            bytes[start] = UInt8(0xc0 | scalar >> 6)
            bytes[start + 1] = UInt8(0x80 | scalar & 0x3f)
            return 2
        case ..<0x1_0000:
            bytes[start] = UInt8(0xe0 | scalar >> 12)
            bytes[start + 1] = UInt8(0x80 | scalar >> 6 & 0x3f)
            bytes[start + 2] = UInt8(0x80 | scalar & 0x3f)
            return 3
        default:
            bytes[start] = UInt8(0xf0 | scalar >> 18)
            bytes[start + 1] = UInt8(0x80 | scalar >> 12 & 0x3f)
            bytes[start + 2] = UInt8(0x80 | scalar >> 6 & 0x3f)
            bytes[start + 3] = UInt8(0x80 | scalar & 0x3f)
            return 4
        }
    }
}
