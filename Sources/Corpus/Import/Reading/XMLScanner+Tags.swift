import Foundation

/// An attribute of the last start tag: where it is in the window.
struct XMLAttribute {
    var name: UnsafeRawBufferPointer
    var value: UnsafeRawBufferPointer
}

extension XMLScanner {
    /// The value of the attribute `name` of the start tag that was just read; nil where it has none. To be asked before
    /// the next event.
    func attribute(_ name: StaticString) -> String? {
        let wanted = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        for attribute in attributes where attribute.name.elementsEqual(wanted) {
            var value: [UInt8] = []
            // References were checked when the tag was read.
            try? XMLBytes.expand(attribute.value, into: &value, at: 0)
            return String(decoding: value, as: UTF8.self)
        }
        return nil
    }

    /// Reads `<name a="b">`: the number of the name, and whether the element ends with its tag.
    func readStartTag() throws -> (name: Int, isEmpty: Bool) {
        if !attributes.isEmpty { attributes.removeAll(keepingCapacity: true) }
        var bytes = input.bytes
        var offset = 1
        var hash = XMLNames.seed
        while offset < bytes.count, !XMLBytes.endsName(bytes[offset]) {
            hash = XMLNames.mix(hash, bytes[offset])
            offset += 1
        }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ">") {
            // Most tags are a name alone.
            let name = try number(of: UnsafeRawBufferPointer(rebasing: bytes[1..<offset]), hash: hash)
            input.advance(offset + 1)
            return (name, false)
        }
        let tag = try self.tag()
        bytes = UnsafeRawBufferPointer(rebasing: tag[..<(tag.count - 1)])
        let isEmpty = bytes.last == UInt8(ascii: "/")
        if isEmpty { bytes = UnsafeRawBufferPointer(rebasing: bytes.dropLast()) }
        offset = 1
        hash = XMLNames.seed
        while offset < bytes.count, !XMLBytes.endsName(bytes[offset]) {
            hash = XMLNames.mix(hash, bytes[offset])
            offset += 1
        }
        let name = try number(of: UnsafeRawBufferPointer(rebasing: bytes[1..<offset]), hash: hash)
        try readAttributes(bytes, from: offset)
        input.advance(tag.count)
        return (name, isEmpty)
    }

    /// The tag that begins here, from `<` to the first `>` outside quotes. It stays where it is until `advance`.
    func tag() throws -> UnsafeRawBufferPointer {
        var offset = 1
        var quote: UInt8 = 0
        while true {
            let bytes = input.bytes
            while offset < bytes.count {
                let next = bytes[offset]
                offset += 1
                if quote != 0 {
                    if next == quote { quote = 0 }
                } else if next == UInt8(ascii: ">") {
                    return UnsafeRawBufferPointer(rebasing: bytes[..<offset])
                } else if next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") {
                    quote = next
                }
                if next == UInt8(ascii: "<") {
                    throw fault("'<' inside a tag", at: byte + offset - 1)
                }
                guard offset <= XMLScanner.longestTag else {
                    throw fault("a tag longer than \(Self.longestTag) bytes")
                }
            }
            guard try input.extend() else { throw fault("the text ends inside a tag") }
        }
    }

    private func number(of name: UnsafeRawBufferPointer, hash: UInt32) throws -> Int {
        guard let number = names.number(of: name, hash: hash) else {
            throw fault("more than \(XMLNames.limit) different element names")
        }
        // A name that is known was looked at when it was new.
        guard number < names.checked || XMLBytes.isName(name) else { throw fault("no valid element name after '<'") }
        names.checked = max(names.checked, number + 1)
        if number <= highestRecord, records.contains(number), let open = path.first(where: records.contains) {
            throw fault("<\(names[number])> inside <\(names[open])>")
        }
        return number
    }

    private func readAttributes(_ tag: UnsafeRawBufferPointer, from start: Int) throws {
        var offset = start
        func skipSpaces() { while offset < tag.count, XMLBytes.isSpace(tag[offset]) { offset += 1 } }
        while true {
            skipSpaces()
            if offset == tag.count { return }
            let nameStart = offset
            while offset < tag.count, !XMLBytes.endsName(tag[offset]), tag[offset] != UInt8(ascii: "=") { offset += 1 }
            let name = UnsafeRawBufferPointer(rebasing: tag[nameStart..<offset])
            skipSpaces()
            guard XMLBytes.isName(name), offset < tag.count, tag[offset] == UInt8(ascii: "=") else {
                throw fault("an attribute without a value", at: byte + nameStart)
            }
            offset += 1
            skipSpaces()
            guard offset < tag.count, tag[offset] == UInt8(ascii: "\"") || tag[offset] == UInt8(ascii: "'"),
                let end = tag[(offset + 1)...].firstIndex(of: tag[offset])
            else { throw fault("an attribute's value without quotes", at: byte + nameStart) }
            let value = UnsafeRawBufferPointer(rebasing: tag[(offset + 1)..<end])
            if value.contains(UInt8(ascii: "&")) {
                var ignored: [UInt8] = []
                try XMLBytes.expand(value, into: &ignored, at: byte + offset + 1)
            }
            attributes.append(XMLAttribute(name: name, value: value))
            offset = end + 1
        }
    }
}

