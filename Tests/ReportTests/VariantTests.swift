import Foundation
import Jobs
import Report
import Runs
import Testing

@Suite("A report of variants")
struct VariantTests {
    private static let target = Target(quality: .maskedLoss(3.5))

    /// Three seeds of dense and sparse75; a sparse step takes `ratio` of a dense one.
    private func entries(ratio: Double, spread: Double = 0.05, clusterDiffers: Bool = false) throws -> [VariantReport
        .Entry]
    {
        let ids = ["00000001", "00000002", "00000003", "00000004", "00000005", "00000006"]
        var entries: [VariantReport.Entry] = []
        for (place, name) in ["dense", "sparse75"].enumerated() {
            let variant = try #require(SparsityVariant(name: name))
            for seed in 0..<3 {
                let job = variant.job(FabricatedRuns.job(target: Self.target), seed: 42 + UInt64(seed))
                let time = 0.1 * (place == 0 ? 1 : ratio) * (1 + 0.02 * Double(seed))
                let record = FabricatedRuns.record(
                    ids[place * 3 + seed], backend: .wafer, job: job, stepTime: time, spread: spread)
                entries.append(VariantReport.Entry(variant: variant, record: record))
            }
        }
        var cluster = FabricatedRuns.record(
            "00000007", backend: .cluster, workers: 2, job: entries[3].record.run.job, stepTime: 0.1)
        if clusterDiffers { cluster.steps[5].loss = cluster.steps[5].loss.nextUp }
        entries[3].cluster = cluster
        return entries
    }

    private func report(ratio: Double = 0.6, clusterDiffers: Bool = false) throws -> VariantReport {
        try VariantReport(
            entries(ratio: ratio, clusterDiffers: clusterDiffers), generated: FabricatedRuns.start)
    }

    @Test("gives time to the target with its spread, and the ratio seed by seed")
    func spread() throws {
        let report = try report()
        #expect(report.variants.map(\.name) == ["dense", "sparse75"])
        #expect(report.seeds == [42, 43, 44])
        let (dense, sparse) = (report.variants[0], report.variants[1])
        let times = dense.runs.compactMap(\.timeToTargetHostSeconds)
        let spread = try #require(dense.timeToTargetHostSeconds)
        #expect(times.count == 3 && abs(spread.mean - times.reduce(0, +) / 3) < 1e-9)
        #expect(spread.least == times.min() && spread.most == times.max())
        let comparison = try #require(report.comparisons.first)
        let ratio = try #require(comparison.timeRatio)
        let logarithms = zip(sparse.runs, dense.runs).map {
            log(($0.timeToTargetHostSeconds ?? 0) / ($1.timeToTargetHostSeconds ?? 1))
        }
        #expect(abs(ratio.mean - exp(logarithms.reduce(0, +) / 3)) < 1e-9)
        #expect(abs(ratio.mean - 0.6) < 0.01)
        #expect(abs((comparison.stepRatio?.mean ?? 0) - 0.6) < 0.02)
        // The losses are made up from the step alone.
        #expect(abs(comparison.lossDifferenceAtEqualSteps?.mean ?? 1) < 1e-12)
        #expect((comparison.lossDifferenceAtEqualTime?.mean ?? 1) < -0.1)
    }

    @Test("counts multiply-adds by the job's schedule and the real tokens")
    func multiplyAdds() throws {
        let sparsity = try #require(try report().variants[1].sparsity)
        let weights = 4 * (4 * 256 * 256 + 2 * 256 * 1024)
        #expect(sparsity.maskableWeights == weights && sparsity.keptWeights == weights / 4)
        let tokens = 300 * 3_712.0
        #expect(abs(sparsity.denseMultiplyAdds / (3 * tokens * Double(weights)) - 1) < 1e-12)
        #expect(abs(sparsity.nonZeroMultiplyAdds / sparsity.denseMultiplyAdds - 0.25) < 1e-12)
        #expect(sparsity.doneMultiplyAdds == sparsity.nonZeroMultiplyAdds)
        #expect(abs(sparsity.harvestedShare - 0.75) < 1e-12)
        #expect(try report().variants[0].sparsity == nil)
    }

    @Test("does not count zeros that were multiplied as harvested")
    func notHarvested() throws {
        var job = FabricatedRuns.job(steps: 10)
        job.sparsity = SparsitySettings(
            density: 0.25, method: .magnitude(MagnitudeRamp(startStep: 4, rampSteps: 0, updateEvery: 1)),
            matrices: [.output])
        let record = FabricatedRuns.record("00000001", backend: .wafer, job: job, stepTime: 0.1)
        let report = try ComparisonReport(runs: [record], generated: FabricatedRuns.start)
        let sparsity = try #require(report.runs[0].sparsity)
        // Of four matrices' 12 parts `output` is 4; the last five of ten steps skip three quarters of it.
        #expect(abs(sparsity.harvestedShare - 0.5 * 0.75 * 4 / 12) < 1e-12)
        #expect(report.notes.contains { $0.kind == .sparse && $0.text.plain.contains("12.5 %") })
    }

    @Test("tells a difference from chance")
    func significance() throws {
        #expect(try report(ratio: 0.6).answer.contains("sparse75 took 0.60× as long (95 % interval"))
        #expect(try !report(ratio: 0.6).answer.contains("no significant difference"))
        let alone = SeedSpread(ratios: [0.5])
        #expect(alone?.mean == 0.5 && alone?.low == nil)
        let wide = try #require(SeedSpread(ratios: [0.5, 1, 2]))
        #expect(abs(wide.mean - 1) < 1e-12)
        // Student's t of two degrees of freedom, 4.303, times ln 2 / sqrt 3.
        #expect(abs(log(wide.high ?? 0) - 4.302652729749462 * log(2.0) / 3.0.squareRoot()) < 1e-9)
        #expect(SeedSpread([]) == nil)
    }

    @Test("says whether the cluster gave the same bits")
    func identity() throws {
        #expect(try report().bitIdentical == true)
        let other = try report(clusterDiffers: true)
        #expect(other.bitIdentical == false && other.answer.contains("OTHER bits"))
    }

    @Test("is written as a page without script or network, as JSON and as Markdown")
    func files() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "variants-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let paths = try report().write(to: folder.path(percentEncoded: false))
        #expect(paths.map { URL(filePath: $0).lastPathComponent } == ["variants.html", "variants.json", "variants.md"])
        let page = try String(contentsOfFile: paths[0], encoding: .utf8)
        #expect(!page.contains("<script") && !page.contains("http://") && page.contains("<svg"))
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: paths[1]))) as? [String: Any])
        #expect(document["schema"] as? String == "wafermark-variants-1")
        #expect((document["variants"] as? [Any])?.count == 2)
        #expect(try String(contentsOfFile: paths[2], encoding: .utf8).contains("| sparse75 | 75.0 % | 75.0 % |"))
        let widest = VariantText(try report()).terminal.split(separator: "\n").map(\.count).max() ?? 0
        #expect(widest <= 80)
    }

    @Test(
        "names variants, and no others",
        arguments: ["sparse", "sparse0", "sparse100", "sparse075", "Dense", "sparse-5", ""])
    func names(name: String) throws {
        #expect(SparsityVariant(name: name) == nil)
        let job = FabricatedRuns.job()
        #expect(SparsityVariant(name: "dense")?.job(job, seed: 5).sparsity == nil)
        let sparse = try #require(SparsityVariant(name: "sparse90")?.job(job, seed: 5))
        #expect(sparse.sparsity == SparsitySettings(density: 0.1) && sparse.seed == 5)
        #expect(JobFile.problems(of: sparse).isEmpty)
    }
}
