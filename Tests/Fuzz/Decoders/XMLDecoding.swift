import Corpus

/// PubMed's and PubMed Central's XML, plain or packed, past every fault to the end.
enum XMLDecoding {
    private static let file = MemoryFile("pubmed.xml")

    static func run(_ input: UnsafeRawBufferPointer) {
        file.fill(input)
        let splitter = SentenceSplitter()
        read(splitter) { try PubMedReader(path: file.path) }
        read(splitter) { try ArticleReader(path: file.path) }
    }

    private static func read(_ splitter: SentenceSplitter, _ open: () throws -> any CitationReader) {
        guard let reader = try? open() else { return }
        var isMore = true
        while isMore {
            do {
                guard let record = try reader.next() else { return }
                if case .citation(let citation) = record { _ = citation.document(splitter: splitter) }
            } catch {
                // An unpacker that failed fails again; a document that is damaged goes on behind the damage.
                isMore = ((try? reader.resume()) ?? nil) != nil
            }
        }
    }
}
