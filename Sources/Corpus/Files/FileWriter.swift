import Digests
import Foundation
import Synchronization

/// Bytes that may still be written: a full disk for tests. Shared by writers on several threads.
package final class DiskSpace: Sendable {
    private let left: Mutex<Int>

    /// A disk that is full after `bytes` bytes.
    package init(bytes: Int) { left = Mutex(bytes) }

    /// Takes `count` bytes; false where they aren't there.
    func take(_ count: Int) -> Bool {
        left.withLock { left in
            guard left >= count else { return false }
            left -= count
            return true
        }
    }
}

/// A file being written: buffered, hashed on the way, flushed to the disk at the end.
final class FileWriter {
    /// What was written.
    struct Summary: Hashable {
        var bytes: Int
        /// SHA-256 of the contents.
        var digest: String
    }

    private static let bufferSize = 1 << 20

    private let path: String
    private let space: DiskSpace?
    private let onFinish: (Summary) -> Void
    private var descriptor: Int32
    private let digest = SHA256()
    private var buffer: [UInt8] = []
    /// Bytes given so far.
    private(set) var bytes = 0

    /// A new file at `path`, where none may be; `onFinish` is told what was written once it is on the disk.
    init(path: String, space: DiskSpace? = nil, onFinish: @escaping (Summary) -> Void = { _ in }) throws {
        self.path = path
        self.space = space
        self.onFinish = onFinish
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw CorpusError.unwritable(path: path, reason: String(cString: strerror(errno)))
        }
        buffer.reserveCapacity(Self.bufferSize)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Appends `data`.
    func write(_ data: UnsafeRawBufferPointer) throws {
        bytes += data.count
        buffer.append(contentsOf: data)
        if buffer.count >= Self.bufferSize { try flush() }
    }

    /// Appends integers in little-endian order.
    func write<Value: FixedWidthInteger>(_ values: [Value]) throws {
        try values.map(\.littleEndian).withUnsafeBytes { try write($0) }
    }

    /// Flushes the file to the disk and says what was written.
    @discardableResult
    func finish() throws -> Summary {
        try flush()
        guard fsync(descriptor) == 0, close(descriptor) == 0 else {
            let code = errno
            descriptor = -1
            throw CorpusError.unwritable(path: path, reason: String(cString: strerror(code)))
        }
        descriptor = -1
        let summary = Summary(bytes: bytes, digest: digest.finish())
        onFinish(summary)
        return summary
    }

    /// Writes `contents` to `path`, over what is there, whole or not at all.
    static func writeWhole(_ contents: [UInt8], to path: String, space: DiskSpace? = nil) throws {
        let temporary = path + ".partial"
        unlink(temporary)
        do {
            let file = try FileWriter(path: temporary, space: space)
            try contents.withUnsafeBytes { try file.write($0) }
            try file.finish()
            try move(temporary, to: path)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Gives the file at `path` the name `target`, in place of what has it.
    static func move(_ path: String, to target: String) throws {
        guard rename(path, target) == 0 else {
            throw CorpusError.unwritable(path: target, reason: String(cString: strerror(errno)))
        }
    }

    private func flush() throws {
        if let space, !space.take(buffer.count) {
            throw CorpusError.unwritable(path: path, reason: String(cString: strerror(ENOSPC)))
        }
        try buffer.withUnsafeBytes { data in
            digest.update(data)
            var offset = 0
            while offset < data.count, let base = data.baseAddress {
                let count = Foundation.write(descriptor, base + offset, data.count - offset)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    throw CorpusError.unwritable(path: path, reason: String(cString: strerror(errno)))
                }
                offset += count
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
