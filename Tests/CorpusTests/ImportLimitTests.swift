import Corpus
import Foundation
import Testing

@Suite("Importing what is hostile or huge")
struct ImportLimitTests {
    private let fixture: ImportFixture
    init() throws { fixture = try ImportFixture() }

    private typealias F = ImportFixture

    private func good() throws -> String {
        try fixture.pubMed("good.xml", [F.article(1, title: "Good.", abstract: F.sentence(1))])
    }

    private func bomb() throws -> String {
        let path = fixture.folder.file("bomb.xml")
        _ = FileManager.default.createFile(atPath: path, contents: Data("<PubmedArticleSet>".utf8))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.seekToEnd()
        for _ in 0..<40 { try file.write(contentsOf: Data(repeating: 0x20, count: 1 << 20)) }
        try file.close()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-9", path]
        try process.run()
        process.waitUntilExit()
        return path + ".gz"
    }

    @Test("of a gzip bomb, a damaged and a cut gzip file nothing is taken that isn't whole")
    func gzip() throws {
        let whole = storedGzip(Data("<PubmedArticleSet></PubmedArticleSet>".utf8))
        var damaged = whole
        damaged[14] ^= 0xff
        damaged[whole.count - 6] ^= 0xff
        let sources = [
            try bomb(), try fixture.folder.write(whole.prefix(whole.count - 9), to: "cut.xml.gz"),
            try fixture.folder.write(damaged, to: "damaged.xml.gz"), try good(),
        ]
        let corpus = try fixture.run(sources).corpus
        #expect(corpus.sources.map(\.state) == [.malformed, .malformed, .malformed, .imported])
        #expect(corpus.sources[0].faults[0].reason.contains("times when unpacked; at most 250"))
    }

    @Test(
        "empty files are told and cost nothing",
        arguments: ["empty.xml", "empty.xml.gz", "empty.txt", "empty.jsonl", "empty"])
    func empty(name: String) throws {
        let data = name.hasSuffix(".gz") ? storedGzip(Data()) : Data()
        let path = try fixture.folder.write(data, to: name)
        let corpus = try fixture.run([path, try good()]).corpus
        #expect(corpus.sources.map(\.state) == [.empty, .imported] && corpus.totals.documents == 1)
        #expect(throws: CorpusError.noText(path: path)) {
            try fixture.run([path], into: fixture.folder.file("strict"), isStrict: true)
        }
    }

    @Test("an import that keeps nothing is complete and has no shard")
    func nothingKept() throws {
        let path = try fixture.pubMed("a.xml", [F.article(1)])
        let corpus = try fixture.run([path]).corpus
        #expect(corpus.isComplete && corpus.shards.isEmpty && corpus.totals.skipped == ["no_text": 1])
    }

    @Test("invalid UTF-8 is replaced and counted, in every kind of file")
    func invalidText() throws {
        func broken(_ text: String) -> Data {
            let parts = text.split(separator: "%", omittingEmptySubsequences: false).map { Data($0.utf8) }
            return Data(parts.dropFirst().reduce(parts[0]) { $0 + Data([0xff]) + $1 })
        }
        let sources = [
            try fixture.folder.write(
                broken("<PubmedArticleSet>" + F.article(1, title: "a%b", abstract: "c%d% e") + "</PubmedArticleSet>"),
                to: "a.xml"), try fixture.folder.write(broken("Plain % text."), to: "b.txt"),
            try fixture.folder.write(broken("{\"text\": \"JSON % text.\"}"), to: "c.jsonl"),
        ]
        let corpus = try fixture.run(sources).corpus
        #expect(corpus.sources.map(\.counts.replacedSequences) == [3, 1, 1] && corpus.totals.replacedSequences == 5)
        #expect(
            try fixture.documents() == [
                "a\u{fffd}b c\u{fffd}d\u{fffd} e", "Plain \u{fffd} text.", "JSON \u{fffd} text.",
            ])
    }

    @Test("an abstract of 10 MB is kept; one with no sentence end is cut into lines that readers take")
    func hugeAbstract() throws {
        let sentences = String(repeating: "This is a sentence of a long abstract. ", count: 10_000_000 / 39)
        let endless = String(repeating: "word ", count: 60_000) + String(repeating: "é", count: 100_000)
        let path = try fixture.pubMed(
            "a.xml", [F.article(1, abstract: sentences), F.article(2, abstract: endless)])
        let corpus = try fixture.run([path]) { $0.duplicates = .keep }.corpus
        #expect(corpus.totals.documents == 2 && corpus.totals.textBytes > 10_000_000)
        #expect(corpus.totals.cutSentences == 8)
        let documents = try fixture.documents()
        #expect(documents[0].utf8.count == sentences.utf8.count + "A title.".utf8.count)
        #expect(documents[1].count { $0 == "é" } == 100_000)
    }

    @Test("an element of more than 32 MiB spoils its own record alone")
    func oversized() throws {
        let path = fixture.folder.file("a.xml")
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.write(contentsOf: Data("<PubmedArticleSet><PubmedArticle><PMID>1</PMID><AbstractText>".utf8))
        for _ in 0..<33 { try file.write(contentsOf: Data(repeating: 0x61, count: 1 << 20)) }
        let rest = "</AbstractText></PubmedArticle>" + F.article(2, title: "Kept.", abstract: F.sentence(2))
        try file.write(contentsOf: Data((rest + "</PubmedArticleSet>").utf8))
        try file.close()
        #expect(try fixture.run([path]).corpus.totals.skipped == ["too_long": 1])
        #expect(try fixture.documents().count == 1)
    }

    @Test("many tiny abstracts")
    func tiny() throws {
        var xml = "<PubmedArticleSet>"
        for number in 1...20_000 {
            xml += "<PubmedArticle><PMID>\(number)</PMID><AbstractText>t\(number)</AbstractText></PubmedArticle>"
        }
        let path = try fixture.folder.write(xml + "</PubmedArticleSet>", to: "a.xml")
        #expect(try fixture.run([path], threads: 2).corpus.totals.documents == 20_000)
    }

    @Test("what can't be imported is refused before anything is written")
    func refusals() throws {
        let file = try good()
        #expect(throws: CorpusError.missing(path: "none.xml")) { try fixture.run([file, "none.xml"]) }
        #expect(throws: CorpusError.self) { try fixture.run(["/dev/null"]) }
        let folder = fixture.folder.file("nothing")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        #expect(throws: CorpusError.self) { try fixture.run([folder]) }
        #expect(throws: CorpusError.self) { try fixture.run([file]) { $0.languages = ["English"] } }
        #expect(throws: CorpusError.self) { try fixture.run([file]) { $0.queries = ["..."] } }
        #expect(throws: CorpusError.self) {
            try fixture.run([file]) {
                $0.firstYear = 2000; $0.lastYear = 1990
            }
        }
        #expect(throws: CorpusError.self) { try fixture.run([file]) { $0.similarity = 0.2 } }
        #expect(!FileManager.default.fileExists(atPath: fixture.corpus))
        // A folder that holds other things isn't touched.
        #expect(throws: CorpusError.self) { try fixture.run([file], into: fixture.folder.path) }
        #expect(throws: CorpusError.self) { try fixture.run([file], into: file) }
        #expect(fixture.folder.contents == ["good.xml", "nothing"])
    }
}
