import Foundation
import Jobs

/// Writes files with the structure of PubMed's releases around synthetic abstracts: to measure an import with, at any size.
///
/// Authors, references, MeSH headings and the rest take the share that they take of a real record, so that text is about
/// a tenth of the bytes. Some citations are revised in a later file, deleted by a later one, have no abstract, or copy an
/// earlier abstract; `Contents` says how many, so that an import can be checked against it.
public struct SyntheticPubMed {
    /// What was written.
    public struct Contents: Codable, Hashable, Sendable {
        /// Files.
        public var files = 0
        /// Their size on disk.
        public var bytes = 0
        /// Bytes of XML.
        public var xmlBytes = 0
        /// `PubmedArticle` elements.
        public var citations = 0
        /// Of these, with an abstract.
        public var abstracts = 0
        /// Of these, revised by a later one.
        public var superseded = 0
        /// Of these, named by a `DeleteCitation`.
        public var deleted = 0
        /// Of these, with the words of an earlier one, which nothing else is done to.
        public var copies = 0
        /// Bytes of titles and abstracts.
        public var textBytes = 0
    }

    /// Abstracts that are held to be revised, deleted or copied.
    private static let memory = 512

    /// What was written so far.
    public private(set) var contents = Contents()
    private let seed: UInt64
    private let abstracts: SyntheticAbstracts
    private var document = TextDocument()
    private var xml: [UInt8] = []
    private var number = 0
    /// Citations of the file before: each is revised, deleted or copied at most once.
    private var earlier: [Citation] = []
    private var current: [Citation] = []

    /// A citation, kept where something may be done to it in the next file.
    private struct Citation {
        var pmid: Int
        /// Its title, and its abstract's sentences.
        var sentences: [String]
        /// Whether its abstract has some words in italics, as species have in PubMed.
        var hasMarkup: Bool
        var isRevision = false
        var isCopy = false
    }

    /// A generator; the same files for the same seed.
    public init(seed: UInt64) {
        self.seed = seed
        abstracts = SyntheticAbstracts(documents: .max, seed: seed)
    }

    /// Writes the next file, `pubmed99nNNNN.xml.gz` or `.xml`, of at least `xmlBytes` bytes of XML, into `directory`.
    ///
    /// - Returns: its path.
    public mutating func writeFile(xmlBytes: Int, packed: Bool, into directory: String) throws -> String {
        contents.files += 1
        let digits = String(contents.files)
        let name = "pubmed99n" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        let path = "\(directory)/\(name).xml\(packed ? ".gz" : "")"
        let file = try FileWriter(path: path)
        let gzip = packed ? try GzipWriter(file) : nil
        var written = 0
        func flush(_ xml: inout [UInt8]) throws {
            try xml.withUnsafeBytes { try gzip?.write($0) ?? file.write($0) }
            written += xml.count
            xml.removeAll(keepingCapacity: true)
        }
        xml.append(contentsOf: Self.prologue.utf8)
        var deletions: [Int] = []
        while written + xml.count < xmlBytes {
            try writeCitation(&deletions)
            if xml.count > 1 << 16 { try flush(&xml) }
        }
        if !deletions.isEmpty {
            add("  <DeleteCitation>\n")
            for pmid in deletions { add("    <PMID Version=\"1\">\(pmid)</PMID>\n") }
            add("  </DeleteCitation>\n")
        }
        add("</PubmedArticleSet>\n")
        try flush(&xml)
        contents.bytes += try gzip?.finish().bytes ?? file.finish().bytes
        contents.xmlBytes += written
        earlier = current
        current = []
        return path
    }

    private static let prologue = """
        <?xml version="1.0" encoding="utf-8"?>
        <!DOCTYPE PubmedArticleSet SYSTEM "http://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_240101.dtd">
        <PubmedArticleSet>

        """

    private mutating func writeCitation(_ deletions: inout [Int]) throws {
        number += 1
        var random = CounterRandom(seed: seed, purpose: .syntheticText, step: UInt64(number), example: .max)
        let citation = try nextCitation(&random, &deletions)
        count(citation)
        writeHead(citation)
        addText(citation.sentences.first ?? "")
        add("</ArticleTitle>\n        <ELocationID EIdType=\"doi\" ValidYN=\"Y\">10.0000/s.\(number)</ELocationID>\n")
        if citation.sentences.count > 1 { writeAbstract(citation) }
        writeAuthors(&random)
        writeJournal()
        writeHeadings(&random)
        add("    </MedlineCitation>\n")
        writeHistory(citation.pmid, &random)
        add("  </PubmedArticle>\n")
    }

