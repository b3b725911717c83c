import Corpus
import Foundation
import Testing

@Suite("Finding copies")
struct ImportDuplicateTests {
    private let fixture: ImportFixture
    init() throws { fixture = try ImportFixture() }

    private typealias F = ImportFixture

    /// Hundred words of which the first `changed` differ from those of number 0.
    private func text(_ changed: Int) -> String {
        (0..<100).map { $0 < changed ? "c\(changed)x\($0)" : "w\($0)" }.joined(separator: " ") + "."
    }

    @Test("exact copies are told by their words, near ones by their overlap; the first is kept")
    func copies() throws {
        let path = try fixture.pubMed(
            "a.xml",
            [
                F.article(1, title: "", abstract: text(0)),
                F.article(2, title: "", abstract: text(0).uppercased() + " !"),
                F.article(3, title: "", abstract: text(4)), F.article(4, title: "", abstract: text(40)),
            ])
        func kept(_ which: ImportOptions.Duplicates) throws -> (Int, [String: Int]) {
            let corpus = try fixture.run([path], into: fixture.folder.file("\(which)")) { $0.duplicates = which }.corpus
            return (corpus.totals.documents, corpus.totals.skipped)
        }
        #expect(try kept(.keep) == (4, [:]))
        #expect(try kept(.exact) == (3, ["duplicate": 1]))
        // Of 96 runs of five words, 92 are shared with the third: 92 / 100. With the fourth, 56 of 136.
        #expect(try kept(.near) == (2, ["duplicate": 1, "near_duplicate": 1]))
    }

    @Test("what is joined through others is one group, of which the first is kept")
    func chains() throws {
        // Each is similar to the next, the ends aren't to each other.
        let chain = (0..<6).map { link in
            (0..<100).map { $0 < link * 10 ? "n\($0)" : "w\($0)" }.joined(separator: " ")
        }
        let path = try fixture.pubMed("a.xml", chain.enumerated().map { F.article($0 + 1, title: "", abstract: $1) })
        let corpus = try fixture.run([path]) { $0.similarity = 0.75 }.corpus
        #expect(corpus.totals.documents == 1 && corpus.totals.skipped == ["near_duplicate": 5])
    }

    @Test("the outcome is the same for any number of threads, and however few keys are held at once")
    func determinism() throws {
        var paths: [String] = []
        for file in 0..<6 {
            let articles = (0..<60).map { number -> String in
                let copied = (file * 60 + number) * 7 % 150
                return F.article(
                    1000 + (file * 60 + number) % 280, title: "T\(copied % 3).",
                    abstract: text(copied % 40) + F.sentence(copied))
            }
            paths.append(
                try fixture.pubMed(
                    "f\(file).xml", articles, more: "<DeleteCitation><PMID>\(1000 + file)</PMID></DeleteCitation>"))
        }
        let first = fixture.folder.file("first")
        let reference = try fixture.run(paths, into: first).corpus
        #expect(Set(reference.totals.skipped.keys) == ["superseded", "deleted", "near_duplicate", "duplicate"])
        for (threads, entries) in [(4, 8 << 20), (3, 20), (1, 7)] {
            let other = fixture.folder.file("other-\(threads)")
            _ = try fixture.job(paths, into: other, threads: threads, mostEntries: entries).run()
            #expect(try ImportFixture.contents(of: other) == ImportFixture.contents(of: first), "\(threads) threads")
        }
    }

    @Test("documents of few words are compared as a whole")
    func shortDocuments() throws {
        let path = try fixture.pubMed(
            "a.xml",
            [
                F.article(1, title: "", abstract: "Too few words."),
                F.article(2, title: "", abstract: "Too few words!"),
                F.article(3, title: "", abstract: "Other few words."),
            ])
        #expect(try fixture.run([path]).corpus.totals.documents == 2)
    }
}
