import Corpus
import Foundation
import Testing

@Suite("Importing malformed files")
struct ImportFaultTests {
    private let fixture: ImportFixture
    init() throws { fixture = try ImportFixture() }

    private typealias F = ImportFixture

    private func article(_ number: Int) -> String {
        F.article(number, title: "Title \(number).", abstract: F.sentence(number))
    }

    /// The numbers in the titles of what was kept.
    private func kept(in directory: String? = nil) throws -> [Int] {
        try fixture.documents(in: directory).compactMap { Int($0.dropFirst(6).prefix { $0 != "." }) }
    }

    @Test(
        "what can't be read from its beginning is told with its byte; with --strict it ends the import",
        arguments: [
            ("<PubmedArticleSet><PubmedArticle></PubmedArticleSet>", 33, "where </PubmedArticle> is due"),
            ("<!DOCTYPE a [<!ENTITY lol \"lol\">]><PubmedArticleSet/>", 13, "declarations of its own"),
            ("<html/>", 0, "where <PubmedArticleSet> or <article> is due"), ("no XML", 0, "doesn't begin as XML"),
        ])
    func unreadable(xml: String, byte: Int, reason: String) throws {
        let bad = try fixture.folder.write(xml, to: "bad.xml")
        let sources = [bad, try fixture.pubMed("good.xml", [article(1)])]
        let job = try fixture.job(sources)
        let corpus = try job.run().corpus
        #expect(corpus.sources.map(\.state) == [.malformed, .imported])
        let fault = try #require(corpus.sources[0].faults.first)
        #expect(fault.byte == byte && fault.reason.contains(reason) && fault.resumedAtByte == nil, "\(fault)")
        #expect(job.takeFaults() == ["\(bad): byte \(byte): \(fault.reason); the rest is left out"])
        #expect(try kept() == [1])
        let error = #expect(throws: CorpusError.self) {
            try fixture.run(sources, into: fixture.folder.file("strict"), isStrict: true)
        }
        #expect(error?.description.hasPrefix("\(bad): byte \(byte): ") == true)
    }

    /// Records 1 and 3 with something between them that breaks the rules; `bad` may open or close anything.
    @Test(
        "what a fault spoils is its own record: those before and after are kept",
        arguments: [
            "<PubmedArticle><PMID>2</PMID><ArticleTitle>Title 2.</PubmedArticle>",
            "<PubmedArticle><PMID>2</PMID><Abstract><AbstractText>never ended",
            "<PubmedArticle><PMID>2</PMID><AuthorList><Author>cut off, and so skipped over",
            "<PubmedArticle><PMID>2</PMID>&nbsp;</PubmedArticle>", "<PubmedArticle <PMID>2</PMID></PubmedArticle>",
            "<PubmedArticle><PMID a=b>2</PMID></PubmedArticle>", "</PubmedArticle>", "</a>", "&lol;",
            "<PubmedArticle><", "<PubmedArticle a=\"", "<PubmedArticle><PMID>2</PMID><![CDATA[x]]></PMID>",
            "</PubmedArticleSet><PubmedArticleSet>", "<DeleteCitation><PMID>1</PMID>",
            "<PubmedArticle><PMID>2</PMID><ArticleTitle>a <b <c></ArticleTitle></PubmedArticle>",
        ])
    func resumes(bad: String) throws {
        let path = try fixture.pubMed("a.xml", [article(1), bad, article(3), article(4)])
        let source = try #require(try fixture.run([path]).corpus.sources.first)
        #expect(try kept() == [1, 3, 4])
        #expect(source.state == .malformed && source.counts.articles == 3)
        #expect(source.counts.faults >= 1 && source.faults.count == source.counts.faults)
        let start = "<PubmedArticleSet>".utf8.count + article(1).utf8.count
        let fault = source.faults[0]
        #expect((start...start + bad.utf8.count).contains(fault.byte), "\(fault)")
        let resumed = try #require(source.faults.last?.resumedAtByte)
        #expect(resumed == start + bad.utf8.count, "\(source.faults)")
    }

    @Test("an article of PMC that breaks the rules spoils none of its set")
    func articles() throws {
        func article(_ number: Int, more: String = "") -> String {
            """
            <article><front><article-meta><title-group><article-title>Title \(number).</article-title></title-group>
            </article-meta></front><body><p>\(F.sentence(number))</p>\(more)</body></article>
            """
        }
        let path = try fixture.folder.write(
            "<pmc-articleset>\(article(1))\(article(2, more: "<p>"))\(article(3))</pmc-articleset>", to: "a.nxml")
        #expect(try fixture.run([path]).corpus.sources[0].counts.faults == 1)
        #expect(try kept() == [1, 3])
    }

    @Test("a file cut at any byte keeps what is whole, and never traps or loops")
    func cutAnywhere() throws {
        let whole = "<PubmedArticleSet>\(article(1))\(article(2))</PubmedArticleSet>"
        let firstEnd = "<PubmedArticleSet>\(article(1))".utf8.count - 1
        for length in stride(from: 1, to: whole.utf8.count - 1, by: 7) {
            let path = try fixture.folder.write(String(whole.utf8.prefix(length)) ?? "", to: "cut.xml")
            let directory = fixture.folder.file("cut-\(length)")
            let corpus = try fixture.run([path], into: directory).corpus
            #expect(corpus.sources[0].state == .malformed)
            #expect(try kept(in: directory).first == (length >= firstEnd ? 1 : nil), "cut at \(length)")
        }
    }

    @Test("of a gzip file that is cut or damaged, the records before are kept")
    func damagedPacking() throws {
        // 3 MB, so that the fault is chunks away from what is kept.
        let articles = (1...6000).map(article)
        let packed = storedGzip(Data(("<PubmedArticleSet>" + articles.joined()).utf8))
        let cut = try fixture.folder.write(packed.prefix(packed.count / 2), to: "cut.xml.gz")
        let corpus = try fixture.run([cut]).corpus
        let numbers = try kept()
        #expect(numbers == Array(1...numbers.count) && (2900...3100).contains(numbers.count), "\(numbers.count)")
        let fault = try #require(corpus.sources[0].faults.last)
        #expect(corpus.sources[0].counts.faults == 1 && fault.byte == packed.count / 2, "\(fault)")
        #expect(fault.reason.contains("ends too early") && fault.resumedAtByte == nil)
    }

    @Test("faults beyond the tenth are counted, and told in one line")
    func manyFaults() throws {
        let path = try fixture.pubMed("a.xml", (1...30).map { article($0) + "</oops>" })
        let job = try fixture.job([path])
        let source = try #require(try job.run().corpus.sources.first)
        #expect(source.counts.faults == 30 && source.faults.count == 10)
        let lines = job.takeFaults()
        #expect(lines.count == 11 && lines.last == "\(path): 30 such places in all")
        #expect(try kept() == Array(1...30))
    }

    @Test("bad JSON lines are left out alone, and the first ones' places are kept")
    func badLines() throws {
        let path = try fixture.folder.write(
            "{\"text\": \"Fine.\"}\n{broken\n[1]\n{\"text\": \"Also fine.\"}\nlast", to: "a.jsonl")
        let corpus = try fixture.run([path]).corpus
        #expect(try fixture.documents() == ["Fine.", "Also fine."])
        #expect(corpus.sources[0].faults.map(\.byte) == [18, 26, 53])
        #expect(corpus.sources[0].faults.map(\.resumedAtByte) == [26, 30, nil])
        #expect(corpus.totals.articles == 2 && corpus.totals.faults == 3)
        #expect(throws: CorpusError.self) {
            try fixture.run([path], into: fixture.folder.file("strict"), isStrict: true)
        }
    }

    @Test("imported again, a malformed file adds nothing; mended, it gives what it would have given at first")
    func again() throws {
        let good = try fixture.pubMed("good.xml", [article(9)])
        let broken = [article(1), "<PubmedArticle><PMID>2</PMID>", article(3)]
        let path = try fixture.pubMed("a.xml", broken)
        _ = try fixture.job([path, good], unitBytes: 1).run()
        let first = try F.contents(of: fixture.corpus)
        let again = try fixture.job([path, good], unitBytes: 1).run()
        #expect(again.filesReused == 2 && again.corpus.totals.faults == 1 && again.corpus.totals.articles == 3)
        #expect(try F.contents(of: fixture.corpus) == first)
        // What an earlier run let pass, a strict one doesn't.
        let error = #expect(throws: CorpusError.self) {
            try fixture.job([path, good], isStrict: true, unitBytes: 1).run()
        }
        #expect(error?.description.contains("<PubmedArticle> inside <PubmedArticle>") == true)

        _ = try fixture.pubMed("a.xml", [article(1), article(2), article(3)])
        let mended = try fixture.job([path, good], unitBytes: 1).run()
        #expect(mended.filesReused == 1 && mended.corpus.totals.faults == 0)
        #expect(try kept() == [1, 2, 3, 9])
    }
}
