import Foundation

/// Comments, instructions, the DOCTYPE and what may stand outside the document element.
extension XMLScanner {
    /// Blank space outside the document element, and a byte order mark at the beginning.
    func skipBlanks() throws {
        if byte == 0 {
            let second = try input.peek(1)
            switch (try input.peek(), second) {
            case (0xff, 0xfe), (0xfe, 0xff): throw fault("it begins as UTF-16 does; UTF-8 is needed")
            case (0xef, 0xbb) where try input.peek(2) == 0xbf: input.advance(3)
            default: break
            }
        }
        while let byte = try input.peek(), byte != UInt8(ascii: "<") {
            guard XMLBytes.isSpace(byte) else {
                throw fault(sawRoot ? "text after the document element" : "it doesn't begin as XML does")
            }
            input.advance(1)
        }
    }

    /// `<?…?>`; in an XML declaration the encoding must be UTF-8, or ASCII, which is part of it.
    func readInstruction() throws {
        let isDeclaration = byte == 0 || byte == 3 && !sawRoot
        if isDeclaration, let end = try input.find(Array("?>".utf8), within: 1024) {
            let words = String(decoding: input.bytes[..<end], as: UTF8.self)
            if words.hasPrefix("<?xml"), let range = words.range(of: "encoding") {
                let name = words[range.upperBound...].drop { "= \t\r\n\"'".contains($0) }
                    .prefix { $0.isLetter || $0.isNumber || "-_.".contains($0) }
                guard ["utf-8", "utf8", "us-ascii", "ascii"].contains(name.lowercased()) else {
                    throw fault("its encoding is '\(name)'; UTF-8 is needed")
                }
            }
        }
        try skip(through: "?>")
    }

    /// What follows `<!`: a comment, the beginning of CDATA, or the DOCTYPE.
    func readDeclaration() throws {
        if try take("<!--") {
            try skip(through: "-->")
        } else if try take("<![CDATA[") {
            guard !path.isEmpty else { throw fault("CDATA outside the document element") }
            isInCharacterData = true
        } else if try take("<!DOCTYPE") {
            guard !sawRoot else { throw fault("a DOCTYPE after the document element began") }
            try readDocumentType()
        } else {
            throw fault("'<!' with neither a comment, CDATA nor a DOCTYPE")
        }
    }

    /// A DOCTYPE with an internal subset could declare entities that grow without bound; an external one isn't fetched.
    private func readDocumentType() throws {
        var quote: UInt8 = 0
        var count = 0
        while let next = try input.peek() {
            if quote == 0, next == UInt8(ascii: "[") {
                input.advance(1)
                while let next = try input.peek(), XMLBytes.isSpace(next) { input.advance(1) }
                guard try input.peek() == UInt8(ascii: "]") else {
                    throw fault(
                        "the DOCTYPE has declarations of its own (entities could be among them); none are allowed")
                }
            }
            input.advance(1)
            count += 1
            guard count < Self.longestTag else { throw fault("a DOCTYPE longer than \(Self.longestTag) bytes") }
            if quote != 0 {
                if next == quote { quote = 0 }
            } else if next == UInt8(ascii: ">") {
                return
            } else if next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") {
                quote = next
            }
        }
        throw fault("the text ends inside the DOCTYPE")
    }

    /// Moves past `word` if it is what comes next.
    private func take(_ word: String) throws -> Bool {
        var offset = 0
        for byte in word.utf8 {
            guard try input.peek(offset) == byte else { return false }
            offset += 1
        }
        input.advance(offset)
        return true
    }

    private func skip(through end: String) throws {
        let mark = Array(end.utf8)
        while true {
            if let found = try input.find(mark, within: 1 << 16, keeps: false) {
                input.advance(found + mark.count)
                return
            }
            let count = input.bytes.count
            guard count >= mark.count else { throw fault("the text ends before '\(end)'") }
            input.advance(count - mark.count + 1)
        }
    }
}
