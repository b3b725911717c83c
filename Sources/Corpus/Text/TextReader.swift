import Foundation
import Jobs

/// What a text may not exceed.
public struct TextLimits: Hashable, Sendable {
    /// The longest line.
    public var line: Bytes
    /// The longest document.
    public var document: Bytes

    /// 1 MiB a line and 64 MiB a document unless given.
    public init(line: Bytes = .mebibytes(1), document: Bytes = .mebibytes(64)) {
        self.line = line
        self.document = document
    }
}

/// Reads documents from a file of one sentence a line with blank lines between documents, plain or gzip, in bounded memory.
///
/// Line ends are LF or CR LF; blanks at both ends of a line and a byte order mark are dropped. Stray invalid UTF-8 is
/// replaced by U+FFFD and counted; NUL bytes or mostly invalid bytes mean that the file isn't text. Not for several threads.
public final class TextReader: DocumentSource {
    /// The file's path.
    public let path: String
    /// The number of invalid UTF-8 sequences replaced so far.
    public private(set) var replacedSequences = 0
    /// The number of lines read so far.
    public private(set) var lines = 0
    /// Bytes of text read so far, unpacked.
    public private(set) var textBytes = 0

    private let limits: TextLimits
    private let source: ByteSource
    private var chunk = UnsafeRawBufferPointer(start: nil, count: 0)
    private var position = 0
    private var carried: [UInt8] = []
    private var foundText = false

    /// Opens the file at `path`. Throws `CorpusError.missing`, `.notAFile` or `.unreadable`.
    public convenience init(path: String, limits: TextLimits = TextLimits()) throws {
        self.init(source: try ByteSource(path: path), limits: limits)
    }

    /// Reads `source` from its beginning.
    init(source: ByteSource, limits: TextLimits) {
        path = source.path
        self.limits = limits
        self.source = source
    }

    /// The share of the file's bytes that has been read.
    public var fractionRead: Double {
        source.fileSize == 0 ? 1 : min(1, Double(source.consumed) / Double(source.fileSize))
    }

    /// Puts the next document into `document`; false at the end. A file with no document at all throws `.noText`.
    public func next(into document: inout TextDocument) throws -> Bool {
        document.removeAll()
        var firstLine = lines + 1
        while let isBlank = try readLine(into: &document) {
            if isBlank {
                if document.sentenceCount > 0 { return true }
                firstLine = lines + 1
            } else {
                foundText = true
                if document.bytes.count > limits.document.count {
                    throw CorpusError.documentTooLong(path: path, firstLine: firstLine, limit: limits.document)
                }
            }
        }
        if document.sentenceCount > 0 { return true }
        if !foundText { throw CorpusError.noText(path: path) }
        return false
    }

    /// Appends the next line to `document`; returns whether it was blank, or nil at the end of the file.
    private func readLine(into document: inout TextDocument) throws -> Bool? {
        carried.removeAll(keepingCapacity: true)
        while true {
            if position == chunk.count {
                guard let next = try source.next() else {
                    chunk = UnsafeRawBufferPointer(start: nil, count: 0)
                    position = 0
                    if carried.isEmpty { return nil }
                    return try carried.withUnsafeBytes { try take($0, into: &document) }
                }
                chunk = next
                position = 0
            }
            let rest = UnsafeRawBufferPointer(rebasing: chunk[position...])
            guard let base = rest.baseAddress else { continue }
            let found = memchr(base, 0x0a, rest.count)
            let length = found.map { UnsafeRawPointer($0) - base } ?? rest.count
            if carried.count + length > limits.line.count {
                // A program or a picture has long "lines" too: say what it is rather than how long.
                if let zero = memchr(base, 0, length) {
                    let byte = textBytes + carried.count + (UnsafeRawPointer(zero) - base)
                    throw CorpusError.binary(path: path, line: lines + 1, byte: byte, reason: "a NUL byte")
                }
                throw CorpusError.lineTooLong(path: path, line: lines + 1, byte: textBytes, limit: limits.line)
            }
            position += length
            if found == nil {
                carried.append(contentsOf: rest[..<length])
                continue
            }
            position += 1
            let line = UnsafeRawBufferPointer(rebasing: rest[..<length])
            if carried.isEmpty { return try take(line, into: &document, newline: 1) }
            carried.append(contentsOf: line)
            return try carried.withUnsafeBytes { try take($0, into: &document, newline: 1) }
        }
    }

    private func take(
        _ whole: UnsafeRawBufferPointer, into document: inout TextDocument, newline: Int = 0
    ) throws -> Bool {
        let start = textBytes
        lines += 1
        textBytes += whole.count + newline
        var line = whole
        if lines == 1, line.starts(with: [0xef, 0xbb, 0xbf]) { line = UnsafeRawBufferPointer(rebasing: line[3...]) }
        if lines == 1, line.starts(with: [0xff, 0xfe]) || line.starts(with: [0xfe, 0xff]) {
            throw CorpusError.binary(path: path, line: 1, byte: 0, reason: "it begins as UTF-16 does")
        }
        var lower = 0
        var upper = line.count
        while upper > lower, Self.isBlank(line[upper - 1]) { upper -= 1 }
        while lower < upper, Self.isBlank(line[lower]) { lower += 1 }
        if lower == upper { return true }
        line = UnsafeRawBufferPointer(rebasing: line[lower..<upper])
        if let base = line.baseAddress, let found = memchr(base, 0, line.count) {
            let offset = UnsafeRawPointer(found) - base
            throw CorpusError.binary(path: path, line: lines, byte: start + lower + offset, reason: "a NUL byte")
        }
        if UTF8Repair.isASCII(line) {
            document.bytes.append(contentsOf: line)
        } else {
            let replaced = UTF8Repair.append(line, to: &document.bytes)
            replacedSequences += replaced
            // A text in another encoding has a stray byte here and there; a picture or a program is mostly those.
            if replaced > 0, replacedSequences > 64, replacedSequences * 10 > textBytes {
                throw CorpusError.binary(
                    path: path, line: lines, byte: start,
                    reason: "\(replacedSequences) sequences of invalid UTF-8 so far")
            }
        }
        document.sentenceEnds.append(document.bytes.count)
        return false
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || (byte >= 0x09 && byte <= 0x0d)
    }
}

/// Valid UTF-8 from any bytes.
enum UTF8Repair {
    /// Whether every byte is below 128.
    static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        var seen: UInt64 = 0
        while offset + 8 <= bytes.count {
            seen |= bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        while offset < bytes.count {
            seen |= UInt64(bytes[offset])
            offset += 1
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }

    /// Appends `bytes` with each maximal invalid sequence replaced by U+FFFD (Unicode, section 3.9), and counts these.
    static func append(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) -> Int {
        if String(validating: bytes, as: UTF8.self) != nil {
            output.append(contentsOf: bytes)
            return 0
        }
        let repaired = Array(String(decoding: bytes, as: UTF8.self).utf8)
        output.append(contentsOf: repaired)
        return repaired.withUnsafeBytes(replacements) - replacements(bytes)
    }

    private static func replacements(_ bytes: UnsafeRawBufferPointer) -> Int {
        var count = 0
        var index = 0
        while index + 2 < bytes.count {
            if bytes[index] == 0xef, bytes[index + 1] == 0xbf, bytes[index + 2] == 0xbd {
                count += 1
                index += 3
            } else {
                index += 1
            }
        }
        return count
    }
}
