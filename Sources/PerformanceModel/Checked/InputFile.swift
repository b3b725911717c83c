#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import Jobs

/// Reads the text files that a user hands in, under limits that keep a hostile one harmless.
enum InputFile {
    /// The most bytes that a profile or a table may have.
    static let sizeLimit = 1 << 24

    /// The UTF-8 text of the regular file at `path`, without a byte-order mark.
    ///
    /// - Throws: `unreadable` for what is no regular file, too large or not there; `syntax` with the line for NUL bytes
    ///   and bytes that are not UTF-8.
    static func text(of path: String) throws(PerformanceModelError) -> String {
        try decode(try bytes(of: path), file: path)
    }

    private static func bytes(of path: String) throws(PerformanceModelError) -> [UInt8] {
        func refuse(_ reason: String) -> PerformanceModelError { .unreadable(file: path, reason: reason) }
        guard !path.utf8.contains(0) else { throw refuse("a path holds no NUL") }
        // Not blocking, so that a pipe in the file's place cannot hang the command.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw refuse(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw refuse(String(cString: strerror(errno))) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw refuse("is not a regular file") }
        guard status.st_size <= sizeLimit else {
            throw refuse("has \(status.st_size) bytes; allowed: at most \(sizeLimit)")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(status.st_size))
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= sizeLimit {
            let count = block.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw refuse(String(cString: strerror(errno))) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: block[..<count])
        }
        throw refuse("grew beyond \(sizeLimit) bytes while it was read")
    }

    private static func decode(_ bytes: [UInt8], file: String) throws(PerformanceModelError) -> String {
        func line(_ index: Int) -> Int { 1 + bytes[..<index].count { $0 == UInt8(ascii: "\n") } }
        let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw .syntax(file: file, line: 1, reason: "UTF-16 text; allowed: UTF-8 text")
        }
        if let nul = body.firstIndex(of: 0) {
            throw .syntax(file: file, line: line(nul), reason: "a NUL byte; allowed: UTF-8 text")
        }
        if let text = String(validating: body, as: UTF8.self) { return text }
        // The first line that doesn't decode by itself: no UTF-8 sequence holds a line feed.
        var number = 1
        for piece in body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if String(validating: piece, as: UTF8.self) == nil { break }
            number += 1
        }
        throw .syntax(file: file, line: number, reason: "bytes that are not UTF-8; allowed: UTF-8 text")
    }
}
