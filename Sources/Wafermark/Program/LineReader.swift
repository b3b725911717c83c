import Foundation

/// Reads a file line by line, as bytes, without ever holding more than a block and a line of it.
final class LineReader {
    private let handle: FileHandle
    private let path: String
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    /// Opens `path`; `-` is standard input.
    init(path: String) throws {
        self.path = path
        if path == "-" {
            handle = .standardInput
        } else {
            do {
                handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            } catch {
                throw CommandFailure.wrongUsage("\(path): can't be read: \(String(cString: strerror(errno)))")
            }
        }
    }

    /// The next line without its line feed; nil after the last. An end of file without a line feed ends a line.
    func next() throws -> ArraySlice<UInt8>? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return buffer[start..<end]
            }
            if isAtEnd {
                guard start < buffer.count else { return nil }
                defer { start = buffer.count }
                return buffer[start...]
            }
            buffer.removeSubrange(..<start)
            start = 0
            searched = buffer.count
            do {
                if let block = try handle.read(upToCount: 1 << 18), !block.isEmpty {
                    buffer.append(contentsOf: block)
                } else {
                    isAtEnd = true
                }
            } catch {
                throw CommandFailure.wrongUsage("\(path): can't be read: \(error.localizedDescription)")
            }
        }
    }
}
