import Foundation
import Synchronization

/// A file that is being downloaded, perhaps in several tries.
final class PartFile: Sendable {
    private struct State {
        var size: Int
        var total: Int?
    }

    private let path: String
    private let descriptor: Int32
    private let state: Mutex<State>

    /// Opens the file at `path`, or makes it.
    init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
            throw CorpusError.unwritable(path: path, reason: String(cString: strerror(errno)))
        }
        state = Mutex(State(size: Int(status.st_size), total: nil))
    }

    deinit { close(descriptor) }

    /// Bytes that are there.
    var size: Int { state.withLock { $0.size } }

    /// The size of the whole, where the server has told it.
    var total: Int? { state.withLock { $0.total } }

    /// What comes now is from byte `start` of a whole of `total` bytes on. Where that isn't the end of what is there, as
    /// from a server that can't continue, what is there is dropped.
    func begin(at start: Int, total: Int?) throws {
        try state.withLock { state in
            let found = state.size
            if start != found {
                guard ftruncate(descriptor, 0) == 0 else { throw unwritable }
                state.size = 0
            }
            guard start == found || start == 0 else {
                throw TransferFault.connection("the server continues at byte \(start) instead of \(found)")
            }
            state.total = total
        }
    }

    /// Appends `data`.
    func append(_ data: Data) throws {
        try state.withLock { state in
            try data.withUnsafeBytes { bytes in
                var offset = 0
                while offset < bytes.count, let base = bytes.baseAddress {
                    let count = pwrite(descriptor, base + offset, bytes.count - offset, off_t(state.size))
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { throw unwritable }
                    offset += count
                    state.size += count
                }
            }
        }
    }

    /// Flushes the file to the disk.
    func finish() throws {
        guard fsync(descriptor) == 0 else { throw unwritable }
    }

    private var unwritable: CorpusError { .unwritable(path: path, reason: String(cString: strerror(errno))) }
}
