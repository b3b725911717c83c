import Corpus
import Testing

@Suite("Synthetic abstracts")
struct SyntheticAbstractsTests {
    private func abstracts(_ count: Int, seed: UInt64 = 1) throws -> [[String]] {
        let source = SyntheticAbstracts(documents: count, seed: seed)
        var document = TextDocument()
        var abstracts: [[String]] = []
        while try source.next(into: &document) { abstracts.append(document.sentences) }
        return abstracts
    }

    @Test("6,000 abstracts are all different")
    func distinct() throws {
        let all = try abstracts(6000)
        #expect(all.count == 6000)
        #expect(Set(all).count == 6000)
    }

    @Test("an abstract is a title and five to nine sentences, with every slot filled")
    func shape() throws {
        for abstract in try abstracts(1500) {
            #expect((6...10).contains(abstract.count))
            for sentence in abstract {
                #expect(!sentence.contains { "{}[]|\u{1}".contains($0) }, "\(sentence)")
                #expect(sentence.hasSuffix("."), "\(sentence)")
                #expect(!sentence.contains("  ") && !sentence.contains(" ."), "\(sentence)")
            }
        }
    }

    @Test("the same seed writes the same text, however much is asked for; another seed another")
    func seeds() throws {
        let few = try abstracts(20)
        #expect(try Array(abstracts(50).prefix(20)) == few)
        #expect(try abstracts(20, seed: 2) != few)
    }
}
