import Jobs

/// Reads PubMed's baseline and update files: `PubmedArticleSet` with `PubmedArticle` and `DeleteCitation`, plain or gzip.
///
/// Format: NLM's PubMed DTD. Books (`PubmedBookArticle`) are left out. Inline markup (`<i>`, `<sup>`, MathML) is read as its text.
public final class PubMedReader: CitationReader {
    private let path: String
    private let source: ByteSource
    private let scanner: XMLScanner
    private let name: Names
    private var isStarted = false

    /// The numbers of the elements that matter.
    private struct Names {
        var set, article, citation, deletion, pmid, title, vernacular, abstract, abstractText, copyright, other: Int
        var language, journal, journalTitle, date, year, medlineDate, mesh, descriptor, publicationType,
            articleDate: Int

        init(_ scanner: XMLScanner) {
            set = scanner.number(of: "PubmedArticleSet")
            article = scanner.number(of: "PubmedArticle")
            citation = scanner.number(of: "MedlineCitation")
            deletion = scanner.number(of: "DeleteCitation")
            pmid = scanner.number(of: "PMID")
            title = scanner.number(of: "ArticleTitle")
            vernacular = scanner.number(of: "VernacularTitle")
            abstract = scanner.number(of: "Abstract")
            abstractText = scanner.number(of: "AbstractText")
            copyright = scanner.number(of: "CopyrightInformation")
            other = scanner.number(of: "OtherAbstract")
            language = scanner.number(of: "Language")
            journal = scanner.number(of: "Journal")
            journalTitle = scanner.number(of: "Title")
            date = scanner.number(of: "PubDate")
            year = scanner.number(of: "Year")
            medlineDate = scanner.number(of: "MedlineDate")
            mesh = scanner.number(of: "MeshHeadingList")
            descriptor = scanner.number(of: "DescriptorName")
            publicationType = scanner.number(of: "PublicationType")
            articleDate = scanner.number(of: "ArticleDate")
        }
    }

    /// Opens the file at `path`.
    public init(path: String) throws {
        self.path = path
        source = try ByteSource(path: path)
        scanner = XMLScanner(source)
        name = Names(scanner)
    }

    /// The share of the file's bytes that has been read.
    public var fractionRead: Double {
        source.fileSize == 0 ? 1 : min(1, Double(source.consumed) / Double(source.fileSize))
    }

    /// The next record; nil at the end.
    public func next() throws -> CitationRecord? {
        do {
            return try read()
        } catch let fault as XMLFault {
            throw CorpusError.malformed(path: path, byte: fault.byte, reason: fault.reason)
        }
    }

    private func read() throws -> CitationRecord? {
        while true {
            switch try scanner.next() {
            case .start(let element):
                if !isStarted {
                    isStarted = true
                    guard element == name.set || element == name.article else {
                        throw XMLFault(
                            byte: scanner.byte, reason: "<\(scanner.names[element])> where <PubmedArticleSet> is due")
                    }
                    if element == name.set { continue }
                }
                if element == name.article { return .citation(try readArticle()) }
                if element == name.deletion { return .deletion(try readDeletion()) }
                try scanner.skipElement()
            case .finished: return nil
            case .end, .text: continue
            }
        }
    }

    private func readDeletion() throws -> [UInt32] {
        var numbers: [UInt32] = []
        let depth = scanner.path.count
        while true {
            switch try scanner.next() {
            case .start(let element) where element == name.pmid:
                if let number = UInt32(try scanner.readText()) { numbers.append(number) }
            case .start: try scanner.skipElement()
            case .end where scanner.path.count < depth: return numbers
            case .finished: return numbers
            case .end, .text: continue
            }
        }
    }

    /// Reads a `PubmedArticle` whose start tag has just been read. Numbers of commented articles and references are
    /// inside elements that are skipped, so the first PMID is the article's own.
    private func readArticle() throws -> Citation {
        var citation = Citation()
        let depth = scanner.path.count
        var vernacular = ""
        while true {
            switch try scanner.next() {
            case .finished: return citation
            case .text: continue
            case .end:
                guard scanner.path.count < depth else { continue }
                if citation.title.isEmpty { citation.title = vernacular }
                return citation
            case .start(let element):
                switch element {
                case name.pmid:
                    let version = scanner.attributes.first { $0.name == "Version" }?.value
                    let text = try scanner.readText()
                    guard citation.pmid == 0 else { continue }
                    guard let number = UInt32(text) else {
                        throw XMLFault(byte: scanner.byte, reason: "the PMID '\(text.prefix(20))' is no number")
                    }
                    citation.pmid = number
                    citation.version = version.flatMap { UInt16($0) } ?? 1
                case name.title: citation.title = Self.withoutBrackets(try scanner.readText())
                case name.vernacular: vernacular = try scanner.readText()
                case name.abstractText:
                    let label = scanner.attributes.first { $0.name == "Label" }?.value ?? ""
                    let text = try scanner.readText()
                    guard !text.isEmpty else { continue }
                    let section = Citation.Section(label: label == "UNLABELLED" ? "" : label, text: text)
                    if scanner.path.contains(name.other) {
                        citation.otherSections.append(section)
                    } else {
                        citation.sections.append(section)
                    }
                case name.copyright where !scanner.path.contains(name.other): citation.licence = try scanner.readText()
                case name.language: citation.languages.append(try scanner.readText())
                case name.journalTitle where scanner.path.contains(name.journal):
                    citation.journal = try scanner.readText()
                case name.year where scanner.path.contains(name.date), name.medlineDate:
                    let text = try scanner.readText()
                    if citation.year == 0 { citation.year = Int(text.prefix(4)) ?? 0 }
                case name.descriptor where scanner.path.contains(name.mesh):
                    citation.meshTerms.append(try scanner.readText())
                case name.publicationType: citation.publicationTypes.append(try scanner.readText())
                default:
                    if isOutside(element) { try scanner.skipElement() }
                }
            }
        }
    }

    /// Elements whose content is of no interest, and may hold elements of the names that are.
    private func isOutside(_ element: Int) -> Bool {
        switch scanner.names[element] {
        case "PubmedData", "CommentsCorrectionsList", "AuthorList", "InvestigatorList", "PersonalNameSubjectList",
            "GrantList", "DataBankList", "ChemicalList", "SupplMeshList", "GeneralNote", "KeywordList", "DateCompleted",
            "DateRevised", "ArticleDate", "OtherID":
            true
        default: false
        }
    }

    /// PubMed puts a translated title in brackets.
    private static func withoutBrackets(_ title: String) -> String {
        guard title.hasPrefix("["), title.hasSuffix("].") || title.hasSuffix("]") else { return title }
        let inner = title.dropFirst().dropLast(title.hasSuffix("].") ? 2 : 1)
        if inner.contains("[") || inner.contains("]") { return title }
        return inner.hasSuffix(".") ? String(inner) : inner + "."
    }
}
