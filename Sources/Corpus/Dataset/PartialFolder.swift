import Digests
import Foundation

/// A dataset folder in the making: `.NAME.partial` beside the place where it will appear by one rename, whole.
///
/// Every shard that is finished has a record there. Whatever ends the making, the next maker of the same dataset finds
/// the finished shards and goes on; the maker of another one starts afresh. One process at a time.
final class PartialFolder: Sendable {
    /// The folder that will appear.
    let directory: String
    /// Where its files are until then.
    let path: String
    private let space: DiskSpace?
    private let lock: FolderLock

    private static let requestName = "request"
    private static let recordSuffix = ".shard.json"

    /// - Parameters:
    ///   - directory: the folder to make; its parent is made where it isn't there.
    ///   - request: what identifies the dataset.
    ///   - space: bytes after which writing fails as on a full disk; nil for the disk's own limit.
    init(directory: String, request: String, space: DiskSpace? = nil) throws {
        self.directory = directory
        self.space = space
        path = Self.path(for: directory)
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw CorpusError.unwritable(path: directory, reason: Self.words(error))
        }
        lock = try FolderLock(path, saying: directory)
        if Self.request(of: directory) != request {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
                try? FileManager.default.removeItem(atPath: path + "/" + name)
            }
            do {
                try FileWriter.writeWhole(Array(request.utf8), to: path + "/" + Self.requestName, space: space)
            } catch {
                try? FileManager.default.removeItem(atPath: path)
                throw error
            }
        }
    }

    /// Where the dataset of `directory` is while it is made.
    private static func path(for directory: String) -> String {
        let parent = (directory as NSString).deletingLastPathComponent
        let name = (directory as NSString).lastPathComponent
        return (parent.isEmpty ? "" : parent + "/") + ".\(name).partial"
    }

    /// What identifies the dataset that is being made for `directory`, or was when it was left; nil for none.
    private static func request(of directory: String) -> String? {
        FileManager.default.contents(atPath: path(for: directory) + "/" + requestName)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// The shards that are finished of the dataset in the making for `directory`, whether or not a process is at it; nil
    /// where none is in the making.
    static func finishedShards(for directory: String) -> [DatasetManifest.Shard]? {
        guard request(of: directory) != nil else { return nil }
        return records(in: path(for: directory)).map(\.shard)
    }

    /// A new file of the folder, over what a former maker left of it.
    func file(_ name: String) throws -> FileWriter {
        unlink(path + "/" + name)
        return try FileWriter(path: path + "/" + name, space: space)
    }

    /// Writes one whole file.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> DatasetManifest.File {
        try FileWriter.writeWhole(bytes, to: path + "/" + name, space: space)
        return DatasetManifest.File(
            name: name, bytes: bytes.count, digest: bytes.withUnsafeBytes { SHA256.hexadecimal(of: $0) })
    }

    /// Removes what killed processes left in `cache` of datasets other than that of `directory`.
    static func removeAbandoned(in cache: String, but directory: String) {
        let kept = (path(for: directory) as NSString).lastPathComponent
        let names = (try? FileManager.default.contentsOfDirectory(atPath: cache)) ?? []
        for name in names where name.hasPrefix(".") && name.hasSuffix(".partial") && name != kept {
            guard let lock = try? FolderLock(cache + "/" + name) else { continue }
            withExtendedLifetime(lock) { try? FileManager.default.removeItem(atPath: cache + "/" + name) }
        }
    }

    // MARK: - Shards

    /// Enters a shard whose files are on the disk.
    func add(_ record: ShardRecord) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try write(Array(try encoder.encode(record)), to: record.shard.name + Self.recordSuffix)
    }

    /// The shards that are whole, by group: of each group those from its first on without a gap.
    ///
    /// Files are read and compared with their digests: a disk that was full may have kept less than it said.
    func soundRecords() -> [Int: [ShardRecord]] {
        var sound: [Int: [ShardRecord]] = [:]
        for record in Self.records(in: path) where sound[record.group, default: []].count == record.part {
            let isWhole = record.files.allSatisfy { file in
                guard let mapped = try? MappedFile(path: path + "/" + file.name) else { return false }
                return mapped.count == file.bytes && SHA256.hexadecimal(of: mapped.bytes) == file.digest
            }
            if isWhole { sound[record.group, default: []].append(record) }
        }
        return sound
    }

    private static func records(in path: String) -> [ShardRecord] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let records = names.filter { $0.hasSuffix(recordSuffix) }.compactMap { name -> ShardRecord? in
            guard let data = FileManager.default.contents(atPath: path + "/" + name) else { return nil }
            return try? JSONDecoder().decode(ShardRecord.self, from: data)
        }
        return records.sorted { ($0.group, $0.part) < ($1.group, $1.part) }
    }

    // MARK: - The end

    /// Makes the folder appear with the files of `manifest`, in place of what may be there.
    func commit(_ manifest: DatasetManifest) throws {
        let json = try manifest.json()
        let written = try write(json, to: DatasetManifest.fileName)
        try write(DatasetManifest.digestLine(written.digest), to: DatasetManifest.digestFileName)
        let wanted = Set(manifest.files.map(\.name) + [DatasetManifest.fileName, DatasetManifest.digestFileName])
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] where !wanted.contains(name) {
            unlink(path + "/" + name)
        }
        try Self.synchronise(path)
        let parent = (directory as NSString).deletingLastPathComponent
        let old = path + "-replaced"
        try? FileManager.default.removeItem(atPath: old)
        if rename(directory, old) != 0, errno != ENOENT {
            throw CorpusError.unwritable(path: directory, reason: String(cString: strerror(errno)))
        }
        guard rename(path, directory) == 0 else {
            let code = errno
            rename(old, directory)
            throw CorpusError.unwritable(path: directory, reason: String(cString: strerror(code)))
        }
        try Self.synchronise(parent.isEmpty ? "." : parent)
        // Runs that have the old files open keep them.
        try? FileManager.default.removeItem(atPath: old)
    }

    /// Removes what was made.
    func abandon() { try? FileManager.default.removeItem(atPath: path) }

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

    /// What kept a folder from being made, in a few words.
    static func words(_ error: any Error) -> String {
        guard let error = error as? CocoaError else { return "\(error)" }
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
