import Digests
import Foundation
import Jobs

/// A file that an import was given or found.
struct SourceFile: Hashable, Sendable {
    /// Its path as it was given or found.
    var path: String
    /// Its path from the root, which tells whether it is the same file as in an earlier run.
    var absolutePath: String
    /// Its size in bytes.
    var size: Int
    /// When it was last changed.
    var modifiedNanoseconds: Int
}

/// Files that are read, and whose text is written, by one thread in one go: one large file or several small ones.
package struct ImportUnit: Sendable {
    /// Files of a unit together have at most this many bytes once they are unpacked, unless it is one file.
    package static let mostBytes = 32 << 20
    /// How much longer than its gzip file XML is, about: PubMed's files are 8 to 10 times.
    private static let growth = 8
    /// Files of a unit.
    static let mostFiles = 2048

    /// The place in the order of the units, from 1.
    var number: Int
    /// The files, in order.
    var files: [SourceFile]
    /// Names what the unit is made of: the files as they are now and the options. Equal units need not be read again.
    var identifier: String

    /// The shards' name, without suffixes: the number and the first file's name.
    var name: String {
        var name = files.first.map { ($0.path as NSString).lastPathComponent } ?? ""
        for suffix in [".gz", ".xml", ".nxml", ".txt", ".text", ".jsonl", ".ndjson"]
        where name.lowercased().hasSuffix(suffix) { name.removeLast(suffix.count) }
        let plain = name.unicodeScalars.prefix(80).map { scalar in
            scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "-" || scalar == ".")
                ? Character(scalar) : "_"
        }
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits + "-" + String(plain)
    }

    /// Cuts `files` into units.
    static func units(
        of files: [SourceFile], options: ImportOptions, mostBytes: Int = Self.mostBytes
    ) throws -> [ImportUnit] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var groups: [[SourceFile]] = []
        var bytes = 0
        for file in files {
            // A unit is one thread's: a release file, which is small only while it is packed, needs a unit of its own.
            let unpacked = file.path.hasSuffix(".gz") ? growth * file.size : file.size
            if let last = groups.last, last.count < mostFiles, bytes + unpacked <= mostBytes {
                groups[groups.count - 1].append(file)
                bytes += unpacked
            } else {
                groups.append([file])
                bytes = unpacked
            }
        }
        let rules = String(decoding: try encoder.encode(options), as: UTF8.self)
        return groups.enumerated().map { index, files in
            let digest = SHA256()
            digest.update("wafermark import \(ImportedCorpus.currentFormat)\n\(rules)\n")
            for file in files { digest.update("\(file.absolutePath)\u{0}\(file.size) \(file.modifiedNanoseconds)\n") }
            return ImportUnit(number: index + 1, files: files, identifier: String(digest.finish().prefix(24)))
        }
    }
}
