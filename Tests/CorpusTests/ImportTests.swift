import Corpus
import Foundation
import Testing

@Suite("Importing")
struct ImportTests {
    private let fixture: ImportFixture
    init() throws { fixture = try ImportFixture() }

    private typealias F = ImportFixture

    @Test("counts say what was read, what was kept and why the rest wasn't")
    func counts() throws {
        let path = try fixture.pubMed(
            "a.xml",
            [
                F.article(1, title: "One.", abstract: "First sentence. Second sentence."), F.article(2, title: "Two."),
                F.article(3, abstract: F.sentence(3), types: ["Retracted Publication"]),
            ], more: "<DeleteCitation><PMID>9</PMID></DeleteCitation>")
        let corpus = try fixture.run([path]) { $0.dropsRetracted = true }.corpus
        #expect(corpus.isComplete && corpus.sources.map(\.state) == [.imported] && corpus.sources[0].kind == .pubMed)
        #expect(corpus.totals.articles == 3 && corpus.totals.abstracts == 2 && corpus.totals.deletions == 1)
        #expect(corpus.totals.documents == 1 && corpus.totals.sentences == 3 && corpus.totals.retracted == 1)
        #expect(corpus.totals.skipped == ["no_text": 1, "retracted": 1])
        #expect(try fixture.documents() == ["One. First sentence. Second sentence."])
        #expect(try ImportedCorpus(readingFrom: fixture.corpus) == corpus)
        #expect(corpus.sources[0].digest == (try TestDigest.of(path)))
        #expect(corpus.shards[0].text.digest == (try TestDigest.of(fixture.corpus + "/" + corpus.shards[0].text.name)))
    }

    @Test(
        "options choose documents",
        arguments: [
            ({ @Sendable in $0.languages = ["en"] }, [1, 2, 4]), ({ $0.languages = ["ger", "fr"] }, [3]),
            ({ $0.firstYear = 2000 }, [2, 3, 4]), ({ $0.lastYear = 1999 }, [1]),
            (
                {
                    $0.firstYear = 1990; $0.lastYear = 2010
                }, [1, 2]
            ),
            ({ $0.meshTerms = ["asthma"] }, [2, 3]), ({ $0.queries = ["Heart FAILURE"] }, [4]),
            ({ $0.queries = ["heart w1x3", "w2x11"] }, [2]), ({ $0.minimumWords = 14 }, [4]),
        ] as [(@Sendable (inout ImportOptions) -> Void, [Int])])
    func choice(change: @Sendable (inout ImportOptions) -> Void, kept: [Int]) throws {
        let path = try fixture.pubMed(
            "a.xml",
            [
                F.article(1, title: "T1", abstract: F.sentence(1), year: 1990),
                F.article(2, title: "T2", abstract: F.sentence(2), year: 2000, mesh: ["Humans", "Asthma"]),
                F.article(3, title: "T3", abstract: F.sentence(3), language: "ger", year: 2011, mesh: ["Asthma"]),
                F.article(4, title: "T4", abstract: F.sentence(4) + " Failure of the heart.", year: 2020),
            ])
        try fixture.run([path], change)
        #expect(try fixture.documents().map { $0.prefix(2) } == kept.map { "T\($0)" })
    }

