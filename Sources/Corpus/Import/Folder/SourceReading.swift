import Foundation
import Jobs

/// The first pass over one file. Where it breaks the rules of its format, what can be read of it is kept: the records
/// before, and those after where the next one's beginning can be told.
struct SourceReading {
    /// Places of faults that are kept and told of a file; the others are counted.
    static let keptFaults = 10

    private let file: SourceFile
    private let member: Int
    private let options: ImportOptions
    private let meter: ImportMeter
    private let isStrict: Bool
    private let isCancelled: @Sendable () -> Bool
    private let bytes: ByteSource
    private var feed: MeterFeed
    private var source: ImportedCorpus.Source
    private var lastFaultByte: Int?

    /// A reading of `file`, which is `member` of its unit.
    init(
        _ file: SourceFile, member: Int, options: ImportOptions, meter: ImportMeter, isStrict: Bool,
        isCancelled: @escaping @Sendable () -> Bool
    ) throws {
        self.file = file
        self.member = member
        self.options = options
        self.meter = meter
        self.isStrict = isStrict
        self.isCancelled = isCancelled
        bytes = try ByteSource(path: file.path, hashes: true)
        feed = MeterFeed(meter: meter, source: bytes)
        source = ImportedCorpus.Source(pending: file)
    }

    /// Reads the file to its end; what it says goes to `staging`.
    ///
    /// - Throws: `CorpusError`; where it is strict, also for the first fault and for an empty file.
    mutating func run(into staging: UnitStaging) throws -> ImportedCorpus.Source {
        do {
            if let reader = try SourceReader.open(bytes, options: options) { try read(reader, into: staging) }
        } catch let error as CorpusError {
            // Of a damaged packing, or of what is no text, nothing more can be read.
            try note(error, resumedAtByte: nil)
        }
        source.counts.cutSentences = staging.takeCutSentences()
        source.state = state
        if isStrict { try source.requireWhole() }
        source.unpackedBytes = bytes.unpacked
        source.digest = try bytes.finishDigest(isCancelled: isCancelled)
        guard bytes.consumed == file.size else {
            throw CorpusError.unreadable(path: file.path, reason: "it changed while it was read")
        }
        feed.update(abstracts: source.counts.abstracts, isDone: true)
        if source.counts.faults > Self.keptFaults {
            meter.tell("\(file.path): \(source.counts.faults) such places in all")
        }
        return source
    }

    private var state: ImportedCorpus.State {
        if source.counts.faults > 0 { return .malformed }
        switch source.kind {
        case nil: return .empty
        case .text, .jsonLines: return source.counts.articles == 0 ? .empty : .imported
        case .pubMed, .article: return .imported
        }
    }

    private mutating func read(_ reader: any CitationReader, into staging: UnitStaging) throws {
        source.kind = reader.kind
        defer { source.counts.replacedSequences = reader.replacedSequences }
        try staging.begin(member: member, kind: reader.kind)
        while true {
            do {
                while let record = try reader.next() {
                    if isCancelled() { throw CorpusError.cancelled }
                    try staging.add(record, counts: &source.counts)
                    feed.update(abstracts: source.counts.abstracts)
                }
                return
            } catch let error as CorpusError {
                guard case .malformed = error, !isStrict else { throw error }
                if isCancelled() { throw CorpusError.cancelled }
                let resumed = Result { try reader.resume() }
                try note(error, resumedAtByte: try? resumed.get())
                guard try resumed.get() != nil else { return }
            }
        }
    }

    /// Notes a fault of the file; another error, and every one where it is strict, is thrown.
    private mutating func note(_ error: CorpusError, resumedAtByte: Int?) throws {
        guard var fault = error.fault, !isStrict else { throw error }
        if fault.byte == lastFaultByte { return }
        lastFaultByte = fault.byte
        fault.resumedAtByte = resumedAtByte
        source.counts.faults += 1
        guard source.faults.count < Self.keptFaults else { return }
        source.faults.append(fault)
        let outcome = resumedAtByte.map { "reads on at byte \($0)" } ?? "the rest is left out"
        meter.tell("\(file.path): byte \(fault.byte): \(fault.reason); \(outcome)")
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
