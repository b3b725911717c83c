import Foundation
import Jobs

/// Reads JSON lines: an object a line, with a title and texts under keys that can be chosen.
///
/// Where a line is no JSON object, `resume` goes on after it.
final class JSONLinesReader: CitationReader {
    /// The longest line in bytes.
    static let longestLine = 64 << 20
    /// JSON lines.
    let kind = ImportedCorpus.Kind.jsonLines
    /// Invalid UTF-8 sequences replaced so far.
    private(set) var replacedSequences = 0

    private let path: String
    private let input: ByteWindow
    private let keys: ImportOptions.JSONKeys

    init(_ source: ByteSource, keys: ImportOptions.JSONKeys) {
        path = source.path
        input = ByteWindow(source)
        self.keys = keys
    }

    /// The next line's record; nil at the end.
    func next() throws -> CitationRecord? {
        while true {
            let start = input.byte
            let end = try input.find([0x0a], within: Self.longestLine)
            let count = end ?? input.bytes.count
            guard count <= Self.longestLine else {
                throw CorpusError.malformed(
                    path: path, byte: start, reason: "a line longer than \(Self.longestLine) bytes")
            }
            if end == nil, count == 0 { return nil }
            var line = UnsafeRawBufferPointer(rebasing: input.bytes[..<count])
            if start == 0, line.starts(with: [0xef, 0xbb, 0xbf]) {
                line = UnsafeRawBufferPointer(rebasing: line.dropFirst(3))
            }
            guard line.allSatisfy(XMLBytes.isSpace) else {
                guard let citation = citation(line) else {
                    throw CorpusError.malformed(path: path, byte: start, reason: "the line is no JSON object")
                }
                input.advance(end == nil ? count : count + 1)
                return .citation(citation)
            }
            input.advance(end == nil ? count : count + 1)
        }
    }

    /// Moves on to the next line.
    func resume() throws -> Int? {
        while try input.peek() != nil {
            if let end = try input.find([0x0a], within: 1 << 16, keeps: false) {
                input.advance(end + 1)
                return try input.peek() == nil ? nil : input.byte
            }
            input.advance(input.bytes.count)
        }
        return nil
    }

    /// What a line says; nil where it is no JSON object.
    private func citation(_ line: UnsafeRawBufferPointer) -> Citation? {
        var citation = Citation()
        var bytes = Data(line)
        if String(validating: line, as: UTF8.self) == nil {
            var repaired: [UInt8] = []
            replacedSequences += UTF8Repair.append(line, to: &repaired)
            bytes = Data(repaired)
        }
        guard let object = (try? JSONSerialization.jsonObject(with: bytes)) as? [String: Any] else { return nil }
        func first(_ names: [String]) -> Any? { names.lazy.compactMap { object[$0] }.first }
        citation.title = first(keys.title).map(Self.texts)?.joined(separator: " ") ?? ""
        for key in keys.text {
            for text in object[key].map(Self.texts) ?? [] where !text.isEmpty {
                citation.sections.append(Citation.Section(text: text))
            }
        }
        citation.pmid = first(keys.pmid).flatMap { UInt32("\($0)") } ?? 0
        citation.year = first(keys.year).flatMap { Int("\($0)".prefix(4)) } ?? 0
        citation.languages = first(keys.language).map(Self.texts)?.map(LanguageCode.three) ?? []
        return citation
    }

    /// A string, or the strings of a list.
    private static func texts(_ value: Any) -> [String] {
        if let text = value as? String { return [text] }
        return (value as? [Any])?.compactMap { $0 as? String } ?? []
    }
}
