import Foundation
import TestSupport
import Testing

@Suite("wafermark evaluate", .serialized)
struct EvaluateTests {
    @Test("measures a trained model on text, as JSON and in 80 columns, and refuses what it can't measure")
    func text() throws {
        let folder = try TemporaryFolder()
        let model = try trainedModel(in: folder)
        let text = try folder.write(documents(40), to: "held-out.txt")
        let outcome = try Program.run(["evaluate", "--model", model, "--corpus", text, "--json"])
        #expect(outcome.status == 0, "\(outcome.standardError)")
        let result = try outcome.json()
        for key in ["mlm_accuracy", "mlm_loss", "mlm_perplexity", "nsp_accuracy", "nsp_loss"] {
            let estimate = try #require(result[key] as? [String: Double], "\(key)")
            let (low, value, high) = (estimate["low"] ?? .nan, estimate["value"] ?? .nan, estimate["high"] ?? .nan)
            #expect(low <= value && value <= high, "\(key): \(estimate)")
        }
        #expect(result["documents"] as? Int == 40)
        #expect(result["sequence"] as? Int == 64)

        let plain = try Program.run(["evaluate", "--model", model, "--corpus", text, "--sequences", "9"])
        #expect(plain.status == 0, "\(plain.standardError)")
        #expect(plain.standardOutput.contains("MLM perplexity"))
        #expect(plain.standardOutput.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(plain.standardOutput)")

        let short = try folder.write("one sentence .\n", to: "short.txt")
        for (arguments, says) in [
            (["--corpus", folder.path + "/nowhere.txt"], "nowhere.txt"), (["--corpus", folder.path], folder.path),
            (["--corpus", short], "too few documents"), (["--corpus", text, "--sequence", "65"], "sequence"),
            (["--corpus", text, "--sequences", "0"], "--sequences is 0"),
            (["--corpus", text, "--batch", "x"], "exclude"),
            ([], "--corpus"), (["--batch", folder.path + "/no.json"], "no.json"),
            (["--corpus", text, "--gradients", "g"], "--gradients needs --batch"),
        ] {
            let refused = try Program.run(["evaluate", "--model", model] + arguments)
            #expect(refused.status == 2, "\(arguments): \(refused.standardError)")
            #expect(refused.standardError.contains(says), "\(refused.standardError)")
            #expect(refused.standardOutput.isEmpty)
        }
        let noModel = try Program.run(["evaluate", "--model", folder.path + "/none", "--corpus", text])
        #expect(noModel.status == 2)
    }

    private func trainedModel(in folder: TemporaryFolder) throws -> String {
        let job = try folder.write(JobFixtures.small(), to: "job.yaml")
        let state = folder.path + "/s"
        let outcome = try Program.run(
            ["compare", job, "--workers", "1", "--state", state, "--out", folder.path + "/out"])
        #expect(outcome.status == 0, "\(outcome.standardError)")
        let files = FileManager.default.enumerator(atPath: state + "/runs")?.compactMap { $0 as? String } ?? []
        let model = try #require(files.first { $0.hasSuffix("/model") })
        return state + "/runs/" + model
    }

    private func documents(_ count: Int) -> String {
        (0..<count).map { "gene \($0) binds the cell .\nit does so again in dose \($0) .\nno cell is lost .\n" }
            .joined(separator: "\n")
    }
}
