#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The bytes of a job file, turned into text under the limits that keep a hostile file harmless.
enum JobFileText {
    /// The most bytes that a job file may have.
    static let sizeLimit = 1 << 20

    /// Reads a regular file of at most `sizeLimit` bytes.
    static func contents(of path: String) throws(JobFileError) -> [UInt8] {
        func refuse(_ reason: String) -> JobFileError { .unreadable(path: path, reason: reason) }
        // Not blocking, so that a pipe in the file's place cannot hang the command.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw refuse(FileProbe.reason(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw refuse(FileProbe.reason(errno)) }
        if let kind = FileProbe.kindIfNotRegular(status.st_mode) {
            throw refuse("is \(kind); a job file is a regular file")
        }
        guard status.st_size <= sizeLimit else {
            throw refuse("has \(status.st_size) bytes; a job file has at most \(sizeLimit)")
        }
        var bytes = [UInt8](repeating: 0, count: sizeLimit + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count)
            }
            if got < 0 {
                if errno == EINTR { continue }
                throw refuse(FileProbe.reason(errno))
            }
            if got == 0 { break }
            count += got
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// The text of `bytes`: UTF-8 without NUL, without its byte-order mark, line ends as they came.
    static func decode(_ bytes: [UInt8]) throws(JobProblem) -> String {
        if bytes.count > sizeLimit {
            throw JobProblem(found: "\(bytes.count) bytes", allowed: "at most \(sizeLimit) bytes")
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw JobProblem(line: 1, found: "UTF-16 text", allowed: "UTF-8 text")
        }
        var body = bytes[...]
        if body.starts(with: [0xEF, 0xBB, 0xBF]) { body = body.dropFirst(3) }
        if let nul = body.firstIndex(of: 0) {
            throw JobProblem(
                line: line(of: nul, in: body), found: "a NUL byte", allowed: "UTF-8 text; is this a binary file?")
        }
        guard let text = String(validating: body, as: UTF8.self) else {
            throw JobProblem(
                line: line(of: firstInvalid(in: body), in: body), found: "bytes that are not UTF-8",
                allowed: "UTF-8 text")
        }
        return text
    }

    /// Refuses text whose nesting could exhaust the parser's stack or whose aliases could expand without end.
    ///
    /// The counts are upper bounds on the real depth, so text inside quotes and comments counts too; a job file comes
    /// nowhere near them.
    static func checkNesting(_ text: String) throws(JobProblem) {
        var brackets = 0
        var aliases = 0
        var line = 1
        var column = 0
        var atLineStart = true
        var previous = UInt8(ascii: "\n")
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 0
                atLineStart = true
            } else {
                column += 1
                switch byte {
                case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                    break
                case UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"):
                    // Compact nesting: "- - - x" opens a level at each dash.
                    if atLineStart && column > 64 {
                        throw nesting(line, "content that starts at column \(column)", "column 64")
                    }
                case UInt8(ascii: "["), UInt8(ascii: "{"):
                    brackets += 1
                    if brackets > 256 { throw nesting(line, "more than 256 opening brackets", "256") }
                    fallthrough
                default:
                    if atLineStart && column > 64 && byte != UInt8(ascii: "#") {
                        throw nesting(line, "content that starts at column \(column)", "column 64")
                    }
                    atLineStart = false
                    if byte == UInt8(ascii: "*") && " \t\n[{,:-?".utf8.contains(previous) {
                        aliases += 1
                        if aliases > 16 { throw nesting(line, "more than 16 aliases (*name)", "none") }
                    }
                }
            }
            previous = byte
        }
    }

    private static func nesting(_ line: Int, _ found: String, _ limit: String) -> JobProblem {
        JobProblem(line: line, found: found, allowed: "up to \(limit); a job file nests three levels deep")
    }

    private static func line(of index: Int, in bytes: ArraySlice<UInt8>) -> Int {
        1 + bytes[..<index].count { $0 == UInt8(ascii: "\n") }
    }

    private static func firstInvalid(in bytes: ArraySlice<UInt8>) -> Int {
        // The longest prefix that decodes ends where the first bad sequence starts.
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var position = bytes.startIndex
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): position += UTF8.width(scalar)
            case .emptyInput, .error: return min(position, bytes.endIndex)
            }
        }
    }
}

extension JobProblem: Error {}
