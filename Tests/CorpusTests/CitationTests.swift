import Corpus
import Foundation
import Testing

@Suite("Citations")
struct CitationTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func records(_ reader: any CitationReader) throws -> [CitationRecord] {
        var records: [CitationRecord] = []
        while let record = try reader.next() { records.append(record) }
        return records
    }

    private func pubMed(_ xml: String) throws -> [CitationRecord] {
        try records(PubMedReader(path: try folder.write(xml, to: "a.xml")))
    }

    private func citation(_ article: String) throws -> Citation {
        let found = try pubMed("<PubmedArticleSet><PubmedArticle>\(article)</PubmedArticle></PubmedArticleSet>")
        guard case .citation(let citation) = try #require(found.first), found.count == 1 else {
            throw CorpusError.noText(path: "not one citation")
        }
        return citation
    }

    @Test("a citation's fields are read through inline markup and character references")
    func fields() throws {
        let citation = try self.citation(
            """
            <MedlineCitation><PMID Version="3">123</PMID><DateRevised><Year>2022</Year><Month>01</Month><Day>17</Day></DateRevised><Article>
            <Journal><JournalIssue><PubDate><MedlineDate>1998 Dec-1999 Jan</MedlineDate></PubDate></JournalIssue>
            <Title>Journal of Tests</Title></Journal><ArticleTitle>[Effect of <i>E. coli</i> on &#946;<sub>2</sub>
            &amp; H&#x2082;O.].</ArticleTitle><Abstract><AbstractText Label="METHODS" NlmCategory="METHODS">p &lt; 0.05
            <mml:math xmlns:mml="x"><mml:mi>x</mml:mi></mml:math>.</AbstractText><AbstractText/><AbstractText
            Label="UNLABELLED"><![CDATA[a <b> & c]]></AbstractText><CopyrightInformation>(c) 2000</CopyrightInformation>
            </Abstract><Language>ger</Language><PublicationTypeList><PublicationType UI="D016441">Retracted Publication
            </PublicationType></PublicationTypeList></Article><MeshHeadingList><MeshHeading><DescriptorName UI="D006801">Humans
            </DescriptorName></MeshHeading></MeshHeadingList><OtherAbstract Type="Publisher" Language="spa"><AbstractText>hola
            </AbstractText></OtherAbstract><CommentsCorrectionsList><CommentsCorrections><PMID Version="1">9</PMID>
            </CommentsCorrections></CommentsCorrectionsList></MedlineCitation><PubmedData><History><PubMedPubDate><Year>1
            </Year></PubMedPubDate></History></PubmedData>
            """)
        #expect(citation.pmid == 123 && citation.version == 3)
        #expect(citation.title == "Effect of E. coli on β2 & H₂O.")
        #expect(citation.year == 1998)
        #expect(citation.journal == "Journal of Tests")
        #expect(
            citation.sections == [
                Citation.Section(label: "METHODS", category: "METHODS", text: "p < 0.05 x."),
                Citation.Section(text: "a <b> & c"),
            ])
        #expect(
            citation.otherAbstracts == [
                Citation.OtherAbstract(kind: "Publisher", language: "spa", sections: [Citation.Section(text: "hola")])
            ])
        #expect(citation.licence == "(c) 2000")
        #expect(citation.languages == ["ger"])
        #expect(citation.meshTerms == ["Humans"] && citation.meshNumbers == ["D006801"])
        #expect(citation.isRetracted)
        #expect(citation.revised == 20_220_117)
    }

    @Test("a retraction is told by its notice as well as by the kind of publication")
    func retractions() throws {
        let notice = """
            <MedlineCitation><PMID>1</PMID><CommentsCorrectionsList><CommentsCorrections RefType="%"><PMID>2</PMID>
            </CommentsCorrections></CommentsCorrectionsList></MedlineCitation>
            """
        #expect(try citation(notice.replacing("%", with: "RetractionIn")).isRetracted)
        // The notice itself isn't retracted.
        #expect(try !citation(notice.replacing("%", with: "RetractionOf")).isRetracted)
    }

    @Test("a PMID that is no number spoils its own record alone")
    func badNumber() throws {
        let found = try pubMed(
            """
            <PubmedArticleSet><PubmedArticle><PMID>x</PMID><ArticleTitle>A</ArticleTitle></PubmedArticle><PubmedArticle>
            <PMID>2</PMID></PubmedArticle></PubmedArticleSet>
            """)
        guard case .citation(let first) = found[0], case .citation(let second) = found[1] else { return }
        #expect(first.defect == .badNumber && second.defect == nil && second.pmid == 2)
    }

    @Test("files of before 2005, with MedlineCitation alone, are read as well")
    func oldSets() throws {
        let found = try pubMed(
            """
            <MedlineCitationSet><MedlineCitation><PMID>7</PMID><Article><ArticleTitle>Old.</ArticleTitle></Article>
            </MedlineCitation></MedlineCitationSet>
            """)
        guard case .citation(let citation) = try #require(found.first) else { return }
        #expect(found.count == 1 && citation.pmid == 7 && citation.title == "Old.")
    }

    @Test("a text reads the same wherever the file is cut into chunks")
    func chunkEdges() throws {
        // The record is moved over the end of the first chunk of 256 KiB, byte by byte.
        let record = """
            <PubmedArticle><!--c--><?p i?><PMID Version="1">1</PMID><ArticleTitle>a&amp;<i>b</i>&#946;<![CDATA[c]]d]]> \u{3b2}é\
            </ArticleTitle></PubmedArticle>
            """
        let chunk = 1 << 18
        let head = "<PubmedArticleSet>"
        let expected = "a&bβc]]d βé"
        for shift in 0...record.utf8.count {
            let padding = String(repeating: " ", count: chunk - head.utf8.count - shift)
            let found = try pubMed(head + padding + record + "</PubmedArticleSet>")
            guard case .citation(let citation) = try #require(found.first) else { return }
            #expect(citation.title == expected, "shifted by \(shift)")
        }
    }

    @Test("deletions are read in their place")
    func deletions() throws {
        let found = try pubMed(
            """
            <?xml version="1.0"?><!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD" "https://dtd.example/x.dtd">
            <!-- a comment --><PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID></MedlineCitation>
            </PubmedArticle><PubmedBookArticle><PMID>7</PMID></PubmedBookArticle><DeleteCitation><PMID Version="1">5</PMID>
            <PMID>6</PMID></DeleteCitation></PubmedArticleSet>
            """)
        #expect(found.count == 2)
        #expect(found.last == .deletion([5, 6]))
    }

    @Test(
        "XML that breaks the rules, or could grow without bound, is refused with its byte",
        arguments: [
            ("<!DOCTYPE x [<!ENTITY a \"ha\">]><PubmedArticleSet/>", "declarations of its own"),
            ("<PubmedArticleSet>&lol;</PubmedArticleSet>", "the entity &lol; isn't defined"),
            ("<PubmedArticleSet><a></b></PubmedArticleSet>", "</b> where </a> is due"),
            ("<PubmedArticleSet><a>", "the text ends inside <a>"),
            ("<PubmedArticleSet><a", "the text ends inside a tag"),
            ("<PubmedArticleSet/><PubmedArticleSet/>", "a second document element"),
            ("<PubmedArticleSet/>more", "text after the document element"),
            ("<html></html>", "<html> where <PubmedArticleSet> is due"),
            ("plain text", "it doesn't begin as XML does"),
            ("", "there is no element"),
            ("<PubmedArticleSet a=1/>", "without quotes"),
            ("<PubmedArticleSet>&#0;</PubmedArticleSet>", "names no character"),
            ("<PubmedArticleSet>&#xD800;</PubmedArticleSet>", "names no character"),
            ("<PubmedArticleSet><!-- never ended</PubmedArticleSet>", "the text ends before '-->'"),
            ("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><PubmedArticleSet/>", "its encoding is 'ISO-8859-1'"),
            ("\u{feff}no XML", "it doesn't begin as XML does"),
            ("<PubmedArticleSet><a b=\"&lol;\"/></PubmedArticleSet>", "the entity &lol; isn't defined"),
            ("<PubmedArticleSet>&#1;</PubmedArticleSet>", "names no character"),
            ("<PubmedArticleSet><![CDATA[never ended</PubmedArticleSet>", "the text ends inside CDATA"),
            (
                "<PubmedArticleSet>a & b; and so on, for more than sixty-four bytes of text in all of it</x>",
                "isn't defined"
            ),
        ])
    func refusesBadXML(xml: String, reason: String) throws {
        let error = try #require(throws: CorpusError.self) { try pubMed(xml) }
        guard case .malformed(_, let byte, let found) = error else {
            Issue.record("another error: \(error)")
            return
        }
        #expect(found.contains(reason))
        #expect(byte >= 0 && byte <= xml.utf8.count)
    }

    @Test("elements that nest too deep are refused, not recursed into")
    func refusesDepth() {
        let xml = "<PubmedArticleSet>" + String(repeating: "<a>", count: 100_000)
        #expect(throws: CorpusError.self) { try pubMed(xml) }
    }

    @Test("a text cut at any byte is refused, and never traps")
    func cutAnywhere() throws {
        let whole = """
            <?xml version="1.0"?><!DOCTYPE a PUBLIC "x" "y"><PubmedArticleSet><!-- c --><PubmedArticle><PMID V="1">1</PMID>\
            <ArticleTitle>a&amp;b<![CDATA[c]]></ArticleTitle></PubmedArticle></PubmedArticleSet>
            """
        for length in 0..<(whole.utf8.count - 1) {
            let cut = String(decoding: Array(whole.utf8.prefix(length)), as: UTF8.self)
            #expect(throws: CorpusError.self, "cut at \(length)") { try pubMed(cut) }
        }
        #expect(try pubMed(whole).count == 1)
    }

    @Test(
        "a real PubMed record reads as lxml reads it",
        .enabled(if: SharedData.path("xml/pubmed-29768149.xml") != nil, Comment(rawValue: SharedData.absence)))
    func realRecord() throws {
        let path = try #require(SharedData.path("xml/pubmed-29768149.xml"))
        let found = try records(PubMedReader(path: path))
        guard case .citation(let citation) = try #require(found.first) else { return }
        #expect(found.count == 1)
        #expect(citation.pmid == 29_768_149 && citation.year == 2018 && citation.languages == ["eng"])
        #expect(citation.sections.map(\.label) == ["BACKGROUND", "METHODS", "RESULTS", "CONCLUSIONS"])
        #expect(citation.meshTerms.count == 23)
        #expect(
            citation.document().sentences.first == "Inhaled Combined Budesonide-Formoterol as Needed in Mild Asthma.")
    }

    @Test(
        "real articles of PubMed Central give their title and paragraphs",
        .enabled(if: SharedData.directory != nil, Comment(rawValue: SharedData.absence)),
        arguments: [
            ("1471-2180-11-174.nxml.gz", UInt32(21_810_267), 2011), ("pntd.0002065.nxml.gz", 23_469_300, 2013),
            ("pone.0000217.nxml.gz", 17_299_597, 2007),
        ])
    func realArticles(name: String, pmid: UInt32, year: Int) throws {
        let path = try #require(SharedData.path("xml/" + name))
        guard case .citation(let citation) = try #require(try ArticleReader(path: path).next()) else { return }
        #expect(citation.pmid == pmid && citation.year == year)
        #expect(citation.sections.count > 20)
        #expect(citation.licence.lowercased().contains("creative commons"))
    }
}

