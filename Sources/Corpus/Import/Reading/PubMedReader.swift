import Jobs

/// Reads PubMed's baseline and update files: `PubmedArticleSet` with `PubmedArticle` and `DeleteCitation`, plain or gzip; also
/// the older `MedlineCitationSet`.
///
/// Format: NLM's PubMed DTD. Books (`PubmedBookArticle`) are left out. Inline markup (`<i>`, `<sup>`, MathML) is read as its text.
public final class PubMedReader: CitationReader {
    /// PubMed.
    public let kind = ImportedCorpus.Kind.pubMed
    private let path: String
    private let scanner: XMLScanner
    private let name: PubMedNames
    private var text = ElementText()
    private var isStarted = false

    /// Opens the file at `path`.
    public convenience init(path: String) throws {
        self.init(path: path, scanner: XMLScanner(try ByteSource(path: path)))
    }

    /// Reads on from `scanner`, which is before the document element.
    init(path: String, scanner: XMLScanner) {
        self.path = path
        self.scanner = scanner
        name = PubMedNames(scanner.names)
    }

    /// Bytes read so far, unpacked.
    public var unpackedBytes: Int { scanner.byte }

    /// Invalid UTF-8 sequences replaced so far.
    public var replacedSequences: Int { text.replacedSequences }

    /// The next record; nil at the end.
    public func next() throws -> CitationRecord? { try scanner.reading(path, read) }

    /// Moves on to where the next record begins.
    public func resume() throws -> Int? { try scanner.resume() }

    /// The document elements that this reader knows.
    static let rootNames = ["PubmedArticleSet", "PubmedArticle", "MedlineCitationSet"]

    private func read() throws -> CitationRecord? {
        while true {
            switch try scanner.next() {
            case .start(let element):
                if !isStarted {
                    isStarted = true
                    guard element == name.set || element == name.article || element == name.oldSet else {
                        throw scanner.fault("<\(scanner.names[element])> where <PubmedArticleSet> is due")
                    }
                    let article = element == name.oldSet ? name.citation : name.article
                    scanner.records = [article, name.book, name.deletion]
                    if element != name.article { continue }
                }
                if element == name.article || element == name.citation { return .citation(try readArticle()) }
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
                if let number = UInt32(try scanner.readText(with: &text)) { numbers.append(number) }
            case .start: try scanner.skipElement()
            case .end where scanner.path.count < depth: return numbers
            case .finished: return numbers
            case .end, .text: continue
            }
        }
    }

    /// Reads a `PubmedArticle` whose start tag has just been read.
    private func readArticle() throws -> Citation {
        try scanner.readCitation { try readParts(of: &$0, depth: $1) }
    }

    private func readParts(of citation: inout Citation, depth: Int) throws {
        var vernacular = ""
        var articleYear = 0
        while true {
            switch try scanner.next() {
            case .text: continue
            case .finished: return
            case .end:
                guard scanner.path.count < depth else { continue }
                if citation.title.isEmpty { citation.title = vernacular }
                if citation.year == 0 { citation.year = articleYear }
                if citation.publicationTypes.contains("Retracted Publication") { citation.isRetracted = true }
                return
            case .start(let element):
                switch element {
                case name.pmid: try readNumber(of: &citation)
                case name.title: citation.title = Self.title(try scanner.readText(with: &text))
                case name.vernacular: vernacular = try scanner.readText(with: &text)
                case name.abstractText:
                    if let section = try readSection() { citation.sections.append(section) }
                case name.other: citation.otherAbstracts.append(try readOtherAbstract())
                case name.copyright: citation.licence = try scanner.readText(with: &text)
                case name.language: citation.languages.append(try scanner.readText(with: &text))
                case name.journalTitle: citation.journal = try scanner.readText(with: &text)
                case name.year where scanner.path.contains(name.date), name.medlineDate:
                    let year = Self.year(in: try scanner.readText(with: &text))
                    if citation.year == 0 { citation.year = year }
                case name.articleDate: articleYear = Int(try readDate() / 10_000)
                case name.revised: citation.revised = try readDate()
                case name.descriptor:
                    if let number = scanner.attribute("UI") { citation.meshNumbers.append(number) }
                    citation.meshTerms.append(try scanner.readText(with: &text))
                case name.publicationType: citation.publicationTypes.append(try scanner.readText(with: &text))
                case name.correction:
                    if scanner.attribute("RefType") == "RetractionIn" { citation.isRetracted = true }
                    try scanner.skipElement()
                default:
                    if name.isOutside(element) { try scanner.skipElement() }
                }
            }
        }
    }

