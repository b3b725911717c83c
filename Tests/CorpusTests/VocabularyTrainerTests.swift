import Corpus
import Testing

@Suite("Vocabulary training")
struct VocabularyTrainerTests {
    private func trainer(_ lines: [String], size: Int, minimumCount: Int = 2, letterLimit: Int = 1000)
        -> VocabularyTrainer
    {
        var trainer = VocabularyTrainer(
            VocabularyTrainer.Settings(size: size, minimumCount: minimumCount, letterLimit: letterLimit))
        for line in lines { trainer.add(line) }
        return trainer
    }

    @Test("special tokens come first, then letters, their continuations, and merges by falling count")
    func order() throws {
        let lines =
            Array(repeating: "hug", count: 10) + Array(repeating: "pug", count: 5)
            + Array(repeating: "pun", count: 12) + Array(repeating: "bun", count: 4)
            + Array(repeating: "hugs", count: 5)
        let tokens = try trainer(lines, size: 20).train().tokens
        #expect(
            tokens == [
                "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "b", "g", "h", "n", "p", "s", "u", "##g", "##n", "##s",
                "##u", "##ug", "##un", "hug", "pun",
            ])
    }

    @Test("of pairs as frequent, the one whose parts were entered first is merged first")
    func ties() throws {
        let tokens = try trainer(["cd ab cd ab"], size: 13).train().tokens
        #expect(Array(tokens.suffix(3)) == ["##d", "ab", "cd"])
    }

    @Test("the size is met exactly, or the error says what the text can fill")
    func exactSize() throws {
        let lines = ["the cat sat on the mat", "the rat sat on the cat", "that cat"]
        let possible = try #require(throws: CorpusError.self) { try trainer(lines, size: 1000).train() }
        guard case .vocabularyTooLarge(asked: 1000, let filled) = possible else {
            Issue.record("another error: \(possible)")
            return
        }
        #expect(try trainer(lines, size: filled).train().count == filled)
        #expect(try trainer(lines, size: filled - 1).train().count == filled - 1)
        #expect(throws: CorpusError.vocabularyTooLarge(asked: filled + 1, possible: filled)) {
            try trainer(lines, size: filled + 1).train()
        }
    }

    @Test("a size that can't hold the letters is refused")
    func tooSmall() {
        #expect(throws: CorpusError.vocabularyTooSmall(asked: 7, needed: 11)) {
            try trainer(["cd ab"], size: 7).train()
        }
    }

    @Test("the order in which text is seen, and on how many trainers, changes nothing")
    func orderOfText() throws {
        let lines = (0..<200).map { "word\($0 % 17) stem\($0 % 5)ing unre\($0 % 3)lated" }
        let whole = try trainer(lines, size: 80).train()
        var parts = trainer(Array(lines[100...].reversed()), size: 80)
        parts.merge(trainer(Array(lines[..<100]), size: 80))
        #expect(try parts.train() == whole)
    }

    @Test("letters beyond the limit are left out, and with them the words that hold them")
    func letterLimit() throws {
        let tokens = try trainer(["aaab aaab", "aab ab", "zq"], size: 12, letterLimit: 2).train().tokens
        #expect(!tokens.contains { $0.contains("z") || $0.contains("q") })
    }

    @Test("marks after ## are kept as scalars, not swallowed as part of a character")
    func combiningMarks() throws {
        // U+0903 is a spacing mark that BERT keeps.
        let tokens = try trainer(["क\u{903}क\u{903} क\u{903}क\u{903}"], size: 11).train().tokens
        #expect(tokens.map { Array($0.unicodeScalars.map(\.value)) }.contains([0x915, 0x903]))
    }

    @Test("training can be cancelled")
    func cancels() {
        let lines = (0..<2000).map { "w\($0 * 7919 % 2000)x w\($0 * 7919 % 2000)x" }
        #expect(throws: CorpusError.cancelled) {
            try trainer(lines, size: 1500).train { _ in throw CorpusError.cancelled }
        }
    }
}
