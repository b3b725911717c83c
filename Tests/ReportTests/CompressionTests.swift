import Foundation
import Jobs
import Report
import Runs
import Testing

@Suite("Compressed gradients in reports")
struct CompressionTests {
    private let report = Result {
        try ComparisonReport(runs: FabricatedRuns.compressed(), generated: FabricatedRuns.start)
    }

    private func isNear(_ value: Double?, _ expected: Double) -> Bool { abs((value ?? .nan) - expected) < 1e-9 }

    @Test("bytes of all workers a step are told beside what they would have been; a wafer has none")
    func saved() throws {
        let runs = try report.get().runs
        #expect(runs[0].compression == nil)
        let half = try #require(runs[1].compression)
        #expect(half.kind == "bf16" && half.density == nil)
        #expect(half.sentBytesPerStep == 27_000_000 && half.uncompressedBytesPerStep == 54_000_000)
        #expect(half.savedBytesPerStep == 27_000_000 && half.savedShare == 0.5)
        let held = try #require(runs[2].compression)
        #expect(held.kind == "top_k" && held.density == 0.05 && held.flushEverySteps == 64)
        #expect(held.sentBytesPerStep == nil && held.savedShare == nil)
    }

    @Test("the loss is told beside that of the same job without, at equal steps")
    func effect() throws {
        let effects = try report.get().compression
        #expect(effects.map(\.runId) == ["7bbbbbbb", "7ccccccc"])
        #expect(effects.allSatisfy { $0.referenceRunId == "7aaaaaaa" && $0.referenceKind == nil })
        for (effect, more) in zip(effects, [0.01, 0.1]) {
            #expect(effect.stepsCompared == 300 && effect.lastSteps == 30 && effect.heldOutSteps == 300)
            #expect(isNear(effect.meanLossDifferenceNats, more) && isNear(effect.lastLossDifferenceNats, more))
            #expect(isNear(effect.heldOutMlmLossDifferenceNats, more) && isNear(effect.heldOutMlmAccuracyDifference, 0))
        }
    }

    @Test("runs of another job, or of other text, are no reference; a shorter one is, for its steps")
    func references() throws {
        var runs = FabricatedRuns.compressed()
        var other = runs[0]
        other.run.job.seed += 1
        #expect(try ComparisonReport(runs: [other, runs[1]], generated: FabricatedRuns.start).compression.isEmpty)
        other = runs[0]
        other.run.corpus?.digest = "another"
        #expect(try ComparisonReport(runs: [other, runs[1]], generated: FabricatedRuns.start).compression.isEmpty)
        runs[0].steps.removeLast(200)
        runs[0].evaluations.removeAll { $0.stepsMade > 100 }
        let effect = try #require(
            try ComparisonReport(runs: runs, generated: FabricatedRuns.start).compression.first)
        #expect(effect.stepsCompared == 100 && effect.heldOutSteps == 100)
        #expect(isNear(effect.meanLossDifferenceNats, 0.01))
    }

    @Test("every format and the terminal say both")
    func formats() throws {
        let report = try report.get()
        let csv = CSVRenderer(report).render()
        #expect(csv.contains(",compression/saved_bytes_per_step,27000000,B,"))
        #expect(csv.contains(",compression/mean_loss_difference_nats,0.0"))
        let markdown = MarkdownRenderer(report).render()
        #expect(markdown.contains("What compressing gradients saved and did to the loss"))
        #expect(markdown.contains("+0.0100 nats") && markdown.contains("50.0 % saved"))
        let html = HTMLRenderer(report).render()
        #expect(html.contains("data-key=\"/compression/1/mean_loss_difference_nats\""))
        #expect(html.contains("compressed gradients"))
        let runs = FabricatedRuns.compressed()
        let shown = RunText.show(runs[1]).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(shown.contains("Compression gradients and their sums rounded to bfloat16; 25.7 MiB exchanged a step"))
        #expect(RunText.show(runs[2]).contains("Compression"))
    }

    @Test("diff says it, and names the key")
    func difference() throws {
        let runs = FabricatedRuns.compressed()
        let difference = try RunDifference(runs[1], from: runs[0])
        #expect(difference.configuration.contains { $0.key == "compression" && $0.value == "bf16" })
        let effect = try #require(difference.compression)
        #expect(effect.kind == "bf16" && isNear(effect.meanLossDifferenceNats, 0.01))
        let text = DifferenceText.text(difference)
        #expect(text.contains("+0.0100"))
        for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        #expect(try RunDifference(runs[0], from: runs[0]).compression == nil)
        let opposite = try RunDifference(runs[0], from: runs[1])
        #expect(isNear(opposite.compression?.meanLossDifferenceNats, -0.01))
    }
}
