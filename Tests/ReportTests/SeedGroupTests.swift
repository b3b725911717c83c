import Foundation
import Jobs
import Report
import Runs
import Testing

@Suite("Repeated runs of one job")
struct SeedGroupTests {
    private static func report(_ runs: [RunRecord]) throws -> ComparisonReport {
        try ComparisonReport(runs: runs, generated: FabricatedRuns.start)
    }

    @Test("are grouped by backend, with medians and their spread")
    func groups() throws {
        let report = try Self.report(FabricatedRuns.seeds())
        #expect(report.seedGroups.map(\.label) == ["Cluster, 2 workers", "Wafer"])
        #expect(report.seedGroups.map(\.seeds) == [[42, 43, 44], [42, 43, 44]])
        for group in report.seedGroups {
            let times = report.runs.filter { group.runIds.contains($0.runId) }.compactMap(\.timeToTargetHostSeconds)
            let spread = try #require(group.timeToTargetHostSeconds)
            #expect(times.count == 3 && spread.median == times.sorted()[1])
            #expect(spread.least == times.min() && spread.most == times.max())
            let (low, high) = (try #require(spread.medianLow), try #require(spread.medianHigh))
            #expect(spread.least <= low && low <= spread.median && spread.median <= high && high <= spread.most)
        }
        #expect(try Self.report(FabricatedRuns.pair()).seedGroups.isEmpty)
    }

    @Test("what seeds do to both backends is not taken for chance: a steady difference is found from three seeds")
    func paired() throws {
        let report = try Self.report(FabricatedRuns.seeds(cluster: 0.15, wafer: 0.12))
        let comparison = try #require(report.seedComparisons.first)
        #expect(comparison.method == .pairedBySeed && comparison.verdict == .slower)
        #expect(abs(comparison.ratio - 1.25) < 0.03)
        #expect(report.answer.sentence.plain.contains("the cluster took 1.2"))
        #expect(report.answer.sentence.plain.contains("medians of 3 runs each"))
        #expect(!report.notes.contains { $0.kind == .differentJobs })
    }

    @Test("no difference is named where there is none")
    func equal() throws {
        let report = try Self.report(FabricatedRuns.seeds(cluster: 0.12, wafer: 0.12))
        #expect(report.seedComparisons.first?.verdict == .noSignificantDifference)
        #expect(report.answer.sentence.plain.hasSuffix(": no significant difference."))
        #expect(HTMLRenderer(report).render().contains("No significant difference"))
    }

    @Test("runs under other seeds are compared by their medians, once there are four of each")
    func unpaired() throws {
        func runs(_ count: UInt64, cluster: Double) -> [RunRecord] {
            FabricatedRuns.seeds(Array(1...count), cluster: cluster).filter { $0.run.backend == .cluster }
                + FabricatedRuns.seeds(Array(101...100 + count)).filter { $0.run.backend == .wafer }
        }
        let few = try #require(try Self.report(runs(3, cluster: 0.3)).seedComparisons.first)
        #expect(few.method == .mediansOfRuns && few.verdict == nil && few.ratioLow == nil)
        let plain = try Self.report(runs(3, cluster: 0.3)).answer.sentence.plain
        #expect(plain.contains("too few runs to tell"))
        let enough = try #require(try Self.report(runs(5, cluster: 0.3)).seedComparisons.first)
        #expect(enough.verdict == .slower && (enough.ratioLow ?? 0) > 1)
        let alike = try #require(try Self.report(runs(5, cluster: 0.121)).seedComparisons.first)
        #expect(alike.verdict == .noSignificantDifference)
    }

    @Test("each run is compared bit by bit with the other backend's of its own seed")
    func identity() throws {
        let report = try Self.report(FabricatedRuns.seeds())
        #expect(report.identity.count == 3 && report.comparisons.count == 3)
        #expect(report.identity.allSatisfy { $0.bitIdentical == true })
        for check in report.identity {
            #expect(check.runId.dropFirst() == check.referenceRunId.dropFirst())
        }
    }

    @Test("a run that missed the target is counted, and then nothing is compared by it")
    func missed() throws {
        var runs = FabricatedRuns.seeds()
        runs[0].run.outcome?.timeToTarget = nil
        let report = try Self.report(runs)
        #expect(report.seedGroups.map(\.targetsMissed) == [1, 0])
        #expect(report.seedComparisons.first?.measure == .timeForSameSteps)
        #expect(report.notes.contains { $0.kind == .targetMissed })
    }

    @Test("are told in every format")
    func shown() throws {
        let report = try Self.report(FabricatedRuns.seeds())
        let html = HTMLRenderer(report).render()
        #expect(html.contains("<section id=\"seeds\"") && html.contains("seed-spread-title"))
        #expect(html.contains("data-key=\"/seed_groups/1/time_to_target_host_seconds/median_low\""))
        #expect(MarkdownRenderer(report).render().contains("### From run to run"))
        #expect(CSVRenderer(report).render().contains("10000000 10000001 10000002,\"Cluster, 2 workers\",cluster,2,"))
    }
}

@Suite("Medians with intervals")
struct MedianIntervalTests {
    @Test("are SciPy's percentile bootstrap")
    func scipy() throws {
        let golden = try StatisticsTests.Golden.read()
        let median = try #require(MedianInterval(medianOf: golden.seeds, seed: 1))
        let width = golden.medianInterval[1] - golden.medianInterval[0]
        #expect(median.value == Quantiles(golden.seeds).median)
        #expect(abs(median.low - golden.medianInterval[0]) <= 0.1 * width)
        #expect(abs(median.high - golden.medianInterval[1]) <= 0.1 * width)
        let ratio = try #require(MedianInterval(ratioOf: golden.seeds, over: golden.otherSeeds, seed: 1))
        let ratioWidth = golden.medianRatioInterval[1] - golden.medianRatioInterval[0]
        #expect(abs(ratio.low - golden.medianRatioInterval[0]) <= 0.1 * ratioWidth)
        #expect(abs(ratio.high - golden.medianRatioInterval[1]) <= 0.1 * ratioWidth)
    }

    @Test("depend on the seed alone")
    func seeded() throws {
        let values = [3.1, 2.9, 3.4, 3.0, 3.3, 2.8]
        #expect(MedianInterval(medianOf: values, seed: 5) == MedianInterval(medianOf: values, seed: 5))
        #expect(MedianInterval(medianOf: [1], seed: 5) == nil)
        #expect(MedianInterval(ratioOf: [1, 2], over: [0, 0], seed: 5) == nil)
        #expect(MedianInterval(medianOf: [2, 2, .nan, 2], seed: 5)?.low == 2)
    }

    @Test("of repetitions of the same thing rarely exclude one", arguments: [4, 6, 10])
    func coverage(count: Int) {
        var random = CounterRandom(seed: 3, purpose: .statistics, step: UInt64(count))
        func draw() -> [Double] {
            (0..<count).map { _ in 10 + (0..<6).reduce(0.0) { sum, _ in sum + Double(random.nextUnit()) } }
        }
        var wrong = 0
        for round in 0..<200 {
            if let interval = MedianInterval(ratioOf: draw(), over: draw(), seed: UInt64(round)),
                interval.low > 1 || interval.high < 1
            {
                wrong += 1
            }
        }
        // A percentile bootstrap of a median is a little too narrow; one in ten is what it may be wrong at these sizes.
        #expect(wrong <= 20, "\(wrong) of 200")
    }
}
