import SystemPackage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file that appears under its name whole or not at all.
///
/// Bytes go to a temporary file beside it; `commit` syncs and renames. Without it the temporary file is removed.
public struct AtomicFile: ~Copyable {
    /// The name under which the file will appear.
    public let path: String
    private let temporary: String
    private let descriptor: FileDescriptor
    private var isCommitted = false

    /// Begins a file that is to appear at `path`; its folder exists.
    public init(path: String) throws(ModelFileError) {
        self.path = path
        temporary = Self.temporaryName(beside: path)
        do {
            descriptor = try FileDescriptor.open(
                FilePath(temporary), .writeOnly, options: [.create, .exclusiveCreate],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
        } catch {
            throw .cannotWrite(file: path, reason: "\(error)")
        }
    }

    deinit {
        try? descriptor.close()
        if !isCommitted { unlink(temporary) }
    }

    /// Appends `bytes`.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(ModelFileError) {
        do {
            try descriptor.writeAll(bytes)
        } catch {
            throw .cannotWrite(file: path, reason: "\(error)")
        }
    }

    /// Appends `bytes`.
    public func write(_ bytes: [UInt8]) throws(ModelFileError) {
        do {
            try descriptor.writeAll(bytes)
        } catch {
            throw .cannotWrite(file: path, reason: "\(error)")
        }
    }

    /// Makes the file appear, over one of that name if there is one, and survive a power cut.
    public consuming func commit() throws(ModelFileError) {
        guard fsync(descriptor.rawValue) == 0, rename(temporary, path) == 0 else {
            throw .cannotWrite(file: path, reason: "\(Errno(rawValue: errno))")
        }
        isCommitted = true
        Self.syncFolder(of: path)
    }

    /// A name for a temporary sibling of `path`: hidden, and unique on this machine.
    static func temporaryName(beside path: String) -> String {
        let path = FilePath(path)
        let name = path.lastComponent?.string ?? "file"
        let random = String(UInt64.random(in: .min ... .max), radix: 36)
        return path.removingLastComponent().appending(".\(name).\(random).partial").string
    }

    /// Makes the names in the folder that holds `path` survive a power cut, as far as the file system can.
    static func syncFolder(of path: String) {
        let folder = FilePath(path).removingLastComponent()
        guard let descriptor = try? FileDescriptor.open(folder.isEmpty ? "." : folder, .readOnly) else { return }
        fsync(descriptor.rawValue)
        try? descriptor.close()
    }
}

/// A folder that appears under its name whole or not at all.
///
/// Files are written into a temporary folder beside it; `commit` renames it. Without it the temporary folder is removed.
public struct AtomicFolder: ~Copyable {
    /// The name under which the folder will appear.
    public let path: String
    /// Where its files are written until then.
    public let temporary: String
    private var isCommitted = false

    /// Begins a folder that is to appear at `path`, where nothing or an empty folder may be; its parent exists.
    public init(path: String) throws(ModelFileError) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
        temporary = AtomicFile.temporaryName(beside: path)
        guard mkdir(temporary, 0o755) == 0 else {
            throw .cannotWrite(file: path, reason: "\(Errno(rawValue: errno))")
        }
    }

    deinit {
        if !isCommitted { Self.remove(temporary) }
    }

    /// Makes the folder appear.
    public consuming func commit() throws(ModelFileError) {
        AtomicFile.syncFolder(of: temporary + "/.")
        guard rename(temporary, path) == 0 else {
            let reason =
                errno == ENOTEMPTY || errno == EEXIST ? "a folder with files is there" : "\(Errno(rawValue: errno))"
            throw .cannotWrite(file: path, reason: reason)
        }
        isCommitted = true
        AtomicFile.syncFolder(of: path)
    }

    /// Removes a folder and the files in it; folders in it are left, and the folder with them.
    public static func remove(_ path: String) {
        if let directory = opendir(path) {
            var names: [String] = []
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { names.append(name) }
            }
            closedir(directory)
            for name in names { unlink(path + "/" + name) }
        }
        rmdir(path)
    }
}
