import Foundation

/// Reading on after a fault: what is between the fault and the next record is lost, the rest isn't.
extension XMLScanner {
    /// Runs `read`; a fault in it becomes an error that names the file at `path`, and is kept for `resume`.
    func reading<Value>(_ path: String, _ read: () throws -> Value) throws -> Value {
        do {
            return try read()
        } catch let fault as XMLFault {
            lastFault = fault
            throw CorpusError.malformed(path: path, byte: fault.byte, reason: fault.reason)
        }
    }

    /// Moves on to the next start tag of a record after the last fault, as if nothing but the document element were open, and
    /// returns its byte. Nil where there is none, or where the document element hadn't begun.
    func resume() throws -> Int? {
        guard let fault = lastFault, let root, !records.isEmpty else { return nil }
        lastFault = nil
        // A fault inside a tag is further on than the tag's beginning.
        guard try input.advance(to: fault.byte) else { return nil }
        // A record that can't even be begun is left.
        if byte == lastResumption { input.advance(1) }
        guard try findRecord() else { return nil }
        lastResumption = byte
        isInCharacterData = false
        pendingEnd = nil
        // A file whose document element is itself a record may be several of those in a row.
        let isRecord = records.contains(root)
        path = isRecord ? [] : [root]
        sawRoot = !isRecord
        return byte
    }

    /// Moves to the next `<NAME` of a record; false where there is none.
    private func findRecord() throws -> Bool {
        let marks = records.map { Array("<\(names[$0])".utf8) }
        let longest = marks.reduce(0) { max($0, $1.count) }
        while true {
            guard let offset = try input.find([UInt8(ascii: "<")], within: 1 << 16, keeps: false) else {
                let count = input.bytes.count
                input.advance(count)
                guard try input.peek() != nil else { return false }
                continue
            }
            input.advance(offset)
            // More of the text is taken in where there is more.
            _ = try input.peek(longest)
            let bytes = input.bytes
            for mark in marks where bytes.count > mark.count && bytes.starts(with: mark) {
                if XMLBytes.endsName(bytes[mark.count]) { return true }
            }
            input.advance(1)
        }
    }
}
