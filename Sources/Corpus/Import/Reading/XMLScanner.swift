import Foundation
import Jobs

/// What is wrong with an XML text, and where.
struct XMLFault: Error, Equatable {
    /// The byte, counted in the unpacked text.
    var byte: Int
    var reason: String
}

/// A streaming reader of XML that hands out one tag or run of text at a time and keeps one chunk in memory.
///
/// It reads what citation and article files hold: elements, attributes, character data, CDATA, character references, the
/// five predefined entities, comments, processing instructions, and a DOCTYPE that names an external subset, which is
/// never fetched. Entities are never defined, so nothing expands: a DOCTYPE with declarations of its own is refused. Tags
/// must nest; names, tags and depth are bounded. The encoding is UTF-8; what isn't valid is passed on as it is.
///
/// A scanner is one thread's alone, and no two accesses to its state overlap: none is handed out `inout`. Checking that at
/// every access, which the compiler does for classes, took a third of the time, hence `@exclusivity(unchecked)`.
final class XMLScanner {
    /// What was read.
    enum Event: Equatable {
        /// `<name …>` or the first half of `<name/>`.
        case start(Int)
        /// `</name>` or the second half of `<name/>`.
        case end(Int)
        /// Some character data, in `text`; a run may come in several pieces.
        case text
        /// The document element has ended, and so has the text.
        case finished
    }

    static let deepest = 512
    static let longestTag = 1 << 16

    /// The names met so far: an element's name in events is its place here.
    let names = XMLNames()
    /// The names of the open elements, outermost first.
    @exclusivity(unchecked) var path: [Int] = []
    /// The elements that are records: none is inside another, and where one begins, reading can begin again.
    @exclusivity(unchecked) var records: [Int] = [] { didSet { highestRecord = records.max() ?? -1 } }
    /// The largest of their numbers, by which nearly every other name is told at once.
    @exclusivity(unchecked) private(set) var highestRecord = -1
    /// The character data of the last `.text` event; valid until the next event is asked for.
    @exclusivity(unchecked) private(set) var text = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Bytes read so far, unpacked.
    var byte: Int { input.byte }

