import Foundation

/// A folder for what nobody needs afterwards, which this user alone can read. Its path is short, so that sockets fit below it.
package struct ScratchFolder: Sendable {
    /// Why there is none.
    package struct Failure: Error, CustomStringConvertible {
        fileprivate let path: String
        fileprivate let reason: String

        package var description: String {
            "the folder '\(path)' can't be made: \(reason) Set TMPDIR to a folder that can be written"
        }
    }

    /// The folder's path.
    package let path: String

    /// A new, empty folder where the system keeps such things (`TMPDIR`).
    ///
    /// - Throws: `Failure`.
    package init() throws(Failure) {
        let name = "wafermark-" + UUID().uuidString.prefix(8).lowercased()
        path = FileManager.default.temporaryDirectory.appending(path: name).path(percentEncoded: false)
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(path: path, reason: error.localizedDescription)
        }
    }

    /// Removes the folder with all that is in it.
    package func remove() { try? FileManager.default.removeItem(atPath: path) }
}
