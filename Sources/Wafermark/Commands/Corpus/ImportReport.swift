import Corpus
import Foundation
import Jobs

/// What `corpus import` prints at its end.
struct ImportReport: Encodable {
    /// A place where a file breaks the rules of its format.
    struct Fault: Encodable {
        var path: String
        var byte: Int
        var reason: String
        var resumedAtByte: Int?
    }

    /// Files by what became of them.
    struct Files: Encodable {
        var total: Int
        var imported: Int
        var malformed: Int
        var empty: Int
        /// Read by an earlier run.
        var reused: Int
        /// Files in directories that are of no kind that can be imported.
        var ignored: Int
    }

    var directory: String
    var digest: String
    var files: Files
    var counts: ImportedCorpus.Counts
    var shards: Int
    var faults: [Fault]
    var licences: [ImportedCorpus.LicenceNote]
    var withoutLicence: Int
    var unpackedBytesRead: Int
    var elapsedHostSeconds: Double
    var unpackedMegabytesPerHostSecond: Double
    var peakRssBytes: Int

    init(_ outcome: CorpusImport.Outcome, directory: String) {
        let corpus = outcome.corpus
        func count(_ state: ImportedCorpus.State) -> Int { corpus.sources.count { $0.state == state } }
        self.directory = directory
        digest = corpus.digest
        files = Files(
            total: corpus.sources.count, imported: count(.imported), malformed: count(.malformed), empty: count(.empty),
            reused: outcome.filesReused, ignored: outcome.filesIgnored)
        counts = corpus.totals
        shards = corpus.shards.count
        faults = corpus.sources.flatMap { source in
            source.faults.map { fault in
                Fault(
                    path: source.path, byte: fault.byte, reason: fault.reason, resumedAtByte: fault.resumedAtByte)
            }
        }
        licences = corpus.licences
        withoutLicence = corpus.withoutLicence
        unpackedBytesRead = outcome.progress.unpackedBytes
        elapsedHostSeconds = outcome.progress.elapsed.seconds
        unpackedMegabytesPerHostSecond = outcome.progress.bytesPerSecond / 1e6
        peakRssBytes = HostProcess.peakResidentBytes
    }

    /// Prints the report for people.
    func print() {
        Console.print(
            "\(directory)\n  \(Figures.plural(counts.documents, "document")) "
                + "of \(Figures.plural(counts.articles, "article")), "
                + "\(Figures.count(counts.sentences)) sentences, \(Figures.bytes(counts.textBytes)) of text")
        var parts = ["\(Figures.count(files.imported)) imported"]
        for (number, name) in [
            (files.reused, "of them earlier"), (files.malformed, "malformed"), (files.empty, "empty"),
            (files.ignored, "of other kinds ignored"),
        ] where number > 0 { parts.append("\(Figures.count(number)) \(name)") }
        Console.print("  files     \(parts.joined(separator: ", "))")
        for (index, reason) in counts.skipped.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }).enumerated() {
            let name = (index == 0 ? "left out" : "").padded(to: 8)
            Console.print("  \(name)  \(Figures.count(reason.value)) \(Self.words(reason.key))")
        }
        if counts.faults > 0 {
            Console.print("  faults    \(Figures.plural(counts.faults, "place")) that break a format, in corpus.json")
        }
        if counts.replacedSequences > 0 {
            Console.print("  replaced  \(Figures.plural(counts.replacedSequences, "invalid UTF-8 sequence"))")
        }
        if counts.cutSentences > 0 {
            Console.print("  cut       \(Figures.plural(counts.cutSentences, "sentence")) longer than 64 KiB")
        }
        if unpackedBytesRead > 0 {
            Console.print(
                "  speed     \(Figures.short(unpackedMegabytesPerHostSecond)) MB/s unpacked, \(Figures.clock(elapsedHostSeconds)), "
                    + "\(Figures.bytes(peakRssBytes)) of memory (host clock)")
        }
        if licences.isEmpty {
            Console.print("  licences  no document bears a note")
        } else {
            let first = licences[0]
            Console.print(
                "  licences  \(Figures.plural(licences.count, "note")) in corpus.json; most often "
                    + "(\(Figures.count(first.documents))):")
            Console.print("            \(first.note.prefix(66))")
        }
        Console.print("  next      wafermark corpus vocabulary \(directory) --size 30522")
    }

    private static func words(_ reason: String) -> String {
        switch reason {
        case "no_text": "with no abstract"
        case "language": "in other languages"
        case "year": "of other years"
        case "mesh": "without the MeSH terms"
        case "query": "that match no query"
        case "retracted": "retracted"
        case "short": "too short"
        case "too_long": "longer than 32 MiB"
        case "bad_number": "with a PMID that is no number"
        case "superseded": "revised by a newer record"
        case "deleted": "deleted by a later file"
        case "duplicate": "with the same words as an earlier one"
        case "near_duplicate": "nearly the same as an earlier one"
        default: reason
        }
    }
}
