import Foundation
import TestSupport
import Testing

@Suite("wafermark corpus", .serialized)
struct CorpusCommandTests {
    private let folder: TemporaryFolder
    private let corpus: String

    init() throws {
        folder = try TemporaryFolder()
        corpus = folder.path + "/corpus"
        try CorpusFixtures.imported(at: corpus, documents: 240)
    }

    private func run(_ arguments: String...) throws -> Program.Outcome {
        try Program.run(["corpus"] + arguments)
    }

    private func learned(size: Int = 400) throws {
        let outcome = try run("vocabulary", corpus, "--size", "\(size)", "--json")
        #expect(outcome.status == 0, "\(outcome.standardError)")
        #expect(try outcome.json()["size"] as? Int == size)
    }

    private func built(_ more: [String] = []) throws -> [String: Any] {
        let outcome = try Program.run(["corpus", "build", corpus, "--json"] + more)
        #expect(outcome.status == 0, "\(outcome.standardError)")
        return try outcome.json()
    }

    @Test("learns, builds, shows and checks; every text fits 80 columns, every --json is one document")
    func stages() throws {
        #expect(try run("show", corpus).standardOutput.contains("none yet"))
        try learned()
        let made = try built(["--sequence", "64", "--sequence", "32"])
        #expect((made["settings"] as? [String: Any])?["sequences"] as? [Int] == [32, 64])
        for arguments in [
            ["show", corpus], ["show", corpus, "--example", "3"], ["check", corpus],
            ["build", corpus, "--sequence", "64"],
        ] {
            let text = try Program.run(["corpus"] + arguments)
            #expect(text.status == 0, "\(text.standardError)")
            #expect(!text.standardOutput.contains("\u{1B}"))
            for line in text.standardOutput.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
            #expect(try Program.run(["corpus"] + arguments + ["--json"]).json().isEmpty == false)
        }
        for command in ["vocabulary", "build", "show", "check"] {
            let help = try run(command, "--help")
            #expect(help.status == 0)
            // The usage line is the argument parser's own.
            for line in help.standardOutput.split(separator: "\n") where !line.hasPrefix("USAGE:") {
                #expect(line.count <= 80, "\(line)")
            }
        }
    }

    @Test("shows an example with its masks marked, the same for the same numbers")
    func example() throws {
        try learned()
        _ = try built(["--sequence", "64", "--masking", "whole-word"])
        let document = try run("show", corpus, "--example", "2", "--json").json()
        let ids = try #require(document["input_ids"] as? [Int])
        let positions = try #require(document["masked_positions"] as? [Int])
        #expect(positions.allSatisfy { $0 > 0 && $0 < ids.count - 1 })
        #expect((document["masked_labels"] as? [Int])?.count == positions.count)
        let text = try run("show", corpus, "--example", "2").standardOutput
        #expect(text.contains("[CLS]") && text.contains("[SEP]") && text.contains("[MASK:"))
        #expect(try run("show", corpus, "--example", "2").standardOutput == text)
        #expect(try run("show", corpus, "--example", "2", "--epoch", "1").standardOutput != text)
        let beyond = try run("show", corpus, "--example", "1000000")
        #expect(beyond.status == 2)
        #expect(beyond.standardError.contains("example 1000000 was asked for; there are"))
        #expect(try run("show", corpus, "--example", "0", "--sequence", "48").status == 2)
    }

    @Test("wrong use is refused with exit code 2 and what to do")
    func wrongUse() throws {
        let build = try run("build", corpus)
        #expect(build.status == 2 && build.standardError.contains("corpus vocabulary"))
        #expect(try run("show", folder.path + "/none").status == 2)
        #expect(try run("vocabulary", corpus, "--size", "10").status == 2)
        #expect(try run("vocabulary", corpus, "--size", "1000000").standardError.contains("this text fills"))
        try learned()
        for options in [
            ["--sequence", "4"], ["--held-out", "0.9"], ["--masked-share", "2"], ["--static-masks", "0"],
            ["--masking", "sentence"], ["--seed", "-1"], ["--threads", "0"], ["--seed", "77"],
        ] {
            let outcome = try Program.run(["corpus", "build", corpus] + options)
            #expect(outcome.status == 2, "\(options)")
            #expect(!outcome.standardError.isEmpty)
        }
        #expect(!FileManager.default.fileExists(atPath: corpus + "/dataset"))
    }

