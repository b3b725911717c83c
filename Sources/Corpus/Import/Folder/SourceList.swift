import Foundation
import Jobs

/// The files of an import in their order: as given, directories by name, and PubMed's release files by their numbers.
struct SourceList: Sendable {
    /// The files.
    private(set) var files: [SourceFile] = []
    /// Files in directories that are of no kind that can be imported.
    private(set) var ignoredFiles = 0

    /// Lists `paths`: files, and directories with all that is in them. What is in `excluded` is left out.
    ///
    /// - Throws: `CorpusError.missing`, `.notAFile` or `.unreadable` for the first path that can't be read.
    init(_ paths: [String], excluding excluded: String) throws {
        var seen: Set<String> = []
        let excluded = Self.absolute(excluded) + "/"
        for path in paths {
            for found in try Self.expand(path) {
                let absolute = Self.absolute(found.path)
                if absolute.hasPrefix(excluded), found.isListed { continue }
                if found.isListed, SourceReader.NamedKind(path: found.path) == nil {
                    ignoredFiles += 1
                    continue
                }
                guard seen.insert(absolute).inserted else { continue }
                files.append(try Self.file(found.path, absolute))
            }
        }
        orderReleases()
    }

    /// PubMed's files must be read in the order of their numbers: a later one revises an earlier one.
    private mutating func orderReleases() {
        let places = files.indices.filter { Self.releaseNumber(files[$0].path) != nil }
        let ordered = places.map { files[$0] }.enumerated().sorted {
            (Self.releaseNumber($0.element.path) ?? 0, $0.offset) < (
                Self.releaseNumber($1.element.path) ?? 0, $1.offset
            )
        }
        for (place, file) in zip(places, ordered) { files[place] = file.element }
    }

    /// 240001 for `pubmed24n0001.xml.gz`; nil for other names.
    static func releaseNumber(_ path: String) -> Int? {
        let name = (path as NSString).lastPathComponent
        guard let match = name.wholeMatch(of: /(?:pubmed|medline)(\d\d)n(\d{4,6})\.xml(?:\.gz)?/),
            let year = Int(match.1), let number = Int(match.2)
        else { return nil }
        return year * 1_000_000 + number
    }

    /// The regular files at and below `path`, a directory's by name.
    private static func expand(_ path: String) throws -> [(path: String, isListed: Bool)] {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw CorpusError.missing(path: path)
        }
        guard isDirectory.boolValue else { return [(path, false)] }
        guard access(path, R_OK | X_OK) == 0, let entries = FileManager.default.enumerator(atPath: path) else {
            throw CorpusError.unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        var found: [String] = []
        while let entry = entries.nextObject() as? String {
            let name = (entry as NSString).lastPathComponent
            if name.hasPrefix(".") {
                entries.skipDescendants()
                continue
            }
            var status = stat()
            let whole = path + "/" + entry
            if stat(whole, &status) == 0, status.st_mode & S_IFMT == S_IFREG { found.append(whole) }
        }
        return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { ($0, true) }
    }

    private static func file(_ path: String, _ absolute: String) throws -> SourceFile {
        var status = stat()
        let isThere = stat(path, &status) == 0
        if !isThere || status.st_mode & S_IFMT != S_IFREG || access(path, R_OK) != 0 {
            // Opening says most exactly what is wrong.
            _ = try ByteSource(path: path)
        }
        guard isThere else {
            throw CorpusError.unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        return SourceFile(
            path: path, absolutePath: absolute, size: Int(status.st_size),
            modifiedNanoseconds: Int(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int(status.st_mtim.tv_nsec))
    }

    private static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
}
