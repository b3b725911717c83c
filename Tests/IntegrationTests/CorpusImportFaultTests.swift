import Foundation
import TestSupport
import Testing

@Suite("wafermark corpus import where the machine fails it", .serialized)
struct CorpusImportFaultTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A file of 33 MB, so that it is a unit of its own and takes a while, with `documents` abstracts.
    private func source(_ file: Int, documents: Int) throws -> String {
        let articles = (0..<documents).map { number in
            let words = (0..<40).map { "w\(file)x\(number)x\($0)" }.joined(separator: " ")
            return "<PubmedArticle><PMID>\(file * 10_000 + number + 1)</PMID><AbstractText>\(words).</AbstractText>"
                + "</PubmedArticle>"
        }
        let blanks = String(repeating: " ", count: 33 << 20)
        return try folder.write("<PubmedArticleSet>\(articles.joined())\(blanks)</PubmedArticleSet>", to: "\(file).xml")
    }

    private func shards(of corpus: String) throws -> [String: Data] {
        var shards: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: corpus)
        where name.hasPrefix("text/") || name.hasPrefix("records/") {
            shards[name] = FileManager.default.contents(atPath: corpus + "/" + name)
        }
        return shards
    }

    @Test("beyond the limit on file sizes it says so; what it wrote is whole, and without the limit it goes on")
    func fileSizeLimit() throws {
        let sources = [try source(0, documents: 50), try source(1, documents: 4000)]
        let reference = folder.path + "/reference"
        let corpus = folder.path + "/corpus"
        #expect(try Program.run(["corpus", "import"] + sources + ["--into", reference]).status == 0)
        // More than all that is written of the first file, less than what is staged of the second.
        let limited = try Program.start(
            ["corpus", "import", "--threads", "1", "--into", corpus] + sources, fileKibibytes: 400
        ).wait(seconds: 60)
        #expect(limited.status == 1 && limited.standardError.contains("can't be written: File too large"), "\(limited)")
        for (name, contents) in try shards(of: corpus) { #expect(try shards(of: reference)[name] == contents) }
        let next = try Program.run(["corpus", "import", "--into", corpus, "--json"] + sources)
        #expect(next.status == 0, "\(next.standardError)")
        #expect((try next.json()["files"] as? [String: Any])?["reused"] as? Int == 1)
        #expect(try shards(of: corpus) == shards(of: reference))
    }

    @Test(
        "on a full disk it says so and ends with status 1",
        .enabled(if: SmallDisk.isPossible, "skipped: this machine does not let a test mount a file system"),
        arguments: [64, 1_000, 2_500])
    func fullDisk(kibibytes: Int) throws {
        let disk = try SmallDisk(kibibytes: kibibytes)
        let sources = [try source(0, documents: 6000)]
        let outcome = try #require(
            try disk.run([["corpus", "import"] + sources + ["--into", disk.path + "/corpus"]]).first)
        #expect(outcome.status == 1 && outcome.standardError.contains("No space left on device"), "\(outcome)")
    }

    @Test("of two imports into one folder the second is refused, and the first ends as if alone")
    func twoAtOnce() throws {
        let sources = try (0..<4).map { try source($0, documents: 100) }
        let corpus = folder.path + "/corpus"
        let first = try Program.start(["corpus", "import", "--threads", "1", "--into", corpus] + sources)
        let hasBegun = Eventually.holds(within: 30) {
            !first.isRunning || FileManager.default.fileExists(atPath: corpus + "/corpus.json")
        }
        #expect(hasBegun)
        // It holds the folder while it stands still.
        first.signal(SIGSTOP)
        let second = try Program.run(["corpus", "import", "--into", corpus] + sources)
        first.signal(SIGCONT)
        #expect(second.status == 1, "\(second)")
        #expect(second.standardError == "wafermark: \(corpus): another process is writing it; wait for its end\n")
        #expect(try first.wait(seconds: 60).status == 0)
        #expect(try Program.run(["corpus", "check", corpus]).status == 0)
    }
}
