import Jobs

/// Collects the running text of an XML element: inline markup is seen through, blank space is evened out, characters that
/// no text holds become blanks.
struct ElementText {
    /// The longest text of one element in bytes.
    static let limit = 32 << 20

    private var bytes: [UInt8] = []
    /// Invalid UTF-8 sequences that were replaced in the texts taken so far.
    private(set) var replacedSequences = 0

    /// Adds character data. Throws where there is too much of it.
    mutating func append(_ data: UnsafeRawBufferPointer) throws(TextTooLong) {
        guard bytes.count + data.count <= Self.limit else { throw TextTooLong() }
        bytes.append(contentsOf: data)
    }

    /// Makes sure that a blank parts what was added from what will be.
    mutating func separate() { bytes.append(0x20) }

    /// Drops what was added.
    mutating func clear() { bytes.removeAll(keepingCapacity: bytes.capacity < 1 << 20) }

    /// The text, valid UTF-8; what is asked of it next starts anew.
    mutating func take() -> String {
        defer { clear() }
        let (count, isASCII) = bytes.withUnsafeMutableBufferPointer { Self.tidy($0) }
        return bytes.withUnsafeBytes { all in
            let text = UnsafeRawBufferPointer(rebasing: all[..<count])
            if isASCII { return String(decoding: text, as: UTF8.self) }
            if let valid = String(validating: text, as: UTF8.self) { return valid }
            var repaired: [UInt8] = []
            replacedSequences += UTF8Repair.append(text, to: &repaired)
            return String(decoding: repaired, as: UTF8.self)
        }
    }

    /// Leaves one blank between words and none at the ends; returns how many bytes are left and whether all are ASCII.
    private static func tidy(_ bytes: UnsafeMutableBufferPointer<UInt8>) -> (count: Int, isASCII: Bool) {
        var count = 0
        var isPending = false
        var seen: UInt8 = 0
        for byte in bytes {
            if byte <= 0x20 {
                isPending = count > 0
            } else {
                if isPending {
                    bytes[count] = 0x20
                    count += 1
                    isPending = false
                }
                bytes[count] = byte
                count += 1
                seen |= byte
            }
        }
        return (count, seen < 0x80)
    }
}

/// The text of one element is longer than `ElementText.limit`.
struct TextTooLong: Error {}

extension XMLScanner {
    /// The citation that `readParts` makes of the element that has just begun, `depth` elements deep. Where a text in it is
    /// too long, the rest is passed over and the citation says so.
    func readCitation(_ readParts: (inout Citation, _ depth: Int) throws -> Void) throws -> Citation {
        var citation = Citation()
        let depth = path.count
        do {
            try readParts(&citation, depth)
        } catch is TextTooLong {
            citation.defect = .tooLong
            try skip(outOf: depth)
        }
        return citation
    }

    /// Reads to the end of the element that has just begun and returns its running text, without that of the elements in
    /// `skipped`; at the ends of the elements in `blocks` words are parted.
    func readText(
        with text: inout ElementText, skipping skipped: Set<Int> = [], blocks: Set<Int> = []
    ) throws -> String {
        text.clear()
        let depth = path.count
        while true {
            switch try next() {
            case .text: try text.append(self.text)
            case .start(let name):
                if blocks.contains(name) { text.separate() }
                if skipped.contains(name) { try skipElement() }
            case .end(let name):
                if path.count < depth { return text.take() }
                if blocks.contains(name) { text.separate() }
            case .finished: return text.take()
            }
        }
    }
}
