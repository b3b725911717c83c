import Foundation
import Jobs

/// The folder that an import writes, locked for it alone.
final class ImportFolder: Sendable {
    /// A file in `work/` that belongs to a unit.
    enum Part: String, CaseIterable {
        case records, signatures, documents
        /// What was read: written once the parts before are on the disk.
        case summary = "json"
        /// What was written to `text/` and `records/`: written once these are on the disk.
        case result = "result.json"
    }

    /// The folder.
    let path: String
    /// A full disk for tests; nil for the disk's own limit.
    let space: DiskSpace?
    private let lock: FolderLock

    /// Opens or makes the folder at `path` and locks it.
    ///
    /// - Throws: `CorpusError.busy` where another process works on it, `.unwritable` where it holds other things.
    init(_ path: String, space: DiskSpace? = nil) throws {
        self.path = path
        self.space = space
        try Self.make(path)
        lock = try FolderLock(path)
        let others = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        guard others.isEmpty || others.contains(ImportedCorpus.fileName) || others.contains("work") else {
            throw CorpusError.unwritable(
                path: path, reason: "the folder holds other things (\(others.min() ?? "")); give a new or empty one")
        }
        for name in ["text", "records", "work"] { try Self.make(path + "/" + name) }
    }

    private static func make(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw CorpusError.unwritable(path: path, reason: PartialFolder.words(error))
        }
    }

    /// Makes sure that the folder is new, or holds an import with the same options and of no other files: another's text
    /// is not to vanish unasked.
    func claim(options: ImportOptions, files: [SourceFile]) throws {
        let listPath = path + "/work/" + Self.listName
        if FileManager.default.fileExists(atPath: path + "/" + ImportedCorpus.fileName) {
            let corpus = try ImportedCorpus(readingFrom: path)
            if let difference = corpus.options.difference(to: options) {
                throw CorpusError.otherImport(path: path, difference: difference)
            }
            let known = (try? MappedFile(path: listPath)).flatMap {
                try? JSONDecoder().decode([String].self, from: Data($0.bytes))
            }
            let given = Set(files.map(\.absolutePath))
            if let left = known?.first(where: { !given.contains($0) }) {
                throw CorpusError.otherImport(
                    path: path, difference: "\(left) is in it and isn't among the sources now (list it as well)")
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        try FileWriter.writeWhole(Array(try encoder.encode(files.map(\.absolutePath))), to: listPath, space: space)
    }

    private static let listName = "sources.json"

    /// The path of a unit's part.
    func path(_ unit: ImportUnit, _ part: Part) -> String { "\(path)/work/\(unit.identifier).\(part.rawValue)" }

    /// A new file for a unit's part, in place of one that is there.
    func newFile(_ unit: ImportUnit, _ part: Part) throws -> FileWriter {
        unlink(path(unit, part))
        return try FileWriter(path: path(unit, part), space: space)
    }

    /// The size of a unit's part; nil where it isn't there.
    func size(_ unit: ImportUnit, _ part: Part) -> Int? {
        var status = stat()
        return stat(path(unit, part), &status) == 0 ? Int(status.st_size) : nil
    }

    /// Whether a unit's part is there.
    func has(_ unit: ImportUnit, _ part: Part) -> Bool { access(path(unit, part), R_OK) == 0 }

    /// Removes a unit's parts.
    func remove(_ unit: ImportUnit, _ parts: Part...) { for part in parts { unlink(path(unit, part)) } }

    /// Writes a unit's part as JSON, whole or not at all.
    func write(_ value: some Encodable, _ unit: ImportUnit, _ part: Part) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        try FileWriter.writeWhole(Array(try encoder.encode(value)), to: path(unit, part), space: space)
    }

    /// A unit's part that was written as JSON; nil where it isn't there or is damaged.
    func read<Value: Decodable>(_ type: Value.Type, _ unit: ImportUnit, _ part: Part) -> Value? {
        guard let file = try? MappedFile(path: path(unit, part)) else { return nil }
        return try? JSONDecoder().decode(type, from: Data(file.bytes))
    }

    /// Removes files in `work/` that belong to none of `units`, and files in `text/` and `records/` that none of `shards`
    /// names.
    func removeStrays(units: [ImportUnit], shards: [ImportedCorpus.Shard]?) {
        let known = Set(units.map(\.identifier))
        for name in entries("work")
        where name != Self.listName && !known.contains(String(name.prefix { $0 != "." })) {
            unlink(path + "/work/" + name)
        }
        guard let shards else { return }
        let kept = Set(shards.flatMap { [$0.text.name, $0.records.name] })
        for folder in ["text", "records"] {
            for name in entries(folder) where !kept.contains(folder + "/" + name) {
                unlink(path + "/" + folder + "/" + name)
            }
        }
    }

    private func entries(_ name: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: path + "/" + name)) ?? []
    }
}
