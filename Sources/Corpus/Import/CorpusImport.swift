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
        /// Whether a malformed or empty file ends the import; else it is told, and what can be read of it is kept.
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

    /// One line for each fault of a file that was found since the last call; may be asked from any thread.
    public func takeFaults() -> [String] { meter.takeFaults() }

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
