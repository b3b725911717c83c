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
    private let space: DiskSpace?

    /// - Parameters:
    ///   - directory: the folder to make; its parent is made where it isn't there.
    ///   - space: bytes after which writing fails as on a full disk; nil for the disk's own limit.
    init(directory: String, space: Int? = nil) throws {
        self.directory = directory
        self.space = space.map(DiskSpace.init(bytes:))
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
        try FileWriter(path: temporary + "/" + name, space: space) { [weak self] in
            self?.files.append(DatasetManifest.File(name: name, bytes: $0.bytes, digest: $0.digest))
        }
    }

    /// Writes one whole file.
    func write(_ bytes: [UInt8], to name: String) throws {
        let file = try file(name)
        try bytes.withUnsafeBytes { try file.write($0) }
        try file.finish()
    }

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
