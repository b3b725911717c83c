import Foundation

/// A folder of a test's own, removed when the test is done. Its path is short, so that sockets fit below it.
public final class TemporaryFolder: Sendable {
    /// The folder's absolute path.
    public let path: String

    /// A new, empty folder.
    public init() throws {
        path = "/tmp/wm-" + UUID().uuidString.prefix(8).lowercased()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes `text` to `name` in the folder and returns its path.
    public func write(_ text: String, to name: String) throws -> String {
        let file = path + "/" + name
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }
}
