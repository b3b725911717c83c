import Foundation

/// Where commands print: results to standard output, diagnostics to standard error.
enum Console {
    /// Prints `text` and a line end to standard output.
    static func print(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    /// Prints `text` as it is to standard output.
    static func printExactly(_ text: String) { write(text, to: STDOUT_FILENO) }

    /// Prints `text` and a line end to standard error.
    static func diagnose(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Prints `value` as the command's one JSON document: keys in snake_case and sorted, dates in ISO 8601.
    static func printJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// Writes `text` to a file descriptor whole; gives up where nobody reads any more.
    static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes = bytes.dropFirst(count)
            } else if errno != EINTR && errno != EAGAIN {
                return
            }
        }
    }
}