/// What single bytes and short runs of them mean in XML.
enum XMLBytes {
    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }

    /// Whether `byte` ends the name in a tag.
    @inline(__always)
    static func endsName(_ byte: UInt8) -> Bool { byte <= 0x20 || byte == 0x3e || byte == 0x2f || byte == 0x3c }

    /// Whether `bytes` can name an element or an attribute.
    static func isName(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let first = bytes.first, bytes.count <= 256 else { return false }
        let isLetter = (first | 0x20) &- 0x61 < 26 || first == 0x5f || first == 0x3a || first >= 0x80
        return isLetter && bytes.allSatisfy(isInName)
    }

    @inline(__always)
    private static func isInName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"), UInt8(ascii: "\""), UInt8(ascii: "'"),
            UInt8(ascii: "="), UInt8(ascii: "/"):
            false
        default: true
        }
    }

    /// Appends `raw`, which begins at `byte`, with its references replaced.
    static func expand(_ raw: UnsafeRawBufferPointer, into output: inout [UInt8], at byte: Int) throws {
        var offset = 0
        while let place = raw[offset...].firstIndex(of: UInt8(ascii: "&")) {
            output.append(contentsOf: raw[offset..<place])
            guard let end = raw[place...].firstIndex(of: UInt8(ascii: ";")) else {
                throw XMLFault(byte: byte + place, reason: "'&' without ';'")
            }
            let name = UnsafeRawBufferPointer(rebasing: raw[(place + 1)..<end])
            output.append(contentsOf: UTF8.encode(try scalar(of: name, at: byte + place)) ?? .init())
            offset = end + 1
        }
        output.append(contentsOf: raw[offset...])
    }

    /// The character that `&name;` at `byte` stands for.
    static func scalar(of name: UnsafeRawBufferPointer, at byte: Int) throws -> Unicode.Scalar {
        let word = String(decoding: name.prefix(64), as: UTF8.self)
        let scalar: Unicode.Scalar?
        switch word {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let digits = word.dropFirst()
            if word.hasPrefix("#x") {
                scalar = UInt32(digits.dropFirst(), radix: 16).flatMap(Unicode.Scalar.init)
            } else if word.hasPrefix("#") {
                scalar = UInt32(digits).flatMap(Unicode.Scalar.init)
            } else {
                throw XMLFault(byte: byte, reason: "the entity &\(word); isn't defined")
            }
        }
        guard let scalar, isCharacter(scalar) else {
            throw XMLFault(byte: byte, reason: "&\(word); names no character")
        }
        return scalar
    }

    /// XML 1.0, production 2.
    private static func isCharacter(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0x20 && scalar.value != 0xfffe && scalar.value != 0xffff || scalar.value == 0x09
            || scalar.value == 0x0a || scalar.value == 0x0d
    }
}
