import Foundation
import TestSupport
import Testing

@Suite("Bad input", .serialized)
struct BadInputTests {
    private func compare(_ job: String, in folder: TemporaryFolder) throws -> Program.Outcome {
        try Program.run(
            ["compare", job, "--workers", "1", "--state", folder.path + "/s", "--out", folder.path + "/out"],
            seconds: 60)
    }

    private func compare(corpus bytes: [UInt8]) throws -> Program.Outcome {
        let folder = try TemporaryFolder()
        try Data(bytes).write(to: URL(fileURLWithPath: folder.path + "/text.txt"))
        let job = try folder.write(JobFixtures.small(corpus: "text: text.txt"), to: "job.yaml")
        let outcome = try compare(job, in: folder)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/out/report.html"))
        return outcome
    }

    @Test("a corpus that is missing is named, and nothing is started")
    func missingCorpus() throws {
        let folder = try TemporaryFolder()
        let job = try folder.write(JobFixtures.small(corpus: "text: nowhere.txt"), to: "job.yaml")
        let outcome = try compare(job, in: folder)
        #expect(outcome.status == 2)
        #expect(outcome.standardError.contains("nowhere.txt"))
        #expect(RunListing.runs(folder.path + "/s").isEmpty)
    }

    @Test(
        "a corpus that is no text is refused by one line that names the file",
        arguments: [
            ("binary", (0..<4_096).map { UInt8(truncatingIfNeeded: $0 &* 37) }),
            ("empty", []),
            ("one huge line", [UInt8](repeating: UInt8(ascii: "a"), count: 3 << 20)),
        ])
    func corpusThatIsNoText(name: String, bytes: [UInt8]) throws {
        let outcome = try compare(corpus: bytes)
        #expect(outcome.status == 1, "\(name)")
        #expect(outcome.standardError.contains("text.txt"), "\(name): \(outcome.standardError)")
    }

    @Test("B1: text with invalid UTF-8 is trained on; what was replaced is counted and said")
    func invalidText() throws {
        let folder = try TemporaryFolder()
        var bytes: [UInt8] = []
        for number in 0..<300 {
            bytes += Array("The gene BRCA\(number % 7) binds receptor \(number % 13) in ".utf8)
            bytes += number == 5 ? [0xff, 0xfe, 0x20] : Array("mice ".utf8)
            bytes += Array("cells.\nIt raised level \(number % 11) of expression twice.\n\n".utf8)
        }
        try Data(bytes).write(to: URL(fileURLWithPath: folder.path + "/text.txt"))
        let text = JobFixtures.small(corpus: "text: text.txt").replacing("vocabulary: 600", with: "vocabulary: 100")
        let outcome = try compare(try folder.write(text, to: "job.yaml"), in: folder)
        #expect(outcome.status == 0, "\(outcome.standardError)")
        let run = try #require(RunListing.runs(folder.path + "/s").first?["run_id"] as? String)
        let shown = try Program.run(["runs", "show", run, "--state", folder.path + "/s"])
        #expect(shown.standardOutput.contains("2 invalid UTF-8 sequences"), "\(shown.standardOutput)")
    }

    @Test("a vocabulary larger than the text can fill is refused and says what would fit")
    func vocabularyTooLarge() throws {
        let text = (0..<40).map { "gene \($0) binds.\nit does so again.\n\n" }.joined()
        let outcome = try compare(corpus: Array(text.utf8))
        #expect(outcome.status == 1)
        #expect(outcome.standardError.contains("vocabulary"), "\(outcome.standardError)")
    }

    @Test("a wrong option or job exits with 2 and starts nothing")
    func wrongUsage() throws {
        let folder = try TemporaryFolder()
        let job = try folder.write(JobFixtures.small().replacing("lanes: 4", with: "lanes: 5"), to: "job.yaml")
        let bad = try compare(job, in: folder)
        #expect(bad.status == 2)
        #expect(bad.standardError.contains("lanes"))
        #expect(try Program.run(["compare", "--frobnicate"]).status == 2)
        let good = try folder.write(JobFixtures.small(), to: "good.yaml")
        let tooMany = try Program.run(["compare", good, "--workers", "9", "--state", folder.path + "/s"])
        #expect(tooMany.status == 2 || tooMany.status == 1)
        #expect(tooMany.standardError.contains("9 workers"))
    }

    @Test("a launch without a daemon says how to start one")
    func noDaemon() throws {
        let folder = try TemporaryFolder()
        let job = try folder.write(JobFixtures.small(), to: "job.yaml")
        let outcome = try Program.run(["launch", "wafer", job, "--state", folder.path + "/s"])
        #expect(outcome.status == 1)
        #expect(outcome.standardError.contains("wafermark serve"))
    }
}
