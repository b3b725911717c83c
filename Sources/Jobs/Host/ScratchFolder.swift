import Foundation

/// A folder for what nobody needs afterwards, which this user alone can read. Its path is short, so that sockets fit below it.
package struct ScratchFolder: Sendable {
    /// The folder's path.
    package let path: String

    /// A new, empty folder where the system keeps such things (`TMPDIR`).
    ///
    /// - Throws: where it can't be made.
    package init() throws {
        let name = "wafermark-" + UUID().uuidString.prefix(8).lowercased()
        path = FileManager.default.temporaryDirectory.appending(path: name).path(percentEncoded: false)
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// Removes the folder with all that is in it.
    package func remove() { try? FileManager.default.removeItem(atPath: path) }
}
