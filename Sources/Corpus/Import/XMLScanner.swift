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
/// must nest; names, tags and depth are bounded.
final class XMLScanner {
    /// What was read.
    enum Event: Equatable {
        /// `<name …>` or the first half of `<name/>`; the attributes are in `attributes`.
        case start(Int)
        /// `</name>` or the second half of `<name/>`.
        case end(Int)
        /// Character data, in `text`.
        case text
        /// The document element has ended, and so has the text.
        case finished
    }

    private static let deepest = 512
    private static let longestTag = 1 << 16

    /// The names met so far: an element's name in events is its place here.
    private(set) var names: [String] = []
    /// The text of the last `.text` event, UTF-8.
    private(set) var text: [UInt8] = []
    /// The attributes of the last `.start` event.
    private(set) var attributes: [(name: String, value: String)] = []
    /// Bytes read so far, unpacked.
    var byte: Int { consumed + position }

    private var numbers: [[UInt8]: Int] = [:]
    private let source: ByteSource
    private var chunk = UnsafeRawBufferPointer(start: nil, count: 0)
    private var position = 0
    private var consumed = 0
    private var open: [Int] = []
    private var tag: [UInt8] = []
    private var pendingEnd: Int?
    private var sawRoot = false

    init(_ source: ByteSource) { self.source = source }

    /// The number that events give to elements called `name`.
    func number(of name: String) -> Int { number(of: Array(name.utf8)) }

    /// The names of the open elements, outermost first.
    var path: [Int] { open }

    /// The next event.
    func next() throws -> Event {
        if let name = pendingEnd {
            pendingEnd = nil
            open.removeLast()
            return .end(name)
        }
        while true {
            guard let first = try peek() else {
                guard open.isEmpty else { throw fault("the text ends inside <\(names[open[open.count - 1]])>") }
                guard sawRoot else { throw fault("there is no element") }
                return .finished
            }
            if first != UInt8(ascii: "<") {
                if try readText() { return .text }
                continue
            }
            position += 1
            switch try peek() {
            case UInt8(ascii: "!"):
                position += 1
                if try readDeclaration() { return .text }
            case UInt8(ascii: "?"): try skip(through: "?>")
            case UInt8(ascii: "/"):
                position += 1
                return try readEnd()
            case nil: throw fault("the text ends inside a tag")
            default: return try readStart()
            }
        }
    }

    /// Reads on to the end of the element that `start` has just begun; its text and tags are dropped.
    func skipElement() throws {
        let depth = open.count
        while open.count >= depth || pendingEnd != nil {
            if case .finished = try next() { return }
        }
    }

    // MARK: Parts

    private func readStart() throws -> Event {
        try readTag()
        guard !sawRoot || !open.isEmpty else { throw fault("a second document element") }
        sawRoot = true
        var rest = tag[...]
        let isEmpty = rest.last == UInt8(ascii: "/")
        if isEmpty { rest.removeLast() }
        let name = rest.prefix { !Self.isSpace($0) && $0 != UInt8(ascii: "/") }
        guard Self.isName(name) else { throw fault("no valid element name after '<'") }
        rest = rest.dropFirst(name.count)
        attributes.removeAll(keepingCapacity: true)
        while true {
            rest = rest.drop(while: Self.isSpace)
            if rest.isEmpty { break }
            let key = rest.prefix { !Self.isSpace($0) && $0 != UInt8(ascii: "=") }
            rest = rest.dropFirst(key.count).drop(while: Self.isSpace)
            guard Self.isName(key), rest.first == UInt8(ascii: "=") else { throw fault("an attribute without a value") }
            rest = rest.dropFirst().drop(while: Self.isSpace)
            guard let quote = rest.popFirst(), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
                let end = rest.firstIndex(of: quote)
            else { throw fault("an attribute's value without quotes") }
            var value: [UInt8] = []
            try expand(rest[..<end], into: &value)
            attributes.append((String(decoding: key, as: UTF8.self), String(decoding: value, as: UTF8.self)))
            rest = rest[(end + 1)...]
        }
        let number = number(of: Array(name))
        guard open.count < Self.deepest else { throw fault("elements nest deeper than \(Self.deepest)") }
        open.append(number)
        if isEmpty { pendingEnd = number }
        return .start(number)
    }

