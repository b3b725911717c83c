import Foundation
import Jobs
import SystemPackage

/// Space on the state directory's disk that is held back and given up when the disk is full, so that how a run ended can
/// still be recorded.
struct DiskReserve: Sendable {
    /// What the last writes about a run need at most, with a good margin.
    private static let size = Bytes.mebibytes(1)

    private let state: StateDirectory
    private var path: String { state.path + "/reserve" }

    /// The reserve of `state`, not yet filled.
    init(of state: StateDirectory) { self.state = state }

    /// Takes the space, unless it is held already.
    ///
    /// - Throws: `DaemonError.unusableState` where the disk has no such space.
    func fill() throws {
        do {
            let file = try FileDescriptor.open(
                FilePath(path), .readWrite, options: [.create], permissions: [.ownerReadWrite])
            defer { try? file.close() }
            let status = posix_fallocate(file.rawValue, 0, Self.size.count)
            guard status == 0 else { throw Errno(rawValue: status) }
        } catch {
            release()
            throw DaemonError.unusableState(
                path: state.path,
                reason: "\(error); a run needs more than \(Self.size.count >> 20) MiB to begin: free some space")
        }
    }

    /// Gives the space up.
    func release() { unlink(path) }
}
