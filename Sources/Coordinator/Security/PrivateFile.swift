import Foundation

/// Files that nobody but their owner may read. What is open to others is refused, not mended: it may have been read.
public enum PrivateFile {
    /// The text of the file at `path`, at most `limit` bytes of it.
    ///
    /// - Throws: `KeyError.exposed` or `.foreign` where others could have read or written it, `.file`.
    public static func read(_ path: String, limit: Int = 1 << 20) throws(KeyError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .file(path: path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw .file(path: path, reason: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .file(path: path, reason: "it is no regular file") }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw .foreign(path: path, owner: status.st_uid)
        }
        guard status.st_mode & 0o077 == 0 else { throw .exposed(path: path, mode: status.st_mode & 0o7777) }
        guard status.st_size <= limit else {
            throw .file(path: path, reason: "it has \(status.st_size) bytes; \(limit) are allowed")
        }
        let data = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).readDataToEndOfFile()
        guard let text = String(data: data, encoding: .utf8) else {
            throw .file(path: path, reason: "it is no UTF-8 text")
        }
        return text
    }

    /// Writes `text` to `path`, whole or not at all, with mode 0600.
    ///
    /// - Parameter replaces: whether a file that is there gives way; else that is an error.
    /// - Throws: `KeyError.file`.
    public static func write(_ text: String, to path: String, replaces: Bool) throws(KeyError) {
        let draft = "\(path).\(getpid())-\(UInt32.random(in: 0 ... .max)).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .file(path: path, reason: String(cString: strerror(errno))) }
        defer { unlink(draft) }
        let bytes = Array(text.utf8)
        let isWritten = Foundation.write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        let reason = String(cString: strerror(errno))
        close(descriptor)
        guard isWritten else { throw .file(path: path, reason: reason) }
        // A link is refused where there is a file already; a rename takes its place at once.
        guard (replaces ? rename(draft, path) : link(draft, path)) == 0 else {
            throw .file(path: path, reason: String(cString: strerror(errno)))
        }
    }

    /// Makes the folder at `path`, which only its owner may enter, or checks the one that is there.
    ///
    /// - Throws: `KeyError`.
    static func makeFolder(_ path: String) throws(KeyError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw .file(path: path, reason: String(cString: strerror(errno)))
        }
        var status = stat()
        guard stat(path, &status) == 0 else { throw .file(path: path, reason: String(cString: strerror(errno))) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .file(path: path, reason: "it is no folder") }
        guard status.st_mode & 0o022 == 0 else { throw .exposed(path: path, mode: status.st_mode & 0o7777) }
    }
}