    private func readEnd() throws -> Event {
        try readTag()
        while let last = tag.last, Self.isSpace(last) { tag.removeLast() }
        guard let expected = open.popLast() else { throw fault("an end tag with no start tag") }
        guard numbers[tag] == expected else {
            throw fault("</\(String(decoding: tag, as: UTF8.self))> where </\(names[expected])> is due")
        }
        return .end(expected)
    }

    /// Puts what stands before the next `>` outside quotes into `tag`.
    private func readTag() throws {
        tag.removeAll(keepingCapacity: true)
        var quote: UInt8 = 0
        while true {
            guard let byte = try peek() else { throw fault("the text ends inside a tag") }
            position += 1
            if quote != 0 {
                if byte == quote { quote = 0 }
            } else if byte == UInt8(ascii: ">") {
                return
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            }
            if byte == UInt8(ascii: "<") { throw fault("'<' inside a tag") }
            guard tag.count < Self.longestTag else { throw fault("a tag longer than \(Self.longestTag) bytes") }
            tag.append(byte)
        }
    }

    /// Reads character data up to the next tag; false where it is nothing but blanks outside the document element.
    private func readText() throws -> Bool {
        text.removeAll(keepingCapacity: true)
        while let byte = try peek(), byte != UInt8(ascii: "<") {
            if byte == UInt8(ascii: "&") {
                position += 1
                var name: [UInt8] = []
                while true {
                    guard let next = try peek(), name.count < 64 else { throw fault("'&' without ';'") }
                    position += 1
                    if next == UInt8(ascii: ";") { break }
                    name.append(next)
                }
                try expandReference(name[...], into: &text)
            } else {
                var end = position
                while end < chunk.count, chunk[end] != UInt8(ascii: "<"), chunk[end] != UInt8(ascii: "&") { end += 1 }
                text.append(contentsOf: chunk[position..<end])
                position = end
            }
            // A caller sees long text in pieces, so that memory stays bounded.
            if text.count > 1 << 20 { break }
        }
        if open.isEmpty {
            let isMark = !sawRoot && text.starts(with: [0xef, 0xbb, 0xbf])
            guard text.dropFirst(isMark ? 3 : 0).allSatisfy(Self.isSpace) else {
                throw fault(sawRoot ? "text after the document element" : "it doesn't begin as XML does")
            }
            return false
        }
        return true
    }

    /// What follows `<!`: a comment, CDATA (true: it is text) or the DOCTYPE.
    private func readDeclaration() throws -> Bool {
        switch try peek() {
        case UInt8(ascii: "-"):
            position += 1
            guard try peek() == UInt8(ascii: "-") else { throw fault("a comment that doesn't begin with '<!--'") }
            position += 1
            try skip(through: "-->")
            return false
        case UInt8(ascii: "["):
            guard !open.isEmpty else { throw fault("CDATA outside the document element") }
            try expect("[CDATA[")
            text.removeAll(keepingCapacity: true)
            while true {
                guard let byte = try peek() else { throw fault("the text ends inside CDATA") }
                position += 1
                text.append(byte)
                if byte == UInt8(ascii: ">"), text.suffix(3).elementsEqual("]]>".utf8) { break }
                guard text.count < 1 << 24 else { throw fault("CDATA longer than 16 MiB") }
            }
            text.removeLast(3)
            return true
        default:
            try expect("DOCTYPE")
            guard !sawRoot else { throw fault("a DOCTYPE after the document element began") }
            try readDocumentType()
            return false
        }
    }