    @Test("damage is named and ends the check with 1")
    func damage() throws {
        try learned()
        _ = try built(["--sequence", "64"])
        let url = URL(fileURLWithPath: corpus + "/dataset/training-00000-000.tokens")
        var bytes = try Data(contentsOf: url)
        bytes[10] ^= 4
        try bytes.write(to: url)
        let outcome = try run("check", corpus)
        #expect(outcome.status == 1)
        #expect(outcome.standardOutput.contains("training-00000-000.tokens has changed"))
        let document = try run("check", corpus, "--json")
        #expect(document.status == 1)
        #expect(try document.json()["sound"] as? Bool == false)
    }

    @Test("a build that is killed is gone on with by the next one, to the same bytes")
    func killed() throws {
        try learned()
        let whole = try built(["--sequence", "64"])
        try FileManager.default.removeItem(atPath: corpus + "/dataset")
        for files in [1, 4, 9] {
            let running = try Program.start(["corpus", "build", corpus, "--sequence", "64"])
            // Once it has come so far, or to its end.
            _ = Eventually.holds(within: 20) {
                let partial = try? FileManager.default.contentsOfDirectory(atPath: corpus + "/.dataset.partial")
                return (partial?.count ?? 0) >= files || FileManager.default.fileExists(atPath: corpus + "/dataset")
            }
            running.signal(SIGKILL)
            _ = try running.wait(seconds: 20)
        }
        #expect(try built(["--sequence", "64"])["digest"] as? String == whole["digest"] as? String)
        #expect(try run("check", corpus).status == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: corpus)
        #expect(!names.contains { $0.contains("partial") })
    }

    @Test("two builds of one folder at once end with one dataset; the one refused says why")
    func together() throws {
        try learned()
        let running = try (0..<3).map { _ in try Program.start(["corpus", "build", corpus, "--sequence", "64"]) }
        let outcomes = try running.map { try $0.wait(seconds: 60) }
        #expect(outcomes.contains { $0.status == 0 })
        for outcome in outcomes where outcome.status != 0 {
            #expect(outcome.status == 1)
            #expect(outcome.standardError.contains("another process is writing it"), "\(outcome.standardError)")
        }
        #expect(try run("check", corpus).status == 0)
    }

    @Test("a job on the folder trains to the same bits on the wafer and on clusters, on the folder's own shards")
    func training() throws {
        try learned()
        let made = try built(["--sequence", "64", "--held-out", "0.05"])
        let job = try folder.write(CorpusFixtures.job(), to: "job.yaml")
        #expect(try Program.run(["job", "check", job, "--json"]).json()["corpus"] as? String != nil)
        var digests: Set<String> = []
        for workers in ["1", "3"] {
            let outcome = try Program.run([
                "compare", job, "--workers", workers, "--state", folder.path + "/s" + workers, "--out",
                folder.path + "/out" + workers, "--json",
            ])
            #expect(outcome.status == 0, "\(outcome.standardError)")
            let summary = try outcome.json()
            #expect(summary["bit_identical"] as? Bool == true)
            for backend in ["cluster", "wafer"] {
                digests.insert(try #require((summary[backend] as? [String: Any])?["weights_digest"] as? String))
            }
            let prepared = try? FileManager.default.contentsOfDirectory(
                atPath: folder.path + "/s" + workers + "/datasets")
            #expect((prepared ?? []).isEmpty)
        }
        #expect(digests.count == 1)
        let report = try String(contentsOfFile: folder.path + "/out1/report.json", encoding: .utf8)
        #expect(report.contains(try #require(made["digest"] as? String)))
    }

    @Test(
        "a job that the folder contradicts is refused with file, line, key, finding and what is allowed",
        arguments: [
            (
                "sequence: 64", "sequence: 48",
                "job.yaml:6: phases[0].sequence: found 48; allowed: a length that the corpus"
            ),
            (
                "seed: 11", "seed: 11\nexamples: {next_sentence: false}",
                "job.yaml:6: examples.next_sentence: found false"
            ),
            ("corpus: corpus", "corpus: {built: corpus, vocabulary: 99}", "job.yaml:2: corpus.vocabulary: found 99"),
            ("corpus: corpus", "corpus: nowhere", "job.yaml:2: corpus: found"),
        ])
    func contradictions(part: String, other: String, says: String) throws {
        try learned()
        _ = try built(["--sequence", "64"])
        let text = CorpusFixtures.job().replacingOccurrences(of: part, with: other)
        let job = try folder.write(text, to: "job.yaml")
        let outcome = try Program.run(["job", "check", job])
        #expect(outcome.status == 2)
        #expect(outcome.standardError.contains(says), "\(outcome.standardError)")
    }
}
