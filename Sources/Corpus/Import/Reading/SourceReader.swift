import Foundation
import Jobs

/// Opens a source file with the reader for its kind.
enum SourceReader {
    /// What a name says of a file's kind.
    enum NamedKind {
        case xml, text, jsonLines

        /// The kind that `path` names; nil where its suffix is none of those that are known.
        init?(path: String) {
            var name = (path as NSString).lastPathComponent.lowercased()
            if name.hasSuffix(".gz") { name.removeLast(3) }
            switch (name as NSString).pathExtension {
            case "xml", "nxml": self = .xml
            case "txt", "text": self = .text
            case "jsonl", "ndjson": self = .jsonLines
            default: return nil
            }
        }

        /// The kind of a file that begins as the one at `path` does.
        init(beginningOf path: String) throws {
            let window = ByteWindow(try ByteSource(path: path))
            var offset = 0
            while offset < 1 << 16, let byte = try window.peek(offset), byte <= 0x20 || byte >= 0x80 { offset += 1 }
            switch try window.peek(offset) {
            case UInt8(ascii: "<"): self = .xml
            case UInt8(ascii: "{"): self = .jsonLines
            default: self = .text
            }
        }
    }

    /// A reader of `source`, told by the file's name, else by how it begins. Nil where the file holds nothing.
    static func open(_ source: ByteSource, options: ImportOptions) throws -> (any CitationReader)? {
        switch try NamedKind(path: source.path) ?? NamedKind(beginningOf: source.path) {
        case .xml: return try openXML(source)
        case .jsonLines: return JSONLinesReader(source, keys: options.jsonKeys)
        case .text: return PlainTextReader(source, joinsLines: options.joinsLines)
        }
    }

    private static func openXML(_ source: ByteSource) throws -> (any CitationReader)? {
        let scanner = XMLScanner(source)
        do {
            guard let root = try scanner.rootName() else { return nil }
            if PubMedReader.rootNames.contains(root) { return PubMedReader(path: source.path, scanner: scanner) }
            if ArticleReader.rootNames.contains(root) { return ArticleReader(path: source.path, scanner: scanner) }
            throw scanner.fault("<\(root.prefix(40))> where <PubmedArticleSet> or <article> is due")
        } catch let fault as XMLFault {
            throw CorpusError.malformed(path: source.path, byte: fault.byte, reason: fault.reason)
        }
    }
}
