import Foundation
import Jobs

/// Reads JSON lines: an object a line, with a title and texts under keys that can be chosen.
///
/// A line that is no JSON object is handed out as a record with a defect, and its place is kept; the rest is read on.
final class JSONLinesReader: CitationReader {
    /// The longest line in bytes.
    static let longestLine = 64 << 20
    /// Places of bad lines that are kept.
    static let keptFaults = 10

    /// JSON lines.
    let kind = ImportedCorpus.Kind.jsonLines
    /// Invalid UTF-8 sequences replaced so far.
    private(set) var replacedSequences = 0
    /// Where the first bad lines are.
    private(set) var faults: [ImportedCorpus.Fault] = []

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
            defer { input.advance(end == nil ? count : count + 1) }
            var line = UnsafeRawBufferPointer(rebasing: input.bytes[..<count])
            if start == 0, line.starts(with: [0xef, 0xbb, 0xbf]) {
                line = UnsafeRawBufferPointer(rebasing: line.dropFirst(3))
            }
            if line.allSatisfy(XMLBytes.isSpace) { continue }
            return .citation(citation(line, at: start))
        }
    }

    private func citation(_ line: UnsafeRawBufferPointer, at byte: Int) -> Citation {
        var citation = Citation()
        var bytes = Data(line)
        if String(validating: line, as: UTF8.self) == nil {
            var repaired: [UInt8] = []
            replacedSequences += UTF8Repair.append(line, to: &repaired)
            bytes = Data(repaired)
        }
        guard let object = (try? JSONSerialization.jsonObject(with: bytes)) as? [String: Any] else {
            citation.defect = .badLine
            if faults.count < Self.keptFaults {
                faults.append(ImportedCorpus.Fault(byte: byte, reason: "the line is no JSON object"))
            }
            return citation
        }
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
