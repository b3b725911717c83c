import Jobs

/// Reads plain text: documents parted by blank lines. A line end ends a sentence, unless lines are wrapped.
final class PlainTextReader: CitationReader {
    /// Plain text.
    let kind = ImportedCorpus.Kind.text
    private let path: String
    private let reader: TextReader
    private let joinsLines: Bool
    private var document = TextDocument()

    init(_ source: ByteSource, joinsLines: Bool) {
        path = source.path
        reader = TextReader(source: source, limits: TextLimits(line: .mebibytes(32), document: .mebibytes(64)))
        self.joinsLines = joinsLines
    }

    /// Invalid UTF-8 sequences replaced so far.
    var replacedSequences: Int { reader.replacedSequences }

    /// The next document; nil at the end.
    func next() throws -> CitationRecord? {
        do {
            guard try reader.next(into: &document) else { return nil }
        } catch CorpusError.noText {
            return nil
        }
        var citation = Citation()
        let lines = document.sentences
        citation.sections =
            joinsLines
            ? [Citation.Section(text: lines.joined(separator: " "))] : lines.map { Citation.Section(text: $0) }
        return .citation(citation)
    }
}
