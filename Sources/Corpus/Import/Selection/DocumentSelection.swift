import Foundation
import Jobs

/// The second pass of an import: which of the staged documents are kept. It looks at all records in the order of the
/// sources, so its outcome depends on neither threads nor on what was read in an earlier run.
///
/// Of the revisions of a PubMed number the newest is kept; what a later `DeleteCitation` names is not. Of documents with
/// the same words, or nearly the same, the first is kept.
struct DocumentSelection {
    /// What the first pass left of a unit.
    struct Unit {
        let summary: UnitReading.Summary
        fileprivate let records: MappedFile
        fileprivate let signatures: MappedFile?
        fileprivate let firstRecord: Int
        fileprivate let firstDocument: Int
    }

    private let options: ImportOptions
    private let grouping: Grouping
    private var units: [Unit] = []
    private var recordCount = 0
    private var documentCount = 0
    /// For each record why it is left out; 0 where it isn't.
    private var marks: [UInt8] = []

    /// - Throws: `CorpusError.badCorpus` where files of the first pass are damaged, or hold more than 2^32 records.
    init(_ read: [(ImportUnit, UnitReading.Summary)], folder: ImportFolder, options: ImportOptions, grouping: Grouping)
        throws
    {
        self.options = options
        self.grouping = grouping
        for (unit, summary) in read {
            let records = try MappedFile(path: folder.path(unit, .records))
            let signatures =
                options.duplicates == .near ? try MappedFile(path: folder.path(unit, .signatures)) : nil
            guard records.count == summary.records * ImportRecord.size,
                signatures.map({ $0.count == summary.staged * MinHash.bytes }) ?? true
            else { throw CorpusError.badCorpus(path: folder.path, reason: "work/\(unit.identifier) is damaged") }
            units.append(
                Unit(
                    summary: summary, records: records, signatures: signatures, firstRecord: recordCount,
                    firstDocument: documentCount))
            recordCount += summary.records
            documentCount += summary.staged
        }
        guard recordCount < UInt32.max else {
            throw CorpusError.badSetting(
                name: "records", found: "\(recordCount)", allowed: "fewer than 2^32; import into several folders")
        }
    }

    /// For each unit and each of its staged documents why it is left out; nil where it is kept.
    mutating func run(threads: Int, isCancelled: @escaping @Sendable () -> Bool) throws -> [[SkipReason?]] {
        marks = Array(repeating: 0, count: recordCount)
        try markRevisions()
        if isCancelled() { throw CorpusError.cancelled }
        if options.duplicates != .keep { try markDuplicates() }
        var outcomes: [[SkipReason?]] = units.map { _ in [] }
        var place = -1
        for unit in units {
            place += 1
            outcomes[place].reserveCapacity(unit.summary.staged)
            for index in 0..<unit.summary.records {
                guard let record = ImportRecord(unit.records, index) else { throw damaged(unit) }
                guard record.reason == nil, record.kind != .deletion else { continue }
                outcomes[place].append(SkipReason(rawValue: marks[unit.firstRecord + index]))
            }
        }
        marks = []
        if options.duplicates == .near {
            try markNearDuplicates(&outcomes, threads: threads, isCancelled: isCancelled)
        }
        return outcomes
    }

    // MARK: Revisions and exact duplicates

    private mutating func markRevisions() throws {
        let units = self.units
        var marks = self.marks
        try grouping.forEach(
            count: recordCount,
            keys: { add in
                try Self.forEachRecord(units) { number, _, record in
                    if record.pmid != 0, record.kind != .companion, marks[number] == 0 {
                        add(UInt64(record.pmid), UInt32(number))
                    }
                }
            },
            group: { numbers in
                var newest: (number: Int, record: ImportRecord)?
                for number in numbers.map({ Int($0) }) {
                    let record = try Self.record(number, units)
                    if record.kind == .deletion {
                        if let newest { marks[newest.number] = SkipReason.deleted.rawValue }
                        newest = nil
                    } else if let current = newest, !record.supersedes(current.record) {
                        marks[number] = SkipReason.superseded.rawValue
                    } else {
                        if let newest { marks[newest.number] = SkipReason.superseded.rawValue }
                        newest = (number, record)
                    }
                }
            })
        // What goes for a citation goes for its other documents.
        var head: UInt8 = 0
        try Self.forEachRecord(units) { number, _, record in
            if record.kind == .companion, marks[number] == 0 { marks[number] = head } else { head = marks[number] }
        }
        self.marks = marks
    }

    private mutating func markDuplicates() throws {
        let units = self.units
        var marks = self.marks
        try grouping.forEach(
            count: recordCount,
            keys: { add in
                try Self.forEachRecord(units) { number, _, record in
                    if record.reason == nil, record.kind != .deletion, marks[number] == 0 {
                        add(record.digest.0, UInt32(number))
                    }
                }
            },
            group: { numbers in
                var seen: Set<UInt64> = []
                for number in numbers.map({ Int($0) }) {
                    if !seen.insert(try Self.record(number, units).digest.1).inserted {
                        marks[number] = SkipReason.duplicate.rawValue
                    }
                }
            })
        self.marks = marks
    }

    // MARK: Near duplicates

    private func markNearDuplicates(
        _ outcomes: inout [[SkipReason?]], threads: Int, isCancelled: @escaping @Sendable () -> Bool
    ) throws {
        let finder = NearDuplicates(
            signatures: units.map { ($0.signatures, $0.firstDocument) }, documents: documentCount,
            isKept: outcomes.map { $0.map { $0 == nil } }, similarity: options.similarity)
        for document in try finder.find(threads: threads, grouping: grouping, isCancelled: isCancelled) {
            let unit = units.lastIndex { $0.firstDocument <= document && $0.summary.staged > 0 } ?? 0
            outcomes[unit][document - units[unit].firstDocument] = .nearDuplicate
        }
    }

    // MARK: Records

    private func damaged(_ unit: Unit) -> CorpusError {
        .badCorpus(path: unit.records.path, reason: "the file is damaged")
    }

    private static func forEachRecord(_ units: [Unit], _ body: (Int, Unit, ImportRecord) throws -> Void) throws {
        for unit in units {
            for index in 0..<unit.summary.records {
                guard let record = ImportRecord(unit.records, index) else {
                    throw CorpusError.badCorpus(path: unit.records.path, reason: "the file is damaged")
                }
                try body(unit.firstRecord + index, unit, record)
            }
        }
    }

    private static func record(_ number: Int, _ units: [Unit]) throws -> ImportRecord {
        var low = 0
        var high = units.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if units[middle].firstRecord <= number { low = middle } else { high = middle - 1 }
        }
        guard let record = ImportRecord(units[low].records, number - units[low].firstRecord) else {
            throw CorpusError.badCorpus(path: units[low].records.path, reason: "the file is damaged")
        }
        return record
    }
}