@Suite("Splitting sentences")
struct SentenceSplitterTests {
    @Test(
        "abbreviations, numbers and names end no sentence",
        arguments: [
            [
                "Smith et al. (2003) found E. coli in Fig. 2 at p < 0.05.",
                "It was given i.v. at 3.5 mg/kg vs. placebo.",
            ],
            ["Cells were kept at 37 °C.", "Then they were fixed."],
            ["The dose was 3.5 mg.", "p53 was not measured.", "Was it?", "No.", "(It never was.)", "\"Yes.\"", "End."],
            ["Vitamin C is given for group B.", "Patients with hepatitis B.", "Others were excluded."],
            ["J. Smith and A. B. Jones wrote to Dr. Brown, e.g. about S. aureus."],
            ["No. 5 was best.", "There were no others, i.e. none."],
            ["A sp. nov. was found (see Refs. 3 and 4).", "mRNA was low."],
        ])
    func splits(sentences: [String]) {
        #expect(SentenceSplitter().sentences(of: sentences.joined(separator: "  ")) == sentences)
    }

    @Test("nothing, blanks and text with no stop")
    func degenerate() {
        #expect(SentenceSplitter().sentences(of: "") == [])
        #expect(SentenceSplitter().sentences(of: " \n\t ") == [])
        #expect(SentenceSplitter().sentences(of: " no stop\u{a0} here ") == ["no stop here"])
        #expect(SentenceSplitter().sentences(of: "...") == ["..."])
    }

    @Test(
        "of the sentence ends of the real abstracts, 98 % found are marked and 96 % marked are found",
        .enabled(if: SharedData.path("pretrain/sample-2000.txt.gz") != nil, Comment(rawValue: SharedData.absence)))
    func realText() throws {
        let reader = try TextReader(path: try #require(SharedData.path("pretrain/sample-2000.txt.gz")))
        var document = TextDocument()
        var found = 0
        var marked = 0
        var both = 0
        func ends(_ sentences: [String]) -> Set<Int> {
            var length = 0
            return Set(
                sentences.dropLast().map { sentence in
                    length += sentence.utf8.count { $0 != 0x20 }
                    return length
                })
        }
        while try reader.next(into: &document) {
            let expected = ends(document.sentences)
            let got = ends(SentenceSplitter().sentences(of: document.sentences.joined(separator: " ")))
            found += got.count
            marked += expected.count
            both += got.intersection(expected).count
        }
        #expect(Double(both) / Double(found) > 0.98)
        #expect(Double(both) / Double(marked) > 0.96)
    }
}
