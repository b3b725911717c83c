import Digests
import Foundation
import Jobs

/// The third pass over a unit: of what was staged, the documents that were chosen go to the unit's shard.
struct UnitWriting {
    /// What became of a unit.
    struct Result: Codable {
        /// Names the choice and the shard's name: while it stays the same, the shard stays as it is.
        var choice: String
        /// The shard; nil where no document was kept.
        var shard: ImportedCorpus.Shard?
        /// What to add to the counts of the unit's files.
        var counts: [ImportedCorpus.Counts]
        /// The licence notes of the documents kept, in the order in which they first came; at most `mostNotes`.
        var licences: [ImportedCorpus.LicenceNote]
        /// Documents with other notes.
        var otherLicences: Int
        /// Documents with no note.
        var withoutLicence: Int
    }

    /// Different licence notes of a unit that are kept apart.
    static let mostNotes = 1000

    let unit: ImportUnit
    let folder: ImportFolder
    let records: MappedFile
    let outcomes: [SkipReason?]
    let meter: ImportMeter
    let isCancelled: @Sendable () -> Bool

    /// Names the choice among a unit's staged documents.
    static func choice(_ outcomes: [SkipReason?], _ unit: ImportUnit) -> String {
        let digest = SHA256()
        digest.update(unit.name + "\n")
        outcomes.map { $0?.rawValue ?? 0 }.withUnsafeBytes { digest.update($0) }
        return digest.finish()
    }

    /// The result of an earlier run where it is the same and its files are there.
    static func existing(_ unit: ImportUnit, choice: String, folder: ImportFolder) -> Result? {
        guard let result = folder.read(Result.self, unit, .result), result.choice == choice else { return nil }
        for file in result.shard.map({ [$0.text, $0.records] }) ?? [] {
            var status = stat()
            guard stat(folder.path + "/" + file.name, &status) == 0, Int(status.st_size) == file.bytes else {
                return nil
            }
        }
        return result
    }

    /// Writes the shard. The result comes last: without it the next run writes the shard anew.
    func run() throws -> Result {
        var result = Result(
            choice: Self.choice(outcomes, unit), shard: nil,
            counts: Array(repeating: ImportedCorpus.Counts(), count: unit.files.count), licences: [], otherLicences: 0,
            withoutLicence: 0)
        if outcomes.contains(where: { $0 == nil }) {
            result.shard = try writeShard(&result)
        } else {
            try forEachDocument(&result) { _ in }
        }
        try folder.write(result, unit, .result)
        folder.remove(unit, .documents)
        return result
    }

    private func writeShard(_ result: inout Result) throws -> ImportedCorpus.Shard {
        let textName = "text/\(unit.name).txt.gz"
        let recordsName = "records/\(unit.name).jsonl.gz"
        let text = try ShardFile(folder, textName)
        let lines = try ShardFile(folder, recordsName)
        var shard = ImportedCorpus.Shard(
            text: ImportedCorpus.File(name: textName, bytes: 0, digest: ""),
            records: ImportedCorpus.File(name: recordsName, bytes: 0, digest: ""), documents: 0, sentences: 0,
            textBytes: 0)
        var line: [UInt8] = []
        try forEachDocument(&result) { document in
            if shard.documents > 0 { try text.write([UInt8(ascii: "\n")]) }
            try text.file.write(document.text)
            shard.textBytes += document.text.count + (shard.documents > 0 ? 1 : 0)
            shard.documents += 1
            shard.sentences += document.sentences
            line.removeAll(keepingCapacity: true)
            line.append(UInt8(ascii: "{"))
            line.append(contentsOf: document.metadata)
            if document.licence.count > 0 {
                line.append(contentsOf: ",\"licence\":".utf8)
                RecordLine.append(document.licence, to: &line)
            }
            line.append(contentsOf: "}\n".utf8)
            try lines.write(line)
            meter.write(text: document.text.count)
        }
        shard.text = try text.finish()
        shard.records = try lines.finish()
        return shard
    }