    let input: ByteWindow
    @exclusivity(unchecked) var attributes: [XMLAttribute] = []
    @exclusivity(unchecked) var isInCharacterData = false
    @exclusivity(unchecked) var sawRoot = false
    /// The character that a reference stands for.
    private let character = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 1)
    @exclusivity(unchecked) var pendingEnd: Int?
    /// The document element, once it has begun.
    @exclusivity(unchecked) var root: Int?
    /// What ended the reading before, until it is resumed.
    @exclusivity(unchecked) var lastFault: XMLFault?
    /// Where it was resumed last.
    @exclusivity(unchecked) var lastResumption = -1

    init(_ source: ByteSource) { input = ByteWindow(source) }

    deinit { character.deallocate() }

    /// The next event.
    func next() throws -> Event {
        if let name = pendingEnd {
            pendingEnd = nil
            path.removeLast()
            return .end(name)
        }
        while true {
            if isInCharacterData {
                if try readCharacterData() { return .text }
                continue
            }
            guard let first = try input.peek() else {
                guard path.isEmpty else { throw fault("the text ends inside <\(names[path[path.count - 1]])>") }
                guard sawRoot else { throw fault("there is no element") }
                return .finished
            }
            switch first {
            case UInt8(ascii: "<"):
                if let event = try readMarkup() { return event }
            case UInt8(ascii: "&") where !path.isEmpty:
                try readReference()
                return .text
            default:
                if path.isEmpty { try skipBlanks() } else { return takeText() }
            }
        }
    }

    /// The name of the document element, which is not read yet; nil where the text is empty.
    func rootName() throws -> String? {
        guard try input.peek() != nil else { return nil }
        while true {
            guard let first = try input.peek() else { throw fault("there is no element") }
            guard first == UInt8(ascii: "<") else {
                try skipBlanks()
                continue
            }
            let second = try input.peek(1)
            if second == UInt8(ascii: "!") || second == UInt8(ascii: "?") {
                _ = try readMarkup()
                continue
            }
            let name = try tag().dropFirst().prefix { !XMLBytes.endsName($0) }
            return String(decoding: name, as: UTF8.self)
        }
    }

    /// Reads on to the end of the element that `start` has just begun; its text and tags are dropped.
    func skipElement() throws { try skip(outOf: path.count) }

    /// Reads on until fewer elements than `depth` are open.
    func skip(outOf depth: Int) throws {
        while path.count >= depth {
            if case .finished = try next() { return }
        }
    }

    /// What is wrong at the place reached, or at `byte`.
    func fault(_ reason: String, at byte: Int? = nil) -> XMLFault { XMLFault(byte: byte ?? self.byte, reason: reason) }

    // MARK: Parts

    /// What begins with `<`; nil where it is nothing that a caller needs to know.
    private func readMarkup() throws -> Event? {
        switch try input.peek(1) {
        case UInt8(ascii: "/"): return .end(try readEnd())
        case UInt8(ascii: "!"):
            try readDeclaration()
            return nil
        case UInt8(ascii: "?"):
            try readInstruction()
            return nil
        case nil: throw fault("the text ends inside a tag")
        default: return .start(try readStart())
        }
    }

    private func readStart() throws -> Int {
        let (name, isEmpty) = try readStartTag()
        guard !sawRoot || !path.isEmpty else { throw fault("a second document element") }
        guard path.count < Self.deepest else { throw fault("elements nest deeper than \(Self.deepest)") }
        if !sawRoot { root = name }
        sawRoot = true
        path.append(name)
        if isEmpty { pendingEnd = name }
        return name
    }

    private func readEnd() throws -> Int {
        let bytes = input.bytes
        let start = input.byte
        guard let expected = path.last else { throw fault("an end tag with no start tag") }
        // Nearly every end tag is whole in the buffer, and is the expected name with nothing after it.
        let length = names.length(of: expected)
        if bytes.count > length + 2, bytes[length + 2] == UInt8(ascii: ">"),
            names.matches(expected, UnsafeRawBufferPointer(rebasing: bytes[2..<(length + 2)]))
        {
            input.advance(length + 3)
            path.removeLast()
            return expected
        }
        let tag = try self.tag()
        var name = UnsafeRawBufferPointer(rebasing: tag[2..<(tag.count - 1)])
        while let last = name.last, XMLBytes.isSpace(last) {
            name = UnsafeRawBufferPointer(rebasing: name.dropLast())
        }
        guard names.matches(expected, name) else {
            let found = String(decoding: name.prefix(80), as: UTF8.self)
            throw fault("</\(found)> where </\(names[expected])> is due", at: start)
        }
        input.advance(tag.count)
        path.removeLast()
        return expected
    }

    /// Character data up to the next tag or reference, or to the end of the chunk.
    private func takeText() -> Event {
        let bytes = input.bytes
        var count = bytes.count
        if let base = bytes.baseAddress {
            if let found = memchr(base, 0x3c, count) { count = UnsafeRawPointer(found) - base }
            if let found = memchr(base, 0x26, count) { count = UnsafeRawPointer(found) - base }
        }
        text = UnsafeRawBufferPointer(rebasing: bytes[..<count])
        input.advance(count)
        return .text
    }

    private func readReference() throws {
        let start = input.byte
        let found = try input.find([UInt8(ascii: ";")], within: 64)
        guard let found else { throw fault("'&' without ';'", at: start) }
        let name = UnsafeRawBufferPointer(rebasing: input.bytes[1..<found])
        let scalar = try XMLBytes.scalar(of: name, at: start)
        var count = 0
        for unit in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
            character[count] = unit
            count += 1
        }
        text = UnsafeRawBufferPointer(rebasing: character[..<count])
        input.advance(found + 1)
    }

    /// Some of a CDATA section's text; false at its end.
    private func readCharacterData() throws -> Bool {
        if let end = try input.find(Array("]]>".utf8), within: 1 << 16, keeps: false) {
            text = UnsafeRawBufferPointer(rebasing: input.bytes[..<end])
            input.advance(end + 3)
            isInCharacterData = false
            return end > 0
        }
        let bytes = input.bytes
        guard bytes.count > 2 else { throw fault("the text ends inside CDATA") }
        text = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 2)])
        input.advance(bytes.count - 2)
        return true
    }
}