    /// The next citation: now and then one that is withdrawn, a revision or a copy of an earlier one, or a title alone.
    private mutating func nextCitation(_ random: inout CounterRandom, _ deletions: inout [Int]) throws -> Citation {
        // Two of the generator's abstracts are as long as one of PubMed's.
        _ = try abstracts.next(into: &document)
        var citation = Citation(
            pmid: 50_000_000 + number, sentences: document.sentences, hasMarkup: number % 7 == 0)
        _ = try abstracts.next(into: &document)
        citation.sentences += document.sentences.dropFirst()
        switch random.nextIndex(below: 100) {
        case 0 where !earlier.isEmpty:
            deletions.append(earlier.removeLast().pmid)
            contents.deleted += 1
        case 1 where !earlier.isEmpty:
            citation.pmid = earlier.removeLast().pmid
            citation.isRevision = true
            contents.superseded += 1
        case 2 where !earlier.isEmpty:
            let original = earlier.removeLast()
            (citation.sentences, citation.hasMarkup) = (original.sentences, original.hasMarkup)
            citation.isCopy = true
            contents.copies += 1
        case 3..<23: citation.sentences = Array(citation.sentences.prefix(1))
        default: break
        }
        return citation
    }

    /// Counts a citation, and remembers it for what may be done to it in the next file.
    private mutating func count(_ citation: Citation) {
        contents.citations += 1
        contents.textBytes += citation.sentences.reduce(0) { $0 + $1.utf8.count }
        guard citation.sentences.count > 1 else { return }
        contents.abstracts += 1
        // One thing is done to a citation at most, so that the counts tell what becomes of each.
        if !citation.isRevision, !citation.isCopy, current.count < Self.memory { current.append(citation) }
    }

    /// What comes before the title.
    private mutating func writeHead(_ citation: Citation) {
        add(
            """
              <PubmedArticle>
                <MedlineCitation Status="MEDLINE" Owner="NLM" IndexingMethod="Automated">
                  <PMID Version="1">\(citation.pmid)</PMID>
                  <DateCompleted>
                    <Year>2021</Year>
                    <Month>06</Month>
                    <Day>11</Day>
                  </DateCompleted>
                  <DateRevised>
                    <Year>\(citation.isRevision ? 2023 : 2022)</Year>
                    <Month>0\(1 + number % 9)</Month>
                    <Day>\(10 + number % 18)</Day>
                  </DateRevised>
                  <Article PubModel="Print-Electronic">
                    <Journal>
                      <ISSN IssnType="Electronic">1234-56\(10 + number % 90)</ISSN>
                      <JournalIssue CitedMedium="Internet">
                        <Volume>\(1 + number % 80)</Volume>
                        <Issue>\(1 + number % 12)</Issue>
                        <PubDate>
                          <Year>\(1980 + number % 44)</Year>
                          <Month>Jun</Month>
                        </PubDate>
                      </JournalIssue>
                      <Title>Synthetic journal of medicine</Title>
                      <ISOAbbreviation>Synth J Med</ISOAbbreviation>
                    </Journal>
                    <ArticleTitle>
            """)
    }

    private mutating func writeJournal() {
        add(
            """
                    <Language>\(number % 20 == 0 ? "ger" : "eng")</Language>
                    <PublicationTypeList>
                      <PublicationType UI="D016428">Journal Article</PublicationType>
                    </PublicationTypeList>
                  </Article>
                  <MedlineJournalInfo>
                    <Country>Netherlands</Country>
                    <MedlineTA>Synth J Med</MedlineTA>
                    <NlmUniqueID>0000001</NlmUniqueID>
                    <ISSNLinking>1234-5678</ISSNLinking>
                  </MedlineJournalInfo>
                  <CitationSubset>IM</CitationSubset>

            """)
    }

    private mutating func writeAbstract(_ citation: Citation) {
        let sentences = citation.sentences
        let isLabelled = number % 3 == 0
        add("        <Abstract>\n")
        if isLabelled, sentences.count > 3 {
            let parts = [("BACKGROUND", 1..<2), ("METHODS", 2..<3), ("RESULTS", 3..<sentences.count)]
            for (label, range) in parts {
                add("          <AbstractText Label=\"\(label)\" NlmCategory=\"\(label)\">")
                addText(sentences[range].joined(separator: " "))
                if citation.hasMarkup, label == "RESULTS" { add(Self.markup) }
                add("</AbstractText>\n")
            }
        } else {
            add("          <AbstractText>")
            addText(sentences.dropFirst().joined(separator: " "))
            if citation.hasMarkup { add(Self.markup) }
            add("</AbstractText>\n")
        }
        add("          <CopyrightInformation>Written by a program; free of rights.</CopyrightInformation>\n")
        add("        </Abstract>\n")
    }

