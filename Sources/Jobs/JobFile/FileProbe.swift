#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Finds the files that a job names. Passed in, so that a job can be checked where its files are not.
public struct FileProbe: Sendable {
    /// What a path led to.
    public enum Finding: Hashable, Sendable {
        /// A regular file that can be read, by absolute path with symbolic links resolved.
        case file(String)
        /// No such file: the absolute path that was tried, and why not.
        case refused(path: String, reason: String)
    }

    private let find: @Sendable (_ path: String, _ directory: String) -> Finding
    /// Looks into corpus folders.
    public let corpora: CorpusProbe

    /// A probe that asks `find` about a path, relative to a directory unless absolute, and `corpora` about folders.
    public init(
        corpora: CorpusProbe = .unchecked,
        _ find: @escaping @Sendable (_ path: String, _ directory: String) -> Finding
    ) {
        self.corpora = corpora
        self.find = find
    }

    /// What `path`, relative to `directory` unless absolute, leads to.
    public func callAsFunction(_ path: String, relativeTo directory: String) -> Finding { find(path, directory) }

    /// Asks the file system.
    public static let fileSystem = FileProbe(corpora: .fileSystem) { path, directory in
        let joined = absolute(path, relativeTo: directory)
        guard let resolved = realpath(joined, nil) else { return .refused(path: joined, reason: reason(errno)) }
        defer { free(resolved) }
        var status = stat()
        guard stat(resolved, &status) == 0 else { return .refused(path: joined, reason: reason(errno)) }
        if let kind = kindIfNotRegular(status.st_mode) {
            return .refused(path: joined, reason: "is \(kind), not a regular file")
        }
        guard access(resolved, R_OK) == 0 else { return .refused(path: joined, reason: reason(errno)) }
        guard let name = String(validatingCString: resolved) else {
            return .refused(path: joined, reason: "its resolved name is not UTF-8")
        }
        return .file(name)
    }

    /// Takes every path as it stands, made absolute: for examples that are printed and not run.
    public static let unchecked = FileProbe { path, directory in .file(absolute(path, relativeTo: directory)) }

    static func absolute(_ path: String, relativeTo directory: String) -> String {
        if path.hasPrefix("/") { return path }
        return directory.hasSuffix("/") ? directory + path : directory + "/" + path
    }

    /// The working directory of this process.
    static func workingDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }

    /// `code` in words.
    static func reason(_ code: Int32) -> String {
        switch code {
        case ENOENT: "no such file"
        case EACCES, EPERM: "no permission to read it"
        case ENAMETOOLONG: "the path is too long"
        case ELOOP: "its symbolic links lead in a circle"
        case ENOTDIR: "a part of the path is not a directory"
        default: String(cString: strerror(code))
        }
    }

    /// What stands in a regular file's place, or nil for a regular file.
    static func kindIfNotRegular(_ mode: mode_t) -> String? {
        switch mode & S_IFMT {
        case S_IFREG: nil
        case S_IFDIR: "a directory"
        case S_IFCHR, S_IFBLK: "a device"
        case S_IFIFO: "a pipe"
        case S_IFSOCK: "a socket"
        default: "a special file"
        }
    }
}