    /// A DOCTYPE with an internal subset could declare entities that grow without bound; an external one isn't fetched.
    private func readDocumentType() throws {
        var quote: UInt8 = 0
        var count = 0
        while let byte = try peek() {
            position += 1
            count += 1
            guard count < Self.longestTag else { throw fault("a DOCTYPE longer than \(Self.longestTag) bytes") }
            if quote != 0 {
                if byte == quote { quote = 0 }
            } else if byte == UInt8(ascii: "[") {
                while let next = try peek(), Self.isSpace(next) { position += 1 }
                guard try peek() == UInt8(ascii: "]") else {
                    throw fault(
                        "the DOCTYPE has declarations of its own (entities could be among them); none are allowed")
                }
            } else if byte == UInt8(ascii: ">") {
                return
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            }
        }
        throw fault("the text ends inside the DOCTYPE")
    }

    // MARK: References

    private func expand(_ raw: ArraySlice<UInt8>, into output: inout [UInt8]) throws {
        var rest = raw
        while let place = rest.firstIndex(of: UInt8(ascii: "&")) {
            output.append(contentsOf: rest[..<place])
            guard let end = rest[place...].firstIndex(of: UInt8(ascii: ";")) else { throw fault("'&' without ';'") }
            try expandReference(rest[(place + 1)..<end], into: &output)
            rest = rest[(end + 1)...]
        }
        output.append(contentsOf: rest)
    }

    private func expandReference(_ name: ArraySlice<UInt8>, into output: inout [UInt8]) throws {
        let word = String(decoding: name, as: UTF8.self)
        let scalar: Unicode.Scalar?
        switch word {
        case "amp": scalar = "&"
        case "lt": scalar = "<"
        case "gt": scalar = ">"
        case "quot": scalar = "\""
        case "apos": scalar = "'"
        default:
            let digits = word.dropFirst()
            if word.hasPrefix("#x") || word.hasPrefix("#X") {
                scalar = UInt32(digits.dropFirst(), radix: 16).flatMap(Unicode.Scalar.init)
            } else if word.hasPrefix("#") {
                scalar = UInt32(digits).flatMap(Unicode.Scalar.init)
            } else {
                throw fault("the entity &\(word); isn't defined")
            }
        }
        guard let scalar, scalar.value != 0 else { throw fault("&\(word); names no character") }
        output.append(contentsOf: Array(String(scalar).utf8))
    }

    // MARK: Bytes

    @inline(__always)
    private func peek() throws -> UInt8? {
        if position < chunk.count { return chunk[position] }
        return try refill()
    }

    private func refill() throws -> UInt8? {
        consumed += chunk.count
        position = 0
        chunk = try source.next() ?? UnsafeRawBufferPointer(start: nil, count: 0)
        return chunk.first
    }

    private func expect(_ word: String) throws {
        for byte in word.utf8 {
            guard try peek() == byte else { throw fault("'<!' with neither a comment, CDATA nor a DOCTYPE") }
            position += 1
        }
    }

    private func skip(through end: String) throws {
        let mark = Array(end.utf8)
        var last: [UInt8] = []
        while let byte = try peek() {
            position += 1
            last.append(byte)
            if last.count > mark.count { last.removeFirst() }
            if last == mark { return }
        }
        throw fault("the text ends before '\(end)'")
    }

    private func number(of name: [UInt8]) -> Int {
        if let number = numbers[name] { return number }
        numbers[name] = names.count
        names.append(String(decoding: name, as: UTF8.self))
        return names.count - 1
    }

    private func fault(_ reason: String) -> XMLFault { XMLFault(byte: byte, reason: reason) }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }

    private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, bytes.count <= 256 else { return false }
        let isLetter = (first | 0x20 >= 0x61 && first | 0x20 <= 0x7a) || first == 0x5f || first == 0x3a || first >= 0x80
        return isLetter && bytes.allSatisfy { $0 > 0x20 && !"<>&\"'=/".utf8.contains($0) }
    }
}
