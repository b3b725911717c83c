import CCorpusData

/// What BERT's uncased normaliser and pre-tokenizer do to each Unicode scalar, as Hugging Face's `tokenizers` does it.
///
/// The data is the resource `unicode.txt`, which is read off that package, so that neither side's Unicode version matters.
struct UnicodeTable: Sendable {
    /// What becomes of a scalar.
    enum Action: UInt8 {
        /// Kept; belongs to a word.
        case keep = 0
        /// Removed before decomposition.
        case remove
        /// Removed after decomposition: combining marks on its two sides stay in their order.
        case separate
        /// Ends a word.
        case space
        /// A word by itself: punctuation, CJK.
        case isolate
        /// Kept; a combining mark of the class in the payload.
        case mark
        /// Replaced by the scalars at the payload.
        case map
        /// Replaced by the scalars at the payload, which together are a word.
        case mapIsolated
        /// A Hangul syllable, decomposed by arithmetic.
        case hangul
    }

    /// A scalar's action in the low 8 bits, its payload above.
    struct Entry: Sendable, Hashable {
        var bits: UInt32 = 0
        init(_ action: Action, payload: UInt32 = 0) { bits = UInt32(action.rawValue) | payload << 8 }
        var action: Action { Action(rawValue: UInt8(truncatingIfNeeded: bits)) ?? .keep }
        var payload: Int { Int(bits >> 8) }
    }

    /// The table of the resource, read once.
    static let shared = UnicodeTable(text: corpus_data_unicode().content)

    private static let pageShift = 8
    private static let pageSize = 1 << pageShift
    private var pages: [UInt16]
    private var entries: [Entry]
    /// Replacements: a count, then that many scalars.
    private(set) var pool: [UInt32] = [0]

    /// The entry of `scalar`, which must be below 0x110000.
    @inline(__always)
    func entry(_ scalar: UInt32) -> Entry {
        entries[Int(pages[Int(scalar >> 8)]) << Self.pageShift | Int(scalar & 0xff)]
    }

    private init(text: UnsafeRawBufferPointer) {
        var flat = [Entry](repeating: Entry(.keep), count: 0x11_0000)
        for scalar in 0xAC00...0xD7A3 { flat[scalar] = Entry(.hangul) }
        for line in text.split(separator: 0x0a) where line.first != 0x23 {
            var fields = line.split(separator: 0x20)
            let kind = fields.removeFirst().first
            let span = fields.removeFirst().split(separator: 0x2d).map { Self.hexadecimal($0) }
            guard let first = span.first, let last = span.last, first <= last, last < flat.count else { continue }
            for scalar in first...last {
                let isIsolated = flat[scalar].action == .isolate
                switch kind {
                case UInt8(ascii: "R"): flat[scalar] = Entry(.remove)
                case UInt8(ascii: "T"): flat[scalar] = Entry(.separate)
                case UInt8(ascii: "S"): flat[scalar] = Entry(.space)
                case UInt8(ascii: "C"), UInt8(ascii: "P"):
                    if flat[scalar].action == .keep { flat[scalar] = Entry(.isolate) }
                case UInt8(ascii: "O"):
                    flat[scalar] = Entry(.mark, payload: UInt32(String(decoding: fields[0], as: UTF8.self)) ?? 0)
                case UInt8(ascii: "M"):
                    flat[scalar] = Entry(isIsolated ? .mapIsolated : .map, payload: UInt32(pool.count))
                    pool.append(UInt32(fields.count))
                    pool += fields.map { UInt32(Self.hexadecimal($0)) }
                default: break
                }
            }
        }
        var known: [ArraySlice<Entry>: UInt16] = [:]
        pages = []
        entries = []
        for start in stride(from: 0, to: flat.count, by: Self.pageSize) {
            let page = flat[start..<start + Self.pageSize]
            if let index = known[page] {
                pages.append(index)
            } else {
                let index = UInt16(entries.count / Self.pageSize)
                known[page] = index
                pages.append(index)
                entries += page
            }
        }
    }

    private static func hexadecimal(_ digits: some Sequence<UInt8>) -> Int {
        digits.reduce(0) { sum, digit in
            sum << 4 | Int(digit < 0x3a ? digit - 0x30 : digit - 0x37)
        }
    }
}
