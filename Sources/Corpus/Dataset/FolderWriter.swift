import Digests
import Foundation

/// Writes a folder whole or not at all: files go to a folder beside it, are flushed to the disk, and one rename makes it
/// appear. Whatever goes wrong before that leaves nothing; a killed process leaves a `.partial` folder that the next
/// writer of the same folder removes.
final class FolderWriter {
    /// The folder that will appear.
    let directory: String
    /// Where the files are until then.
    let temporary: String
    /// The files written, in order of closing.
    private(set) var files: [DatasetManifest.File] = []
    private var isDone = false
    /// Bytes that may still be written: a full disk for tests.
    fileprivate var spaceLeft: Int?

    /// - Parameters:
    ///   - directory: the folder to make; its parent is made where it isn't there.
    ///   - space: bytes after which writing fails as on a full disk; nil for the disk's own limit.
    init(directory: String, space: Int? = nil) throws {
        self.directory = directory
        spaceLeft = space
        let parent = (directory as NSString).deletingLastPathComponent
        let name = (directory as NSString).lastPathComponent
        temporary = (parent as NSString).appendingPathComponent(
            ".\(name).partial-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        do {
            if !parent.isEmpty {
                try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            }
            Self.removeLeftovers(of: name, in: parent.isEmpty ? "." : parent)
            try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: false)
        } catch let error as CocoaError {
            throw CorpusError.unwritable(path: directory, reason: Self.words(error))
        }
    }

    deinit { if !isDone { abandon() } }

    /// Removes what was written.
    func abandon() {
        isDone = true
        try? FileManager.default.removeItem(atPath: temporary)
    }

    /// A new file of the folder.
    func file(_ name: String) throws -> FileWriter {
        try FileWriter(path: temporary + "/" + name, name: name, folder: self)
    }

    /// Writes one whole file.
    func write(_ bytes: [UInt8], to name: String) throws {
        let file = try file(name)
        try bytes.withUnsafeBytes { try file.write($0) }
        try file.finish()
    }

    fileprivate func add(_ file: DatasetManifest.File) { files.append(file) }

    /// Makes the folder appear. Returns false, and leaves the folder as it is, where it is there already.
    func commit() throws -> Bool {
        try Self.synchronise(temporary)
        guard rename(temporary, directory) == 0 else {
            let code = errno
            abandon()
            if code == EEXIST || code == ENOTEMPTY { return false }
            throw CorpusError.unwritable(path: directory, reason: String(cString: strerror(code)))
        }
        isDone = true
        let parent = (directory as NSString).deletingLastPathComponent
        try Self.synchronise(parent.isEmpty ? "." : parent)
        return true
    }

    private static func synchronise(_ directory: String) throws {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CorpusError.unwritable(path: directory, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        // Some file systems can't flush a folder and say EINVAL; there is nothing more to do there.
        if fsync(descriptor) != 0, errno != EINVAL {
            throw CorpusError.unwritable(path: directory, reason: String(cString: strerror(errno)))
        }
    }

    /// Removes partial folders whose process is gone.
    private static func removeLeftovers(of name: String, in parent: String) {
        let prefix = ".\(name).partial-"
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] where entry.hasPrefix(prefix)
        {
            guard let process = pid_t(entry.dropFirst(prefix.count).prefix { $0 != "-" }) else { continue }
            if kill(process, 0) != 0, errno == ESRCH {
                try? FileManager.default.removeItem(atPath: parent + "/" + entry)
            }
        }
    }

    private static func words(_ error: CocoaError) -> String {
        if let code = (error.userInfo[NSUnderlyingErrorKey] as? POSIXError)?.code.rawValue {
            return String(cString: strerror(code))
        }
        return switch error.code {
        case .fileWriteNoPermission: "permission denied"
        case .fileWriteOutOfSpace: "no space left on the disk"
        case .fileWriteFileExists: "a file is in the way"
        default: "error \(error.code.rawValue)"
        }
    }
}

/// A file being written: buffered, hashed on the way, flushed to the disk at the end.
final class FileWriter {
    private static let bufferSize = 1 << 20

    let name: String
    private let path: String
    private let folder: FolderWriter
    private var descriptor: Int32
    private let digest = SHA256()
    private var buffer: [UInt8] = []
    /// Bytes given so far.
    private(set) var bytes = 0

    fileprivate init(path: String, name: String, folder: FolderWriter) throws {
        self.path = path
        self.name = name
        self.folder = folder
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

    /// Flushes the file to the disk and enters it in the folder's list.
    func finish() throws {
        try flush()
        guard fsync(descriptor) == 0, close(descriptor) == 0 else {
            let code = errno
            descriptor = -1
            throw CorpusError.unwritable(path: path, reason: String(cString: strerror(code)))
        }
        descriptor = -1
        folder.add(DatasetManifest.File(name: name, bytes: bytes, digest: digest.finish()))
    }

    private func flush() throws {
        if let left = folder.spaceLeft {
            guard left >= buffer.count else {
                throw CorpusError.unwritable(path: path, reason: String(cString: strerror(ENOSPC)))
            }
            folder.spaceLeft = left - buffer.count
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
