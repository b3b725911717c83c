import Report
import Runs
import Testing

@Suite("ReLU's zeros in reports")
struct ActivationZeroTests {
    @Test("are told as a share of the activations, and of the encoder's multiply-adds")
    func figures() throws {
        let run = FabricatedRuns.rectified()
        let report = try ComparisonReport(runs: [run], generated: FabricatedRuns.start)
        let zeros = try #require(report.runs[0].activationZeros)
        let steps = Double(run.steps.count)
        #expect(zeros.activations == 12_000_000 * run.steps.count)
        #expect(zeros.zeroActivations == 3_000_000 * run.steps.count)
        #expect(zeros.skippedActivations == 2_000_000 * run.steps.count)
        #expect(zeros.zeroShare == 0.25)
        // 4 layers of 256 and 1,024 have 3,145,728 weights, which meet each token three times.
        #expect(zeros.denseMultiplyAdds == 3 * 3_584 * 3_145_728 * steps)
        // Five of the six products with a layer's inner activations leave 256 multiply-adds out for each.
        #expect(zeros.denseMultiplyAdds - zeros.nonZeroMultiplyAdds == 5 * 256 * 3_000_000 * steps)
        #expect(zeros.denseMultiplyAdds - zeros.doneMultiplyAdds == 5 * 256 * 2_000_000 * steps)
        #expect(abs(zeros.harvestedShare - 5 * 256 * 2e6 / (3 * 3_584 * 3_145_728)) < 1e-12)
        #expect(abs(zeros.zeroMultiplyAddShare - 1.5 * zeros.harvestedShare) < 1e-12)
        #expect(report.notes.contains { $0.kind == .activationZeros })
    }

    @Test("are not told of steps that did not count them, nor of a run without")
    func uncounted() throws {
        var run = FabricatedRuns.rectified()
        for step in run.steps.indices.dropFirst(10) { run.steps[step].activationZeros = nil }
        let report = try ComparisonReport(runs: [run], generated: FabricatedRuns.start)
        #expect(report.runs[0].activationZeros?.activations == 120_000_000)
        let dense = try ComparisonReport(runs: FabricatedRuns.pair(), generated: FabricatedRuns.start)
        #expect(dense.runs.allSatisfy { $0.activationZeros == nil })
        #expect(!dense.notes.contains { $0.kind == .activationZeros })
    }
}
