import Jobs

/// Reads open-access articles of PubMed Central: one JATS (NXML) `article` a file, or several in a `pmc-articleset`.
///
/// The text is the title, the abstract's paragraphs and the body's paragraphs. Tables, figures, formulas and the reference
/// list are left out, and so are sub-articles and translated abstracts.
public final class ArticleReader: CitationReader {
    /// JATS.
    public let kind = ImportedCorpus.Kind.article
    private let path: String
    private let scanner: XMLScanner
    private var text = ElementText()
    private let article, set, meta, body, abstract, date: Int
    private let blocks, skipped: Set<Int>
    private var isStarted = false

    /// The document elements that this reader knows.
    static let rootNames = ["article", "pmc-articleset"]

    /// Opens the file at `path`.
    public convenience init(path: String) throws {
        self.init(path: path, scanner: XMLScanner(try ByteSource(path: path)))
    }

    /// Reads on from `scanner`, which is before the document element.
    init(path: String, scanner: XMLScanner) {
        self.path = path
        self.scanner = scanner
        let names = scanner.names
        article = names.number(of: "article")
        set = names.number(of: "pmc-articleset")
        meta = names.number(of: "article-meta")
        body = names.number(of: "body")
        abstract = names.number(of: "abstract")
        date = names.number(of: "pub-date")
        blocks = names.numbers(of: ["p", "title", "sec", "break", "list-item", "disp-quote"])
        skipped = names.numbers(of: [
            "table-wrap", "fig", "fig-group", "disp-formula", "ref-list", "fn", "fn-group", "supplementary-material",
            "inline-formula", "tex-math",
        ])
    }

    /// Invalid UTF-8 sequences replaced so far.
    public var replacedSequences: Int { text.replacedSequences }

    /// The next article; nil at the end.
    public func next() throws -> CitationRecord? { try scanner.reading(path, read) }

    /// Moves on to where the next article begins.
    public func resume() throws -> Int? { try scanner.resume() }

    private func read() throws -> CitationRecord? {
        while true {
            switch try scanner.next() {
            case .start(let element):
                if !isStarted {
                    isStarted = true
                    guard element == article || element == set else {
                        throw scanner.fault("<\(scanner.names[element])> where <article> is due")
                    }
                    scanner.records = [article]
                }
                if element == article { return .citation(try readArticle()) }
                if element != set { try scanner.skipElement() }
            case .finished: return nil
            case .end, .text: continue
            }
        }
    }

    private func readArticle() throws -> Citation {
        try scanner.readCitation { citation, depth in
            if let language = scanner.attribute("xml:lang") { citation.languages = [LanguageCode.three(language)] }
            try readParts(of: &citation, depth: depth)
        }
    }

    private func readParts(of citation: inout Citation, depth: Int) throws {
        while true {
            switch try scanner.next() {
            case .finished: return
            case .text: continue
            case .end: if scanner.path.count < depth { return }
            case .start(let element): try readPart(element, of: &citation)
            }
        }
    }

    private func readPart(_ element: Int, of citation: inout Citation) throws {
        let isInMeta = scanner.path.contains(meta)
        switch scanner.names[element] {
        case "journal-title": citation.journal = try scanner.readText(with: &text)
        case "article-title" where isInMeta:
            citation.title = try scanner.readText(with: &text, skipping: skipped, blocks: blocks)
        case "article-id" where isInMeta && scanner.attribute("pub-id-type") == "pmid":
            citation.pmid = UInt32(try scanner.readText(with: &text)) ?? 0
        case "year" where isInMeta && scanner.path.dropLast().last == date:
            let year = Int(try scanner.readText(with: &text)) ?? 0
            if citation.year == 0 || year < citation.year { citation.year = year }
        case "license-p", "copyright-statement":
            let note = try scanner.readText(with: &text)
            if !note.isEmpty { citation.licence += citation.licence.isEmpty ? note : " " + note }
        case "subject" where isInMeta:
            let subject = try scanner.readText(with: &text)
            citation.publicationTypes.append(subject)
            if subject.lowercased().hasPrefix("retracted") { citation.isRetracted = true }
        case "p" where isInMeta && scanner.path.contains(abstract), "p" where scanner.path.contains(body):
            let words = try scanner.readText(with: &text, skipping: skipped, blocks: blocks)
            if !words.isEmpty { citation.sections.append(Citation.Section(text: words)) }
        case "table-wrap", "fig", "fig-group", "disp-formula", "ref-list", "back", "contrib-group", "trans-abstract",
            "supplementary-material", "sub-article", "response", "floats-group":
            try scanner.skipElement()
        default: return
        }
    }
}
