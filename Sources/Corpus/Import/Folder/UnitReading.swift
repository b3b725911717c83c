import Foundation
import Jobs

/// The first pass over a unit: its files are read, and what may be kept is staged.
///
/// In `work/`, under the unit's identifier: `.records` (an `ImportRecord` each), `.signatures` (a MinHash signature for
/// each staged document), `.documents` (metadata and text of each), and last the summary `.json`. A unit whose summary is
/// there was read to its end.
struct UnitReading {
    /// What is known of a unit once it was read.
    struct Summary: Codable {
        /// The files, with counts of what was read and left out so far.
        var sources: [ImportedCorpus.Source]
        /// Entries of `.records`.
        var records: Int
        /// Documents in `.documents`, and entries of `.signatures` if there are any.
        var staged: Int
    }

    let unit: ImportUnit
    let options: ImportOptions
    let folder: ImportFolder
    let meter: ImportMeter
    let isStrict: Bool
    let isCancelled: @Sendable () -> Bool

    /// Reads the unit. Whatever goes wrong, what it wrote is no summary, so that the next run starts the unit anew.
    func run() throws -> Summary {
        let staging = try UnitStaging(unit, options: options, folder: folder)
        var sources: [ImportedCorpus.Source] = []
        for member in unit.files.indices {
            sources.append(try read(member, into: staging))
            meter.finishFile()
        }
        let summary = Summary(sources: sources, records: staging.records, staged: staging.staged)
        try staging.finish(summary)
        return summary
    }

    private func read(_ member: Int, into staging: UnitStaging) throws -> ImportedCorpus.Source {
        let file = unit.files[member]
        var source = ImportedCorpus.Source(
            path: file.path, kind: nil, bytes: file.size, digest: "", state: .imported, unpackedBytes: 0, faults: [],
            counts: ImportedCorpus.Counts())
        let bytes = try ByteSource(path: file.path, hashes: true)
        var feed = MeterFeed(meter: meter, source: bytes)
        do {
            if let reader = try SourceReader.open(bytes, options: options) {
                source.kind = reader.kind
                try staging.begin(member: member, kind: reader.kind)
                while let record = try reader.next() {
                    if isCancelled() { throw CorpusError.cancelled }
                    try staging.add(record, counts: &source.counts)
                    feed.update(articles: source.counts.articles)
                }
                source.counts.replacedSequences = reader.replacedSequences
                if let lines = reader as? JSONLinesReader { source.faults = lines.faults }
                if source.counts.articles == 0, reader.kind == .text || reader.kind == .jsonLines {
                    source.state = .empty
                }
            } else {
                source.state = .empty
            }
            if isStrict, source.state == .empty { throw CorpusError.noText(path: file.path) }
            if isStrict, let fault = source.faults.first {
                throw CorpusError.malformed(path: file.path, byte: fault.byte, reason: fault.reason)
            }
        } catch let error as CorpusError {
            guard let fault = error.fault, !isStrict else { throw error }
            source.state = .malformed
            source.faults = [fault]
            // Nothing of it is kept, so nothing of it is counted.
            source.counts = ImportedCorpus.Counts()
            meter.fault(path: file.path, fault)
        }
        let cutSentences = staging.takeCutSentences()
        if source.state == .imported { source.counts.cutSentences = cutSentences }
        source.unpackedBytes = bytes.unpacked
        source.digest = try bytes.finishDigest(isCancelled: isCancelled)
        guard bytes.consumed == file.size else {
            throw CorpusError.unreadable(path: file.path, reason: "it changed while it was read")
        }
        feed.update(articles: source.counts.articles, isDone: true)
        return source
    }
}

extension CorpusError {
    /// The place and the kind of damage where the error says that a file breaks the rules of its format; else nil.
    var fault: ImportedCorpus.Fault? {
        switch self {
        case .malformed(_, let byte, let reason), .damagedGzip(_, let byte, let reason):
            ImportedCorpus.Fault(byte: byte, reason: reason)
        case .gzipBomb(_, let byte, let ratio, let limit):
            ImportedCorpus.Fault(
                byte: byte, reason: "it grows \(ratio) times when unpacked; at most \(limit) is allowed")
        case .binary(_, let line, let byte, let reason):
            ImportedCorpus.Fault(byte: byte, reason: "line \(line): no text: \(reason)")
        case .lineTooLong(_, let line, let byte, let limit):
            ImportedCorpus.Fault(byte: byte, reason: "line \(line) is longer than \(limit.count) bytes")
        case .documentTooLong(_, let line, let limit):
            ImportedCorpus.Fault(byte: 0, reason: "the document from line \(line) is longer than \(limit.count) bytes")
        default: nil
        }
    }
}
