import Foundation

/// Reads the end of a process's log, for the words with which it died.
enum LogTail {
    /// The last line of `path` that is not blank, at most 400 characters of it; nil where there is none.
    static func lastLine(of path: String) -> String? {
        guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? handle.close() }
        let length = (try? handle.seekToEnd()) ?? 0
        try? handle.seek(toOffset: length > 4_096 ? length - 4_096 : 0)
        guard let data = try? handle.readToEnd() else { return nil }
        let line = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
            .last { !$0.allSatisfy(\.isWhitespace) }
        return line.map { String($0.prefix(400)) }
    }
}
