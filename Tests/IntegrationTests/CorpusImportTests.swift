import Foundation
import TestSupport
import Testing

@Suite("wafermark corpus import and fetch", .serialized)
struct CorpusImportTests {
    private let folder: TemporaryFolder
    private let corpus: String

    init() throws {
        folder = try TemporaryFolder()
        corpus = folder.path + "/corpus"
    }

    private func pubMed(_ name: String, _ numbers: Range<Int>, more: String = "") throws -> String {
        let articles = numbers.map { number in
            let words = (0..<30).map { "w\(number)x\($0)" }.joined(separator: " ")
            return """
                <PubmedArticle><MedlineCitation><PMID>\(number)</PMID><Article><ArticleTitle>Title \(number).</ArticleTitle>
                <Abstract><AbstractText>\(words). It ends.</AbstractText><CopyrightInformation>Note \(number % 2)
                </CopyrightInformation></Abstract><Language>eng</Language></Article></MedlineCitation></PubmedArticle>
                """
        }
        return try folder.write("<PubmedArticleSet>\(articles.joined())\(more)</PubmedArticleSet>", to: name)
    }

    private func run(_ arguments: [String]) throws -> Program.Outcome {
        try Program.run(["corpus", "import"] + arguments + ["--into", corpus])
    }

    private func contents() throws -> [String: Data] {
        var contents: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: corpus)
        where !name.hasPrefix("work") && name.contains(".") {
            contents[name] = FileManager.default.contents(atPath: corpus + "/" + name)
        }
        return contents
    }

    @Test("imports, says what became of everything, and goes on to a vocabulary and a dataset")
    func wholeWay() throws {
        let good = try pubMed("a.xml", 1..<200)
        let bad = try folder.write("<PubmedArticleSet><PubmedArticle>", to: "b.xml")
        let text = try run([good, bad])
        #expect(text.status == 0, "\(text.standardError)")
        #expect(
            text.standardError.contains("\(bad): byte 33: the text ends inside <PubmedArticle>; the rest is left out"))
        for line in text.standardOutput.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        #expect(text.standardOutput.contains("1 malformed"))

        let document = try run([good, bad, "--json"]).json()
        let counts = try #require(document["counts"] as? [String: Any])
        #expect(counts["documents"] as? Int == 199 && counts["sentences"] as? Int == 597)
        #expect((document["files"] as? [String: Any])?["malformed"] as? Int == 1)
        #expect((document["faults"] as? [[String: Any]])?.first?["byte"] as? Int == 33)
        #expect((document["licences"] as? [[String: Any]])?.count == 2)

        #expect(try Program.run(["corpus", "vocabulary", corpus, "--size", "300"]).status == 0)
        let built = try Program.run(["corpus", "build", corpus, "--sequence", "64"])
        #expect(built.status == 0, "\(built.standardError)")
    }

    @Test("what is wrong ends it with status 2 before anything is written; strictness and options are the user's")
    func refusals() throws {
        let good = try pubMed("a.xml", 1..<3)
        let bad = try folder.write("<PubmedArticleSet>", to: "b.xml")
        for (arguments, words) in [
            ([folder.path + "/none.xml"], "there is no such file"),
            ([good, "--language", "English"], "language: found"),
            ([good, "--years", "2000..x"], "--years"), ([good, "--threads", "0"], "--threads is 0"),
            ([good, "--similarity", "0.1"], "0.5 to 1"), (["/dev/null"], "is a device"),
        ] {
            let outcome = try run(arguments)
            #expect(outcome.status == 2 && outcome.standardError.contains(words), "\(outcome.standardError)")
            #expect(outcome.standardOutput.isEmpty)
        }
        #expect(!FileManager.default.fileExists(atPath: corpus))
        let strict = try run([good, bad, "--strict"])
        #expect(strict.status != 0 && strict.standardError.contains("\(bad): byte 18: "))
        #expect(try run([good, bad]).status == 0)
        let other = try run([good, bad, "--minimum-words", "9"])
        #expect(other.status == 2 && other.standardError.contains("minimum words was 0 and is 9 now"))
    }

    @Test(
        "interrupted with Ctrl-C or killed at any time, the next run ends with the same bytes",
        arguments: [SIGINT, SIGKILL])
    func interrupted(signal: Int32) throws {
        let sources = try (0..<4).map {
            try pubMed("f\($0).xml", $0 * 4000..<($0 + 1) * 4000, more: String(repeating: " ", count: 33 << 20))
        }
        #expect(try run(sources).status == 0)
        let reference = try contents()
        try FileManager.default.removeItem(atPath: corpus)
        // Once the first unit's summary is there, another is under way.
        let running = try Program.start(["corpus", "import", "--threads", "1", "--into", corpus] + sources)
        let work = corpus + "/work"
        let isUnderWay = Eventually.holds(within: 30) {
            !running.isRunning
                || ((try? FileManager.default.contentsOfDirectory(atPath: work)) ?? []).contains {
                    $0.hasSuffix(".json") && $0 != "sources.json"
                }
        }
        #expect(isUnderWay)
        running.signal(signal)
        let status = try running.wait(seconds: 30).status
        #expect(status == (signal == SIGINT ? 130 : 128 + SIGKILL) || status == 0)
        let next = try run(sources + ["--json"])
        #expect(next.status == 0, "\(next.standardError)")
        #expect((try next.json()["files"] as? [String: Any])?["reused"] as? Int ?? 0 >= 1)
        #expect(try contents() == reference)
    }

    @Test("where it can't write it ends with status 1 and says where")
    func unwritable() throws {
        let source = try pubMed("a.xml", 1..<2)
        let outcome = try Program.run(["corpus", "import", source, "--into", "/dev/full/x"])
        #expect(outcome.status == 1 && outcome.standardError.contains("can't be written"), "\(outcome.standardError)")
    }

    @Test("fetch refuses what it can't do, and says what failed")
    func fetch() throws {
        let into = folder.path + "/pubmed"
        for (arguments, status) in [
            (["pubmed", "--files", "5..1"], Int32(2)), (["medline", "--files", "1"], 2),
            (["pubmed", "--files", "1", "--mirror", "ftp://example.org"], 2),
            (["pubmed", "--files", "1", "--mirror", "http://127.0.0.1:1/", "--tries", "1"], 1),
        ] {
            let outcome = try Program.run(["corpus", "fetch"] + arguments + ["--into", into])
            #expect(outcome.status == status, "\(outcome.standardError)")
            #expect(!outcome.standardError.isEmpty && outcome.standardOutput.isEmpty)
        }
    }

    @Test("help fits 80 columns")
    func help() throws {
        for command in [["corpus", "import"], ["corpus", "fetch"], ["bench", "corpus", "import"]] {
            let help = try Program.run(command + ["--help"])
            #expect(help.status == 0)
            // The usage line is the argument parser's own.
            for line in help.standardOutput.split(separator: "\n") where !line.hasPrefix("USAGE:") {
                #expect(line.count <= 80, "\(line)")
            }
        }
    }

    @Test("the bench's counts follow from what it wrote")
    func bench() throws {
        let outcome = try Program.run(
            ["bench", "corpus", "import", "--gigabytes", "0.006", "--file-megabytes", "1.5", "--json"])
        #expect(outcome.status == 0, "\(outcome.standardError)")
        let result = try outcome.json()
        #expect(result["counts_agree"] as? Bool == true && (result["documents"] as? Int ?? 0) > 100)
        let contents = try #require(result["contents"] as? [String: Any])
        #expect((contents["superseded"] as? Int ?? 0) > 0 && (contents["deleted"] as? Int ?? 0) > 0)
    }
}
