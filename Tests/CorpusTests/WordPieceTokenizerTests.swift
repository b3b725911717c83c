import Corpus
import Foundation
import Testing

@Suite("WordPiece")
struct WordPieceTokenizerTests {
    private static let specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

    /// The pieces of `text` with a vocabulary of `words`.
    private func pieces(_ text: String, _ words: [String], specials: Bool = true) throws -> [String] {
        let vocabulary = try Vocabulary(tokens: Self.specials + words)
        let tokenizer = WordPieceTokenizer(vocabulary: vocabulary, recognisesSpecialTokens: specials)
        return tokenizer.encode(text).map { vocabulary.tokens[Int($0)] }
    }

    @Test("the longest entry is taken first")
    func takesLongest() throws {
        let words = ["un", "unaff", "##aff", "##able", "##a", "##ffable"]
        #expect(try pieces("unaffable UNAFFABLE", words) == ["unaff", "##able", "unaff", "##able"])
    }

    @Test("a word with a part that has no entry is [UNK] whole, and its neighbours are not")
    func unknownWord() throws {
        #expect(try pieces("ab abx ab", ["ab", "##x2", "a"]) == ["ab", "[UNK]", "ab"])
    }

    @Test("a word of 100 characters is taken apart, one of 101 is [UNK]")
    func longWord() throws {
        #expect(try pieces(String(repeating: "é", count: 100), ["e", "##e"]).count == 100)
        #expect(try pieces(String(repeating: "é", count: 101), ["e", "##e"]) == ["[UNK]"])
    }

    @Test(
        "text is normalised as BERT's uncased models expect",
        arguments: [
            ("Café NAÏVE", ["cafe", "naive"]),
            ("p<0.05", ["p", "<", "0", ".", "05"]),
            ("TNF-α", ["tnf", "-", "α"]),
            ("a\u{200d}b\u{00ad}c", ["abc"]),
            ("a\u{00a0}b\u{3000}c\u{2028}d", ["a", "b", "c", "d"]),
            ("中文x", ["中", "文", "x"]),
            ("İstanbul ẞ ß", ["istanbul", "ß", "ß"]),
            ("3.5 µM Ω", ["3", ".", "5", "µm", "ω"]),
            ("don’t", ["don", "’", "t"]),
            ("가", ["\u{1100}\u{1161}"]),
            ("e\u{0301}\u{0323}", ["e"]),
        ])
    func normalises(text: String, words: [String]) throws {
        let vocabulary = words.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        #expect(try pieces(text, vocabulary) == words)
    }

    @Test("retained marks are put in canonical order")
    func ordersMarks() throws {
        // U+1D165 has class 216 and U+1BAA class 9: spacing marks, which BERT keeps. Compared by scalars, because the two
        // orders are equal as Swift strings.
        let found = try pieces("x\u{1d165}\u{1baa}", ["x\u{1baa}\u{1d165}"])
        #expect(found.map { $0.unicodeScalars.map(\.value) } == [[0x78, 0x1baa, 0x1d165]])
    }

    @Test("special tokens in the text count as such only where that is wanted")
    func specialTokens() throws {
        #expect(try pieces("a[MASK]a [sep]", ["a", "["]) == ["a", "[MASK]", "a", "[", "[UNK]", "[UNK]"])
        #expect(try pieces("a[MASK]a", ["a", "[", "]", "mask"], specials: false) == ["a", "[", "mask", "]", "a"])
    }

    @Test("entries that are canonically equivalent stay different")
    func keepsEquivalentEntriesApart() throws {
        let vocabulary = try Vocabulary(tokens: Self.specials + ["\u{e9}", "e\u{301}", "##\u{301}"])
        #expect(vocabulary.id(of: "\u{e9}") == 5)
        #expect(vocabulary.id(of: "e\u{301}") == 6)
        #expect(vocabulary.text(of: [5, 7]).unicodeScalars.elementsEqual("\u{e9}\u{301}".unicodeScalars))
    }

    @Test("a vocab.txt comes back as it was written")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let vocabulary = try Vocabulary(tokens: Self.specials + ["a", "##a", "é"])
        let path = try folder.write(Data(vocabulary.fileContents), to: "vocab.txt")
        #expect(try Vocabulary(path: path) == vocabulary)
    }

    @Test(
        "a vocab.txt that breaks a rule is refused with its line",
        arguments: [
            ("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\na\n", 7, "'a' again; it is entry 6 already"),
            ("[PAD]\n[UNK]\n\n[CLS]\n", 3, "an empty entry; one token a line is needed"),
            ("[PAD]\n[UNK]\n[CLS]\n[SEP]\n", 4, "[MASK] isn't among the 4 entries"),
        ])
    func refusesBadVocabulary(text: String, line: Int, reason: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(text, to: "vocab.txt")
        #expect(throws: CorpusError.badVocabulary(path: path, line: line, reason: reason)) {
            try Vocabulary(path: path)
        }
    }
}