    private struct Document {
        var text, metadata, licence: UnsafeRawBufferPointer
        var sentences: Int
    }

    /// Goes through the staged documents, counts all and calls `body` with those that are kept.
    private func forEachDocument(_ result: inout Result, _ body: (Document) throws -> Void) throws {
        let window = ByteWindow(try ByteSource(path: folder.path(unit, .documents), unpacks: false))
        var notes = LicenceCount()
        var place = 0
        for index in 0..<(records.count / ImportRecord.size) {
            guard let record = ImportRecord(records, index) else { throw damaged }
            guard record.reason == nil, record.kind != .deletion else { continue }
            guard try window.peek(15) != nil, place < outcomes.count else { throw damaged }
            let header = (0..<4).map {
                Int(UInt32(littleEndian: window.bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
            }
            let count = 16 + header[0] + header[1] + header[2]
            guard try window.peek(count - 1) != nil else { throw damaged }
            let bytes = window.bytes
            func part(_ start: Int, _ count: Int) -> UnsafeRawBufferPointer {
                UnsafeRawBufferPointer(rebasing: bytes[start..<(start + count)])
            }
            let member = Int(record.member)
            if let reason = outcomes[place] {
                result.counts[member].skipped[reason.name, default: 0] += 1
            } else {
                let document = Document(
                    text: part(16 + header[0] + header[1], header[2]), metadata: part(16, header[0]),
                    licence: part(16 + header[0], header[1]), sentences: header[3])
                result.counts[member].documents += 1
                result.counts[member].sentences += document.sentences
                result.counts[member].textBytes += document.text.count
                notes.add(document.licence)
                try body(document)
            }
            window.advance(count)
            place += 1
            if place & 255 == 0, isCancelled() { throw CorpusError.cancelled }
        }
        guard place == outcomes.count else { throw damaged }
        (result.licences, result.otherLicences, result.withoutLicence) = (notes.notes, notes.others, notes.without)
    }

    private var damaged: CorpusError {
        .badCorpus(path: folder.path, reason: "work/\(unit.identifier).documents is damaged")
    }
}

/// A file of a shard: packed, and under its name only once it is whole.
private final class ShardFile {
    let file: GzipWriter
    private let folder: ImportFolder
    private let name: String
    private let temporary: String
    private var isFinished = false

    init(_ folder: ImportFolder, _ name: String) throws {
        self.folder = folder
        self.name = name
        temporary = folder.path + "/" + name + ".partial"
        unlink(temporary)
        file = try GzipWriter(FileWriter(path: temporary, space: folder.space))
    }

    deinit { if !isFinished { unlink(temporary) } }

    func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try file.write($0) } }

    func finish() throws -> ImportedCorpus.File {
        let summary = try file.finish()
        try FileWriter.move(temporary, to: folder.path + "/" + name)
        isFinished = true
        return ImportedCorpus.File(name: name, bytes: summary.bytes, digest: summary.digest)
    }
}

/// Counts licence notes, of which the first 1000 different ones are kept apart.
struct LicenceCount {
    private(set) var notes: [ImportedCorpus.LicenceNote] = []
    private(set) var others = 0
    private(set) var without = 0
    private var places: [String: Int] = [:]
    private let most: Int

    init(most: Int = UnitWriting.mostNotes) { self.most = most }

    mutating func add(_ note: UnsafeRawBufferPointer) {
        if note.isEmpty { without += 1 } else { add(String(decoding: note, as: UTF8.self), documents: 1) }
    }

    mutating func add(_ note: String, documents: Int) {
        if let place = places[note] {
            notes[place].documents += documents
        } else if notes.count < most {
            places[note] = notes.count
            notes.append(ImportedCorpus.LicenceNote(note: note, documents: documents))
        } else {
            others += documents
        }
    }
}