    /// The numbers of other publications are inside elements that are skipped, so the first PMID is the citation's own.
    private func readNumber(of citation: inout Citation) throws {
        let version = scanner.attribute("Version")
        let word = try scanner.readText(with: &text)
        guard citation.pmid == 0, citation.defect == nil else { return }
        guard let number = UInt32(word), number > 0 else {
            citation.defect = .badNumber
            return
        }
        citation.pmid = number
        citation.version = version.flatMap { UInt16($0) } ?? 1
    }

    private func readSection() throws -> Citation.Section? {
        let label = scanner.attribute("Label") ?? ""
        let category = scanner.attribute("NlmCategory") ?? ""
        let words = try scanner.readText(with: &text)
        guard !words.isEmpty else { return nil }
        return Citation.Section(label: label == "UNLABELLED" ? "" : label, category: category, text: words)
    }

    private func readOtherAbstract() throws -> Citation.OtherAbstract {
        var abstract = Citation.OtherAbstract(kind: scanner.attribute("Type") ?? "")
        // The DTD's default is "eng".
        if let language = scanner.attribute("Language") { abstract.language = language }
        let depth = scanner.path.count
        while true {
            switch try scanner.next() {
            case .start(let element) where element == name.abstractText:
                if let section = try readSection() { abstract.sections.append(section) }
            case .start: try scanner.skipElement()
            case .end where scanner.path.count < depth: return abstract
            case .finished: return abstract
            case .end, .text: continue
            }
        }
    }

    /// A date of `Year`, `Month` and `Day` as the number 20240131.
    private func readDate() throws -> UInt32 {
        var date: UInt32 = 0
        let depth = scanner.path.count
        while true {
            switch try scanner.next() {
            case .start(let element):
                let factor: UInt32 = element == name.year ? 10_000 : element == name.month ? 100 : 1
                let number = UInt32(try scanner.readText(with: &text)) ?? 0
                if number < 10_000 { date += number * factor }
            case .end where scanner.path.count < depth: return date
            case .finished: return date
            case .end, .text: continue
            }
        }
    }

    /// The first number of four digits: "1998 Dec-1999 Jan", "Spring 2001".
    private static func year(in text: String) -> Int {
        text.split { !$0.isASCII || !$0.isNumber }.first { $0.count == 4 }.flatMap { Int($0) } ?? 0
    }

    /// PubMed puts a translated title in brackets, and says so where there is none.
    private static func title(_ title: String) -> String {
        if title == "[Not Available]." { return "" }
        guard title.hasPrefix("["), title.hasSuffix("].") || title.hasSuffix("]") else { return title }
        let inner = title.dropFirst().dropLast(title.hasSuffix("].") ? 2 : 1)
        if inner.contains("[") || inner.contains("]") { return title }
        return inner.hasSuffix(".") ? String(inner) : inner + "."
    }
}

/// The numbers of the elements that matter.
private struct PubMedNames {
    let set, oldSet, article, book, citation, deletion, pmid, title, vernacular, abstractText, copyright, other: Int
    let language, journalTitle, date, year, month, medlineDate, descriptor, publicationType: Int
    let articleDate, revised, correction: Int
    /// Whether what an element of that number holds is of no interest; it may have elements of the names that are.
    private let outside: [Bool]

    init(_ names: XMLNames) {
        set = names.number(of: "PubmedArticleSet")
        oldSet = names.number(of: "MedlineCitationSet")
        article = names.number(of: "PubmedArticle")
        book = names.number(of: "PubmedBookArticle")
        citation = names.number(of: "MedlineCitation")
        deletion = names.number(of: "DeleteCitation")
        pmid = names.number(of: "PMID")
        title = names.number(of: "ArticleTitle")
        vernacular = names.number(of: "VernacularTitle")
        abstractText = names.number(of: "AbstractText")
        copyright = names.number(of: "CopyrightInformation")
        other = names.number(of: "OtherAbstract")
        language = names.number(of: "Language")
        journalTitle = names.number(of: "Title")
        date = names.number(of: "PubDate")
        year = names.number(of: "Year")
        month = names.number(of: "Month")
        medlineDate = names.number(of: "MedlineDate")
        descriptor = names.number(of: "DescriptorName")
        publicationType = names.number(of: "PublicationType")
        articleDate = names.number(of: "ArticleDate")
        revised = names.number(of: "DateRevised")
        correction = names.number(of: "CommentsCorrections")
        let skipped = names.numbers(of: [
            "PubmedData", "AuthorList", "InvestigatorList", "PersonalNameSubjectList", "GrantList", "DataBankList",
            "ChemicalList", "SupplMeshList", "GeneralNote", "KeywordList", "DateCompleted", "DateCreated", "OtherID",
            "MedlineJournalInfo", "ISSN", "Pagination", "ELocationID",
        ])
        outside = (0...(skipped.max() ?? 0)).map(skipped.contains)
    }

    @inline(__always)
    func isOutside(_ element: Int) -> Bool { element < outside.count && outside[element] }
}