    @Test("of the revisions of a PMID across files the newest is kept, and a later deletion removes it")
    func revisions() throws {
        let files = [
            try fixture.pubMed(
                "pubmed24n0002.xml",
                [
                    F.article(1, title: "One, later.", abstract: F.sentence(11)),
                    F.article(2, title: "Two, of an older date.", abstract: F.sentence(21), revised: 20_190_101),
                    F.article(3, title: "Three, a lower version.", abstract: F.sentence(31), version: 1),
                    F.article(5, title: "Five, again.", abstract: F.sentence(51)),
                    F.article(6, title: "Six, without an abstract now."),
                ], more: "<DeleteCitation><PMID>4</PMID><PMID>7</PMID></DeleteCitation>"),
            try fixture.pubMed(
                "pubmed24n0001.xml",
                [
                    F.article(1, title: "One.", abstract: F.sentence(1)),
                    F.article(2, title: "Two.", abstract: F.sentence(2), revised: 20_200_101),
                    F.article(3, title: "Three.", abstract: F.sentence(3), version: 2),
                    F.article(4, title: "Four.", abstract: F.sentence(4)),
                    F.article(5, title: "Five.", abstract: F.sentence(5)),
                    F.article(6, title: "Six.", abstract: F.sentence(6)),
                ], more: "<DeleteCitation><PMID>5</PMID></DeleteCitation>"),
        ]
        // Release files are read in the order of their numbers, in whatever order they are given.
        let corpus = try fixture.run(files).corpus
        #expect(
            corpus.sources.map { ($0.path as NSString).lastPathComponent } == [
                "pubmed24n0001.xml", "pubmed24n0002.xml",
            ])
        #expect(
            try fixture.documents().compactMap { $0.split(separator: " w").first.map(String.init) } == [
                "Two.", "Three.", "One, later.", "Five, again.",
            ])
        #expect(corpus.totals.skipped == ["superseded": 4, "deleted": 2, "no_text": 1])
    }

    @Test("other abstracts stand in for a missing one, are documents of their own, or are left out")
    func otherAbstracts() throws {
        func other(_ text: String, _ language: String) -> String {
            "<OtherAbstract Type=\"Publisher\" Language=\"\(language)\"><AbstractText>\(text)</AbstractText></OtherAbstract>"
        }
        let path = try fixture.pubMed(
            "a.xml",
            [
                F.article(1, title: "One.", abstract: "Main text here.", more: other("Texte un.", "fre")),
                F.article(2, title: "Two.", more: other("Texto dos.", "spa") + other("Texte deux.", "fre")),
            ])
        func kept(_ which: ImportOptions.OtherAbstracts, _ languages: [String] = []) throws -> [String] {
            let directory = fixture.folder.file("corpus-\(which)-\(languages.count)")
            try fixture.run([path], into: directory) {
                $0.otherAbstracts = which
                $0.languages = languages
            }
            return try fixture.documents(in: directory)
        }
        #expect(try kept(.none) == ["One. Main text here."])
        #expect(try kept(.missing) == ["One. Main text here.", "Two. Texto dos."])
        #expect(try kept(.missing, ["eng", "fre"]) == ["One. Main text here.", "Two. Texte deux."])
        #expect(
            try kept(.all) == ["One. Main text here.", "One. Texte un.", "Two. Texto dos.", "Two. Texte deux."])
    }

    @Test("labels and titles without an abstract are kept on request")
    func labelsAndTitles() throws {
        let labelled = F.article(1, title: "One.").replacing(
            "</ArticleTitle>",
            with:
                "</ArticleTitle><Abstract><AbstractText Label=\"AIM\" NlmCategory=\"OBJECTIVE\">We try.</AbstractText></Abstract>"
        )
        let path = try fixture.pubMed("a.xml", [labelled, F.article(2, title: "Only a title.")])
        let corpus = try fixture.run([path]) {
            $0.keepsLabels = true
            $0.keepsTitlesAlone = true
        }.corpus
        #expect(try fixture.documents() == ["One. AIM: We try.", "Only a title."])
        #expect(corpus.totals.sectionsByCategory == ["OBJECTIVE": 1])
    }

    @Test("licence notes are kept with their documents and counted")
    func licences() throws {
        func noted(_ pmid: Int, _ note: String) -> String {
            F.article(pmid, abstract: F.sentence(pmid)).replacing(
                "</AbstractText>", with: "</AbstractText><CopyrightInformation>\(note)</CopyrightInformation>")
        }
        let path = try fixture.pubMed(
            "a.xml", [noted(1, "© \"A\""), noted(2, "CC BY"), noted(3, "CC BY"), F.article(4, abstract: F.sentence(4))])
        let corpus = try fixture.run([path]).corpus
        #expect(corpus.licences.map(\.note) == ["CC BY", "© \"A\""] && corpus.licences.map(\.documents) == [2, 1])
        #expect(corpus.withoutLicence == 1)
        let reader = try TextReader(path: fixture.corpus + "/" + corpus.shards[0].records.name)
        var lines = TextDocument()
        #expect(try reader.next(into: &lines))
        let first = try JSONSerialization.jsonObject(with: Data(lines.sentences[0].utf8)) as? [String: Any]
        #expect(lines.sentenceCount == 4)
        #expect(
            first?["licence"] as? String == "© \"A\"" && first?["pmid"] as? Int == 1 && first?["year"] as? Int == 2020)
    }

    @Test("plain text, JSON lines and articles are read, by name or by how they begin")
    func kinds() throws {
        let sources = [
            try fixture.folder.write("One sentence. Another.\nA line\n\nNext document.\n", to: "a.txt"),
            try fixture.folder.write(
                """
                {"title": "T.", "abstract": ["Part one.", "Part two."], "text": "More."}

                {"headline": "no known key"}
                {"title": "Caf\\u00e9\\u0000\\tnoir", "abstract": "x\\ny", "more": [1, {"a": null}]}
                """, to: "b.jsonl"),
            try fixture.folder.write(
                """
                <!DOCTYPE article PUBLIC "-//NLM//DTD" "x.dtd"><article xml:lang="en-GB"><front><article-meta><title-group>
                <article-title>An article.</article-title></title-group><abstract><p>Its abstract.</p></abstract>
                </article-meta></front><body><sec><title>Intro</title><p>Body <italic>text</italic>.</p></sec></body></article>
                """, to: "c.unknown"),
            try fixture.folder.write("{\"text\": \"Told by its first byte.\"}", to: "d.dat"),
        ]
        let corpus = try fixture.run(sources).corpus
        #expect(corpus.sources.map(\.kind) == [.text, .jsonLines, .article, .jsonLines])
        #expect(
            try fixture.documents() == [
                "One sentence. Another. A line", "Next document.", "T. Part one. Part two. More.", "Café noir x y",
                "An article. Its abstract. Body text.", "Told by its first byte.",
            ])
        // Small files share a shard.
        #expect(corpus.shards.count == 1 && corpus.totals.skipped == ["no_text": 1])
    }

    @Test("keys of JSON lines can be chosen, and wrapped lines joined")
    func readingOptions() throws {
        let json = try fixture.folder.write(
            "{\"head\": \"H.\", \"body\": \"B.\", \"text\": \"unread\"}\n", to: "a.jsonl")
        let text = try fixture.folder.write("A sentence that\ngoes on. Next\none.\n", to: "b.txt")
        try fixture.run([json, text]) {
            $0.jsonKeys.title = ["head"]
            $0.jsonKeys.text = ["body"]
            $0.joinsLines = true
        }
        #expect(try fixture.documents() == ["H. B.", "A sentence that goes on. Next one."])
        let reader = try TextReader(path: fixture.corpus + "/text/00001-a.txt.gz")
        var document = TextDocument()
        _ = try reader.next(into: &document)
        _ = try reader.next(into: &document)
        #expect(document.sentences == ["A sentence that goes on.", "Next one."])
    }

    @Test("a directory gives its files by name, and what can't be imported is counted")
    func directories() throws {
        let folder = fixture.folder.file("sources")
        try FileManager.default.createDirectory(atPath: folder + "/sub", withIntermediateDirectories: true)
        _ = try fixture.pubMed("sources/sub/b.xml", [F.article(2, title: "B.", abstract: F.sentence(2))])
        _ = try fixture.pubMed("sources/a.xml", [F.article(1, title: "A.", abstract: F.sentence(1))])
        _ = try fixture.folder.write("x", to: "sources/a.xml.md5")
        _ = try fixture.folder.write("x", to: "sources/.hidden.txt")
        // Also where the corpus is written into the very directory.
        for _ in 0..<2 {
            let outcome = try fixture.run([folder], into: folder + "/corpus")
            #expect(outcome.filesIgnored == 1)
            #expect(try fixture.documents(in: folder + "/corpus").map { $0.prefix(2) } == ["A.", "B."])
        }
    }

    @Test("small files share a shard by what they unpack to, so that packed release files are read side by side")
    func units() throws {
        let sources = try (1...2).map { number in
            let xml = "<PubmedArticleSet>\(F.article(number, abstract: F.sentence(number)))</PubmedArticleSet>"
            return try fixture.folder.write(storedGzip(Data(xml.utf8)), to: "\(number).xml.gz")
        }
        let bytes = try sources.reduce(0) { sum, path in
            sum + (try #require(FileManager.default.contents(atPath: path)).count)
        }
        for (unitBytes, shards) in [(8 * bytes, 1), (8 * bytes - 1, 2)] {
            let directory = fixture.folder.file("corpus-\(shards)")
            let job = try fixture.job(sources, into: directory, unitBytes: unitBytes)
            #expect(try job.run().corpus.shards.count == shards)
        }
    }
}
