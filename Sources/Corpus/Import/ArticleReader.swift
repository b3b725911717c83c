import Jobs

/// Reads an open-access article of PubMed Central: one JATS (NXML) `article` a file, plain or gzip.
///
/// The text is the title, the abstract's paragraphs and the body's paragraphs. Tables, figures, formulas and the reference
/// list are left out; so are citation marks in superscript.
public final class ArticleReader: CitationReader {
    private let path: String
    private let source: ByteSource
    private let scanner: XMLScanner
    private var isDone = false

    /// Opens the file at `path`.
    public init(path: String) throws {
        self.path = path
        source = try ByteSource(path: path)
        scanner = XMLScanner(source)
    }

    /// The share of the file's bytes that has been read.
    public var fractionRead: Double {
        source.fileSize == 0 ? 1 : min(1, Double(source.consumed) / Double(source.fileSize))
    }

    /// The article; nil the second time.
    public func next() throws -> CitationRecord? {
        guard !isDone else { return nil }
        isDone = true
        do {
            return .citation(try read())
        } catch let fault as XMLFault {
            throw CorpusError.malformed(path: path, byte: fault.byte, reason: fault.reason)
        }
    }

    private func read() throws -> Citation {
        var citation = Citation()
        let article = scanner.number(of: "article")
        let meta = scanner.number(of: "article-meta")
        let blocks = Set(["p", "title", "sec", "break", "list-item", "disp-quote"].map { scanner.number(of: $0) })
        let skipped = Set(
            [
                "table-wrap", "fig", "fig-group", "disp-formula", "ref-list", "fn", "fn-group",
                "supplementary-material",
                "inline-formula", "tex-math",
            ].map { scanner.number(of: $0) })
        var isStarted = false
        while true {
            switch try scanner.next() {
            case .finished: return citation
            case .text, .end: continue
            case .start(let element):
                let name = scanner.names[element]
                if !isStarted {
                    isStarted = true
                    guard element == article else {
                        throw XMLFault(byte: scanner.byte, reason: "<\(name)> where <article> is due")
                    }
                    continue
                }
                let isInMeta = scanner.path.contains(meta)
                switch name {
                case "journal-title": citation.journal = try scanner.readText()
                case "article-title" where isInMeta:
                    citation.title = try scanner.readText(skipping: skipped, blocks: blocks)
                case "article-id" where isInMeta && attribute("pub-id-type") == "pmid":
                    citation.pmid = UInt32(try scanner.readText()) ?? 0
                case "year" where isInMeta && scanner.path.dropLast().last.map({ scanner.names[$0] }) == "pub-date":
                    let year = Int(try scanner.readText()) ?? 0
                    if citation.year == 0 || year < citation.year { citation.year = year }
                case "license-p", "copyright-statement":
                    let note = try scanner.readText()
                    citation.licence += citation.licence.isEmpty ? note : " " + note
                case "subject" where isInMeta: citation.publicationTypes.append(try scanner.readText())
                case "p" where isInMeta && inElement("abstract"), "p" where inElement("body"):
                    let text = try scanner.readText(skipping: skipped, blocks: blocks)
                    if !text.isEmpty { citation.sections.append(Citation.Section(text: text)) }
                case "table-wrap", "fig", "fig-group", "disp-formula", "ref-list", "back", "contrib-group",
                    "trans-abstract",
                    "supplementary-material", "sub-article", "response", "floats-group":
                    try scanner.skipElement()
                default: continue
                }
            }
        }
    }

    private func attribute(_ name: String) -> String? { scanner.attributes.first { $0.name == name }?.value }

    private func inElement(_ name: String) -> Bool { scanner.path.contains { scanner.names[$0] == name } }
}
