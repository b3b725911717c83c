import Foundation
import Jobs
import Synchronization

/// The passes of one import, over a folder that is locked for it.
final class ImportRun: Sendable {
    let units: [ImportUnit]
    let request: CorpusImport.Request
    let folder: ImportFolder
    let grouping: Grouping
    let meter: ImportMeter
    let isCancelled: @Sendable () -> Bool
    /// What is known of units, by number: asked often, and there may be thousands.
    private let known = Mutex<[Int: UnitReading.Summary]>([:])

    init(
        units: [ImportUnit], request: CorpusImport.Request, folder: ImportFolder, grouping: Grouping,
        meter: ImportMeter,
        isCancelled: @escaping @Sendable () -> Bool
    ) {
        self.units = units
        self.request = request
        self.folder = folder
        self.grouping = grouping
        self.meter = meter
        self.isCancelled = isCancelled
        for unit in units {
            if let summary = staged(unit) { known.withLock { $0[unit.number] = summary } }
        }
    }

    /// Returns the manifest, and how many files didn't have to be read.
    func run() throws -> (ImportedCorpus, reused: Int) {
        if request.isStrict {
            for source in units.compactMap(summary(of:)).flatMap(\.sources) { try source.requireWhole() }
        }
        let unread = units.filter { summary(of: $0) == nil }
        let filesToRead = unread.reduce(0) { $0 + $1.files.count }
        let files = units.reduce(0) { $0 + $1.files.count }
        meter.begin(
            files: files, alreadyRead: files - filesToRead,
            bytesToRead: unread.reduce(0) { $0 + $1.files.reduce(0) { $0 + $1.size } })
        if !unread.isEmpty { try incomplete().write(to: folder.path, space: folder.space) }
        do {
            try read(unread)
            meter.enter(.choosing)
            let outcomes = try choose()
            let results = try write(outcomes)
            let corpus = try complete(results)
            try corpus.write(to: folder.path, space: folder.space)
            folder.removeStrays(units: units, shards: corpus.shards)
            return (corpus, files - filesToRead)
        } catch {
            // What is done stays done; the manifest says how far that is. Where even that can't be written, it says less.
            try? incomplete().write(to: folder.path, space: folder.space)
            throw error
        }
    }

    private func summary(of unit: ImportUnit) -> UnitReading.Summary? { known.withLock { $0[unit.number] } }

    /// What an earlier reading of a unit left; nil where there was none, or where its files aren't what they should be.
    private func staged(_ unit: ImportUnit) -> UnitReading.Summary? {
        guard let summary = folder.read(UnitReading.Summary.self, unit, .summary),
            summary.sources.count == unit.files.count,
            folder.size(unit, .records) == summary.records * ImportRecord.size,
            request.options.duplicates != .near || folder.size(unit, .signatures) == summary.staged * MinHash.bytes
        else { return nil }
        return summary
    }

    private func read(_ units: [ImportUnit]) throws {
        try WorkerThreads.run(jobs: units.count, threads: request.threads) { [self] number in
            if isCancelled() { throw CorpusError.cancelled }
            let summary = try UnitReading(
                unit: units[number], options: request.options, folder: folder, meter: meter, isStrict: request.isStrict,
                isCancelled: isCancelled
            ).run()
            known.withLock { $0[units[number].number] = summary }
        }
    }

    private func choose() throws -> [[SkipReason?]] {
        var selection = try DocumentSelection(
            units.compactMap { unit in summary(of: unit).map { (unit, $0) } }, folder: folder, options: request.options,
            grouping: grouping)
        return try selection.run(threads: request.threads, isCancelled: isCancelled)
    }

