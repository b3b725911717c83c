import Corpus
import Foundation
import Synchronization
import Testing

@Suite("Going on with an import")
struct ImportResumptionTests {
    private let fixture: ImportFixture
    init() throws { fixture = try ImportFixture() }

    private typealias F = ImportFixture

    private func sources() throws -> [String] {
        try (0..<3).map { file in
            try fixture.pubMed(
                "f\(file).xml",
                (0..<40).map {
                    F.article(file * 30 + $0, title: "T.", abstract: F.sentence(file * 1000 + $0, words: 30))
                })
        }
    }

    /// Runs an import in which each file is a unit of its own.
    @discardableResult
    private func run(
        _ sources: [String], into directory: String? = nil, space: DiskSpace? = nil,
        isCancelled: @escaping @Sendable () -> Bool = { false }, change: (inout ImportOptions) -> Void = { _ in }
    ) throws -> CorpusImport.Outcome {
        try fixture.job(sources, into: directory, space: space, unitBytes: 1, change).run(isCancelled: isCancelled)
    }

    private func reference(_ sources: [String]) throws -> [String: String] {
        let directory = fixture.folder.file("reference")
        try run(sources, into: directory)
        return try F.contents(of: directory)
    }

    @Test("cancelled at any time, the next run ends with the same bytes, and reads only what is left")
    func cancelled() throws {
        let sources = try sources()
        let reference = try reference(sources)
        var looks = 0
        var reused: Set<Int> = []
        for stop in stride(from: 0, to: 320, by: 35) {
            let directory = fixture.folder.file("stopped-\(stop)")
            let asked = Mutex(0)
            do {
                _ = try run(
                    sources, into: directory,
                    isCancelled: {
                        asked.withLock { asked in
                            asked += 1
                            return asked > stop
                        }
                    })
            } catch CorpusError.cancelled {
                looks += 1
                // What isn't finished says so.
                let corpus = try? ImportedCorpus(readingFrom: directory)
                #expect(corpus?.isComplete != true && corpus?.shards.isEmpty != false)
            }
            let outcome = try run(sources, into: directory)
            reused.insert(outcome.filesReused)
            #expect(try F.contents(of: directory) == reference, "stopped at look \(stop)")
            try FileManager.default.removeItem(atPath: directory)
        }
        #expect(looks > 3 && reused.isSuperset(of: [0, 1, 2, 3]), "\(looks) \(reused)")
    }

    @Test("on a full disk it says so, whole shards stay, and with space again it ends with the same bytes")
    func fullDisk() throws {
        let sources = try sources()
        let reference = try reference(sources)
        var failures = 0
        for space in stride(from: 0, to: 110_000, by: 15_000) {
            let directory = fixture.folder.file("full-\(space)")
            do {
                _ = try run(sources, into: directory, space: DiskSpace(bytes: space))
            } catch CorpusError.unwritable(_, let reason) {
                failures += 1
                #expect(reason == "No space left on device")
                for (name, digest) in try F.contents(of: directory) where name.hasSuffix(".gz") {
                    #expect(reference[name] == digest, "\(name) is there and isn't whole")
                }
            }
            try run(sources, into: directory)
            #expect(try F.contents(of: directory) == reference, "\(space) bytes")
            try FileManager.default.removeItem(atPath: directory)
        }
        #expect(failures > 4, "\(failures)")
    }

    @Test("run again it reads nothing; with a further file it reads that one, and revisions reach back")
    func extended() throws {
        let sources = try sources()
        try run(sources)
        let again = try run(sources)
        #expect(again.filesReused == 3 && again.progress.unpackedBytes == 0)

        let update = try fixture.pubMed(
            "g.xml", [F.article(5, title: "Newer.", abstract: F.sentence(99_999))],
            more: "<DeleteCitation><PMID>70</PMID></DeleteCitation>")
        let extended = try run(sources + [update])
        #expect(extended.filesReused == 3)
        #expect(extended.corpus.totals.skipped["deleted"] == 1)
        let other = fixture.folder.file("other")
        try run(sources + [update], into: other)
        #expect(try F.contents(of: fixture.corpus) == F.contents(of: other))
    }

    @Test("a file that has changed is read again; other files or options are refused")
    func changed() throws {
        let first = try fixture.pubMed("a.xml", [F.article(1, title: "Old.", abstract: F.sentence(1))])
        let second = try fixture.pubMed("b.xml", [F.article(2, abstract: F.sentence(2))])
        try run([first, second])
        _ = try fixture.pubMed("a.xml", [F.article(1, title: "Changed.", abstract: F.sentence(1))])
        #expect(try run([first, second]).filesReused == 1)
        #expect(try fixture.documents().first?.hasPrefix("Changed.") == true)

        #expect(throws: CorpusError.self) { try run([first]) }
        let error = #expect(throws: CorpusError.self) { try run([first, second], change: { $0.minimumWords = 5 }) }
        #expect(error?.description.contains("minimum words was 0 and is 5 now") == true)
        #expect(try fixture.documents().count == 2)
    }

    @Test("two imports can't work on one folder at once")
    func locked() throws {
        let sources = [try fixture.pubMed("a.xml", [F.article(1, abstract: F.sentence(1))])]
        let inner = Mutex<(any Error)?>(nil)
        let request = CorpusImport.Request(sources: sources, directory: fixture.corpus)
        _ = try fixture.job(sources).run {
            inner.withLock { inner in
                do { _ = try CorpusImport(request).run() } catch { inner = error }
            }
            return false
        }
        #expect(inner.withLock { $0 as? CorpusError } == .busy(path: fixture.corpus))
        #expect(try fixture.documents().count == 1)
    }

    @Test("a shard or a record that was damaged or removed is made again")
    func repaired() throws {
        let sources = try sources()
        let reference = try reference(sources)
        try run(sources)
        let name = try #require(try ImportedCorpus(readingFrom: fixture.corpus).shards.first).text.name
        try FileManager.default.removeItem(atPath: fixture.corpus + "/" + name)
        for entry in try FileManager.default.contentsOfDirectory(atPath: fixture.corpus + "/work").sorted().suffix(3) {
            try Data("x".utf8).write(to: URL(fileURLWithPath: fixture.corpus + "/work/" + entry))
        }
        _ = try? fixture.run(sources)
        try run(sources)
        #expect(try F.contents(of: fixture.corpus) == reference)
    }
}
