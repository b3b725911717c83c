import Foundation
import Jobs

/// How fast files with the structure of PubMed's become text. All times are on the host clock; MB are 10^6 bytes.
public enum ImportBench {
    /// What was measured.
    public struct Result: Codable, Sendable {
        /// What was imported.
        public var contents: SyntheticPubMed.Contents
        /// Whether the files are gzip.
        public var packed: Bool
        /// Threads of the import.
        public var threads: Int
        /// Seconds of each part of the import, and together.
        public var readingSeconds: Double
        public var choosingSeconds: Double
        public var writingSeconds: Double
        public var seconds: Double
        /// Processor time of the import on all threads.
        public var processorSeconds: Double
        /// XML a second of the whole import.
        public var xmlMegabytesPerSecond: Double
        /// XML a second of processor time: what a core does.
        public var xmlMegabytesPerProcessorSecond: Double
        /// XML a second where one thread only reads citations of the first file, and drops them.
        public var readerMegabytesPerSecondOneThread: Double
        /// The process's largest resident memory during the import.
        public var peakRssBytes: Int
        /// Documents kept, and bytes of their text.
        public var documents: Int
        public var textBytes: Int
        /// Documents left out, by reason.
        public var skipped: [String: Int]
        /// Whether these counts follow from what was written.
        public var countsAgree: Bool
    }

    private static let contentsName = "contents.json"

    /// Generated files: what they hold, and where they are.
    private struct Files: Codable, Equatable {
        var xmlBytes: Int
        var fileBytes: Int
        var packed: Bool
        var contents: SyntheticPubMed.Contents
        var names: [String]
    }

    /// Measures an import of `xmlBytes` bytes of XML in files of `fileBytes` bytes each.
    ///
    /// - Parameters:
    ///   - directory: where the files and the corpus are written. Files of an earlier bench of the same size are used again.
    ///   - threads: threads of the import.
    ///   - progress: told what is being done.
    public static func run(
        xmlBytes: Int, fileBytes: Int, packed: Bool, threads: Int, in directory: String,
        isCancelled: @escaping @Sendable () -> Bool = { false }, progress: (String) -> Void = { _ in }
    ) throws -> Result {
        let sources = directory + "/pubmed"
        let files = try generate(
            xmlBytes: xmlBytes, fileBytes: fileBytes, packed: packed, into: sources, isCancelled: isCancelled,
            progress: progress)
        progress("reads one file")
        let first = sources + "/" + (files.names.first ?? "")
        let start = ContinuousClock.now
        let reader = try PubMedReader(path: first)
        while try reader.next() != nil {}
        let readSeconds = (ContinuousClock.now - start) / .seconds(1)
        let readBytes = reader.unpackedBytes

        progress("imports all")
        let corpus = directory + "/corpus"
        if FileManager.default.fileExists(atPath: corpus) { try FileManager.default.removeItem(atPath: corpus) }
        HostProcess.resetPeakResidentBytes()
        let processor = HostProcess.processorSeconds
        let job = try CorpusImport(
            CorpusImport.Request(
                sources: files.names.map { sources + "/" + $0 }, directory: corpus, threads: threads))
        let outcome = try job.run(isCancelled: isCancelled)
        let used = HostProcess.processorSeconds - processor
        let seconds = outcome.progress.elapsed.seconds
        let totals = outcome.corpus.totals
        let times = job.stageSeconds
        return Result(
            contents: files.contents, packed: packed, threads: threads, readingSeconds: times.reading,
            choosingSeconds: times.choosing, writingSeconds: times.writing, seconds: seconds, processorSeconds: used,
            xmlMegabytesPerSecond: Double(files.contents.xmlBytes) / 1e6 / seconds,
            xmlMegabytesPerProcessorSecond: Double(files.contents.xmlBytes) / 1e6 / used,
            readerMegabytesPerSecondOneThread: Double(readBytes) / 1e6 / readSeconds,
            peakRssBytes: HostProcess.peakResidentBytes,
            documents: totals.documents, textBytes: totals.textBytes, skipped: totals.skipped,
            countsAgree: agree(totals, files.contents))
    }

    /// Whether an import's counts are those that follow from what was written.
    static func agree(_ found: ImportedCorpus.Counts, _ written: SyntheticPubMed.Contents) -> Bool {
        func skipped(_ reason: SkipReason) -> Int { found.skipped[reason.name] ?? 0 }
        return found.articles == written.citations && found.abstracts == written.abstracts
            && skipped(.superseded) == written.superseded && skipped(.deleted) == written.deleted
            && skipped(.duplicate) == written.copies
            && skipped(.noText) == written.citations - written.abstracts
            // Synthetic abstracts may resemble each other by chance as well.
            && found.documents + skipped(.nearDuplicate) == written.abstracts - written.superseded - written.deleted
                - written.copies
    }

    private static func generate(
        xmlBytes: Int, fileBytes: Int, packed: Bool, into directory: String, isCancelled: () -> Bool,
        progress: (String) -> Void
    ) throws -> Files {
        let list = directory + "/" + contentsName
        var files = Files(
            xmlBytes: xmlBytes, fileBytes: fileBytes, packed: packed, contents: SyntheticPubMed.Contents(), names: [])
        if let data = FileManager.default.contents(atPath: list),
            let known = try? JSONDecoder().decode(Files.self, from: data),
            (known.xmlBytes, known.fileBytes, known.packed) == (xmlBytes, fileBytes, packed)
        {
            return known
        }
        do {
            if FileManager.default.fileExists(atPath: directory) {
                try FileManager.default.removeItem(atPath: directory)
            }
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw CorpusError.unwritable(path: directory, reason: PartialFolder.words(error))
        }
        var generator = SyntheticPubMed(seed: 1)
        while generator.contents.xmlBytes < xmlBytes {
            if isCancelled() { throw CorpusError.cancelled }
            progress("writes file \(generator.contents.files + 1) of \((xmlBytes + fileBytes - 1) / fileBytes)")
            let path = try generator.writeFile(
                xmlBytes: min(fileBytes, xmlBytes - generator.contents.xmlBytes), packed: packed, into: directory)
            files.names.append((path as NSString).lastPathComponent)
        }
        files.contents = generator.contents
        try FileWriter.writeWhole(Array(try JSONEncoder().encode(files)), to: list)
        return files
    }
}