    private mutating func writeAuthors(_ random: inout CounterRandom) {
        add("        <AuthorList CompleteYN=\"Y\">\n")
        for _ in 0..<(1 + random.nextIndex(below: 9)) {
            let family = Self.families[random.nextIndex(below: Self.families.count)]
            let place = Self.places[random.nextIndex(below: Self.places.count)]
            add(
                """
                          <Author ValidYN="Y">
                            <LastName>\(family)</LastName>
                            <ForeName>A B</ForeName>
                            <Initials>AB</Initials>
                            <AffiliationInfo>
                              <Affiliation>Department of Synthetic Medicine, School of Public Health and Clinical Research, University of \(place), 1\(number % 9) Example Road, \(place), No Country. \(family)@example.org.</Affiliation>
                            </AffiliationInfo>
                          </Author>

                """)
        }
        add("        </AuthorList>\n")
    }

    private mutating func writeHeadings(_ random: inout CounterRandom) {
        add("      <MeshHeadingList>\n")
        for _ in 0..<(4 + random.nextIndex(below: 12)) {
            let place = random.nextIndex(below: Self.headings.count)
            add(
                """
                        <MeshHeading>
                          <DescriptorName UI="D00\(1000 + place)" MajorTopicYN="N">\(Self.headings[place])</DescriptorName>
                          <QualifierName UI="Q000175" MajorTopicYN="N">diagnosis</QualifierName>
                        </MeshHeading>

                """)
        }
        add("      </MeshHeadingList>\n")
    }

    private mutating func writeHistory(_ pmid: Int, _ random: inout CounterRandom) {
        add("    <PubmedData>\n      <History>\n")
        for status in ["received", "accepted", "pubmed", "medline"] {
            add(
                """
                        <PubMedPubDate PubStatus="\(status)">
                          <Year>2020</Year>
                          <Month>5</Month>
                          <Day>28</Day>
                          <Hour>6</Hour>
                          <Minute>0</Minute>
                        </PubMedPubDate>

                """)
        }
        add(
            """
                  </History>
                  <PublicationStatus>ppublish</PublicationStatus>
                  <ArticleIdList>
                    <ArticleId IdType="pubmed">\(pmid)</ArticleId>
                    <ArticleId IdType="doi">10.0000/s.\(number)</ArticleId>
                  </ArticleIdList>
                  <ReferenceList>

            """)
        for _ in 0..<random.nextIndex(below: 24) {
            let family = Self.families[random.nextIndex(below: Self.families.count)]
            add(
                """
                        <Reference>
                          <Citation>\(family) A, et al. A study of studies. Synth J Med. 2009;1:\(random.nextIndex(below: 1000))-9.</Citation>
                          <ArticleIdList>
                            <ArticleId IdType="pubmed">\(1_000_000 + random.nextIndex(below: 40_000_000))</ArticleId>
                          </ArticleIdList>
                        </Reference>

                """)
        }
        add("      </ReferenceList>\n    </PubmedData>\n")
    }

    private mutating func add(_ text: String) { xml.append(contentsOf: text.utf8) }

    /// Adds character data.
    private mutating func addText(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "<"): add("&lt;")
            case UInt8(ascii: ">"): add("&gt;")
            case UInt8(ascii: "&"): add("&amp;")
            default: xml.append(byte)
            }
        }
    }

    private static let markup = " <i>In silico</i> data &#x3b1;&#xb2;."
    private static let families = [
        "Abel", "Bauer", "Castro", "Dubois", "Eriksson", "Fischer", "Garcia", "Huang", "Ito", "Jensen", "Kowalski",
        "Lind",
        "Moreau", "Nowak", "Okafor", "Patel", "Quinn", "Rossi", "Silva", "Tanaka", "Umar", "Virtanen", "Weber", "Zhang",
    ]
    private static let places = ["Northfield", "Easton", "Southgate", "Westbrook", "Midtown", "Lakeside", "Hillview"]
    private static let headings = [
        "Humans", "Animals", "Female", "Male", "Adult", "Aged", "Middle Aged", "Child", "Adolescent", "Mice", "Rats",
        "Risk Factors", "Treatment Outcome", "Retrospective Studies", "Prospective Studies", "Cohort Studies",
        "Prognosis", "Time Factors", "Follow-Up Studies", "Signal Transduction", "Cell Line, Tumor", "Mutation",
        "Neoplasms", "Hypertension", "Asthma", "Stroke", "Quality of Life", "Surveys and Questionnaires",
    ]
}