    private func write(_ outcomes: [[SkipReason?]]) throws -> [UnitWriting.Result] {
        var results = zip(units, outcomes).map { unit, outcomes in
            UnitWriting.existing(unit, choice: UnitWriting.choice(outcomes, unit), folder: folder)
        }
        let missing = results.indices.filter { results[$0] == nil }
        guard !missing.isEmpty else { return results.compactMap(\.self) }
        try incomplete().write(to: folder.path, space: folder.space)
        // What was staged is gone once it was written; where the choice has changed since, it is read again.
        try read(missing.map { units[$0] }.filter { !folder.has($0, .documents) })
        meter.enter(.writing, shardsToWrite: missing.count)
        try WorkerThreads.run(jobs: missing.count, threads: request.threads) { [self] number in
            if isCancelled() { throw CorpusError.cancelled }
            let unit = units[missing[number]]
            _ = try UnitWriting(
                unit: unit, folder: folder, records: try MappedFile(path: folder.path(unit, .records)),
                outcomes: outcomes[missing[number]], meter: meter, isCancelled: isCancelled
            ).run()
            meter.finishShard()
        }
        for place in missing {
            results[place] = UnitWriting.existing(
                units[place], choice: UnitWriting.choice(outcomes[place], units[place]), folder: folder)
        }
        guard !results.contains(where: { $0 == nil }) else {
            throw CorpusError.badCorpus(path: folder.path, reason: "a shard has vanished while it was written")
        }
        return results.compactMap(\.self)
    }

    // MARK: The manifest

    /// The manifest of an import that isn't finished: which files were read, and no shards.
    private func incomplete() -> ImportedCorpus {
        var corpus = ImportedCorpus(options: request.options)
        for unit in units {
            if let summary = summary(of: unit) {
                corpus.sources += summary.sources
            } else {
                corpus.sources += unit.files.map(ImportedCorpus.Source.init(pending:))
            }
        }
        return corpus
    }

    private func complete(_ results: [UnitWriting.Result]) throws -> ImportedCorpus {
        var corpus = incomplete()
        corpus.isComplete = true
        corpus.shards = results.compactMap(\.shard)
        var place = 0
        var notes = LicenceCount(most: .max)
        for result in results {
            for counts in result.counts {
                corpus.sources[place].counts.add(counts)
                corpus.totals.add(corpus.sources[place].counts)
                place += 1
            }
            for licence in result.licences { notes.add(licence.note, documents: licence.documents) }
            corpus.otherLicences += result.otherLicences
            corpus.withoutLicence += result.withoutLicence
        }
        let ranked = notes.notes.enumerated().sorted {
            ($1.element.documents, $0.offset) < ($0.element.documents, $1.offset)
        }.map(\.element)
        corpus.licences = Array(ranked.prefix(100))
        corpus.otherLicences += ranked.dropFirst(100).reduce(0) { $0 + $1.documents }
        return corpus
    }
}

extension ImportedCorpus {
    /// A corpus of which nothing is known but the options.
    init(options: ImportOptions) {
        self.options = options
        isComplete = false
        sources = []
        shards = []
        totals = Counts()
        licences = []
        otherLicences = 0
        withoutLicence = 0
    }
}

extension ImportedCorpus.Source {
    /// Throws where the file is empty or breaks the rules of its format.
    func requireWhole() throws {
        if let fault = faults.first {
            throw CorpusError.malformed(path: path, byte: fault.byte, reason: fault.reason)
        }
        if state == .empty { throw CorpusError.noText(path: path) }
    }

    /// A file that was not read yet.
    init(pending file: SourceFile) {
        self.init(
            path: file.path, kind: nil, bytes: file.size, digest: "", state: .pending, unpackedBytes: 0, faults: [],
            counts: ImportedCorpus.Counts())
    }
}

extension ImportedCorpus.Counts {
    /// Adds `other` to this.
    mutating func add(_ other: Self) {
        articles += other.articles
        abstracts += other.abstracts
        sections += other.sections
        sectionsByCategory.merge(other.sectionsByCategory) { $0 + $1 }
        otherAbstracts += other.otherAbstracts
        deletions += other.deletions
        retracted += other.retracted
        documents += other.documents
        sentences += other.sentences
        textBytes += other.textBytes
        skipped.merge(other.skipped) { $0 + $1 }
        replacedSequences += other.replacedSequences
        cutSentences += other.cutSentences
        faults += other.faults
    }
}
