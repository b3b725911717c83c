import Foundation
import Jobs

/// Imports files into a corpus folder: reads them in parallel, chooses among revisions and copies, writes the text.
///
/// Every unit of work (a large file, or several small ones) leaves its result in the folder once it is done, so that a run
/// that was cut short is continued by the next one. The outcome is a function of the files and the options alone.
public final class CorpusImport: Sendable {
    /// What to import, and how.
    public struct Request: Sendable {
        /// Files and directories, in order.
        public var sources: [String]
        /// The folder to write.
        public var directory: String
        /// What is kept.
        public var options: ImportOptions
        /// Threads.
        public var threads: Int
        /// Whether a malformed or empty file ends the import; else it is left out and told.
        public var isStrict: Bool

        /// A request with the given options, on one thread.
        public init(
            sources: [String], directory: String, options: ImportOptions = ImportOptions(), threads: Int = 1,
            isStrict: Bool = false
        ) {
            self.sources = sources
            self.directory = directory
            self.options = options
            self.threads = threads
            self.isStrict = isStrict
        }
    }

    /// How an import ended.
    public struct Outcome: Sendable {
        /// The manifest of the folder.
        public var corpus: ImportedCorpus
        /// How much was done in this run.
        public var progress: ImportProgress
        /// Files that an earlier run had read already.
        public var filesReused: Int
        /// Files in directories that are of no kind that can be imported.
        public var filesIgnored: Int
    }

    private let request: Request
    private let space: DiskSpace?
    private let grouping: Grouping
    private let unitBytes: Int
    private let meter = ImportMeter()

    /// An import that has yet to be run.
    ///
    /// - Throws: `CorpusError.badSetting` where an option is outside its range.
    public convenience init(_ request: Request) throws { try self.init(request, space: nil) }

    /// As above, for tests: with a disk that is full after some bytes, with few keys held while choosing, with small units.
    package init(
        _ request: Request, space: DiskSpace?, mostEntries: Int = 8 << 20, unitBytes: Int = ImportUnit.mostBytes
    ) throws {
        try request.options.validate()
        guard (1...1024).contains(request.threads) else {
            throw CorpusError.badSetting(name: "threads", found: "\(request.threads)", allowed: "1 to 1024")
        }
        self.request = request
        self.space = space
        grouping = Grouping(mostEntries: mostEntries)
        self.unitBytes = unitBytes
    }

    /// How far it has come; may be asked from any thread.
    public var progress: ImportProgress { meter.progress }

    /// How long each part took, once it is over.
    var stageSeconds: (reading: Double, choosing: Double, writing: Double) { meter.stageSeconds }

    /// One line for each file that was left out since the last call; may be asked from any thread.
    public func takeFaults() -> [String] {
        meter.takeFaults().map { "\($0.path): byte \($0.fault.byte): \($0.fault.reason); left out" }
    }

    /// Runs the import to its end. It blocks, and is to be called once, off the cooperative pool.
    ///
    /// - Parameter isCancelled: asked now and then; where true, `.cancelled` is thrown, and the next run goes on.
    /// - Throws: `CorpusError`.
    public func run(isCancelled: @escaping @Sendable () -> Bool = { false }) throws -> Outcome {
        let list = try SourceList(request.sources, excluding: request.directory)
        guard !list.files.isEmpty else {
            throw CorpusError.badSetting(
                name: "sources", found: "no file that can be imported (\(list.ignoredFiles) of other kinds)",
                allowed: ".xml, .nxml, .txt, .jsonl and these with .gz, or any single file by its path")
        }
        let folder = try ImportFolder(request.directory, space: space)
        try folder.claim(options: request.options, files: list.files)
        let units = try ImportUnit.units(
            of: list.files, options: request.options, mostBytes: unitBytes)
        folder.removeStrays(units: units, shards: nil)
        let run = ImportRun(
            units: units, request: request, folder: folder, grouping: grouping, meter: meter, isCancelled: isCancelled)
        let (corpus, reused) = try run.run()
        return Outcome(
            corpus: corpus, progress: meter.progress, filesReused: reused, filesIgnored: list.ignoredFiles)
    }
}

/// The passes of one import, over a folder that is locked for it.
struct ImportRun: Sendable {
    let units: [ImportUnit]
    let request: CorpusImport.Request
    let folder: ImportFolder
    let grouping: Grouping
    let meter: ImportMeter
    let isCancelled: @Sendable () -> Bool

    /// Returns the manifest, and how many files didn't have to be read.
    func run() throws -> (ImportedCorpus, reused: Int) {
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

    /// What an earlier reading of a unit left; nil where there was none, or where its files aren't what they should be.
    private func summary(of unit: ImportUnit) -> UnitReading.Summary? {
        guard let summary = folder.read(UnitReading.Summary.self, unit, .summary),
            summary.sources.count == unit.files.count,
            folder.size(unit, .records) == summary.records * ImportRecord.size,
            request.options.duplicates != .near || folder.size(unit, .signatures) == summary.staged * MinHash.bytes
        else { return nil }
        return summary
    }

    private func read(_ units: [ImportUnit]) throws {
        try WorkerThreads.run(jobs: units.count, threads: request.threads) { number in
            if isCancelled() { throw CorpusError.cancelled }
            _ = try UnitReading(
                unit: units[number], options: request.options, folder: folder, meter: meter, isStrict: request.isStrict,
                isCancelled: isCancelled
            ).run()
        }
    }

    private func choose() throws -> [[SkipReason?]] {
        var selection = try DocumentSelection(
            units.map { unit in
                guard let summary = summary(of: unit) else {
                    throw CorpusError.badCorpus(path: folder.path, reason: "work/\(unit.identifier).json is damaged")
                }
                return (unit, summary)
            }, folder: folder, options: request.options, grouping: grouping)
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
        try WorkerThreads.run(jobs: missing.count, threads: request.threads) { number in
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
    }
}
