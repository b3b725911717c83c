/// Collects the running text of an XML element: inline markup is seen through, blank space is evened out.
struct ElementText {
    private var bytes: [UInt8] = []
    private var isPending = false

    /// The longest text of one element; what goes beyond is dropped.
    static let limit = 16 << 20

    /// Adds character data.
    mutating func append(_ data: [UInt8]) {
        for byte in data {
            if byte == 0x20 || (byte >= 0x09 && byte <= 0x0d) {
                isPending = !bytes.isEmpty
            } else if bytes.count < Self.limit {
                if isPending { bytes.append(0x20) }
                isPending = false
                bytes.append(byte)
            }
        }
    }

    /// Makes sure that a blank parts what was added from what will be.
    mutating func separate() { isPending = !bytes.isEmpty }

    /// The text; invalid UTF-8 is replaced, and what is asked of it starts anew.
    mutating func take() -> String {
        defer {
            bytes.removeAll(keepingCapacity: true)
            isPending = false
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension XMLScanner {
    /// Reads to the end of the element that has just begun and returns its running text, without that of the elements in
    /// `skipped`; at the ends of the elements in `blocks` words are parted.
    func readText(skipping skipped: Set<Int> = [], blocks: Set<Int> = []) throws -> String {
        var text = ElementText()
        try readText(into: &text, skipping: skipped, blocks: blocks)
        return text.take()
    }

    private func readText(into text: inout ElementText, skipping skipped: Set<Int>, blocks: Set<Int>) throws {
        let depth = path.count
        while true {
            switch try next() {
            case .text: text.append(self.text)
            case .start(let name):
                if blocks.contains(name) { text.separate() }
                if skipped.contains(name) { try skipElement() }
            case .end(let name):
                if path.count < depth { return }
                if blocks.contains(name) { text.separate() }
            case .finished: return
            }
        }
    }
}
