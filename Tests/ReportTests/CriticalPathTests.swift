import Jobs
import Report
import Runs
import Testing

@Suite("The critical path of a step")
struct CriticalPathTests {
    private static func path(_ name: String) throws -> CriticalPath {
        let seeded = try #require(BottleneckTests.seeded.first { $0.testDescription == name })
        return try #require(CriticalPath(seeded.record))
    }

    @Test("runs in time, without overlap, and never beyond the step", arguments: BottleneckTests.seeded)
    func ordered(seeded: BottleneckTests.Seeded) throws {
        let path = try #require(CriticalPath(seeded.record))
        #expect(!path.path.isEmpty && path.path.first?.startHostSeconds == 0)
        var time = 0.0
        for stretch in path.path {
            #expect(stretch.startHostSeconds >= time - 1e-12 && stretch.hostSeconds > 0)
            time = stretch.startHostSeconds + stretch.hostSeconds
        }
        #expect(abs(time - path.stepHostSeconds) < 1e-12)
        let sum = path.path.reduce(0) { $0 + $1.hostSeconds }
        #expect(abs(path.coveredShare - sum / path.stepHostSeconds) < 1e-12)
        #expect(path.coveredShare > 0.5 && path.coveredShare <= 1 + 1e-12)
        #expect(!path.path.contains { $0.part == "waiting" })
    }

    @Test("leads through the slow worker's computing, not through those that wait for it")
    func straggler() throws {
        let path = try Self.path("a slow worker")
        let computing = path.path.filter { $0.part == "compute" }
        #expect(computing.map(\.rank) == [2])
        #expect(abs((computing.first?.hostSeconds ?? 0) - 0.15) < 1e-9)
    }

    @Test("holds the exchange where the link is slow, and the optimizer where that is late")
    func exchange() throws {
        let slow = try Self.path("a slow link").path.first { $0.part == "exposed_communication" }
        #expect(abs((slow?.hostSeconds ?? 0) - 0.03) < 1e-9)
        let late = try Self.path("a late optimizer").path.first { $0.part == "optimizer" }
        #expect(abs((late?.hostSeconds ?? 0) - 0.028) < 1e-9)
    }

    @Test("is that of a step of median length")
    func typical() throws {
        let record = FabricatedRuns.pair()[0]
        let path = try #require(CriticalPath(record))
        let durations = record.steps.map(\.duration.seconds)
        let median = try #require(Quantiles(durations).median)
        let drawn = durations[path.step]
        #expect(durations.filter { abs($0 - median) < abs(drawn - median) - 1e-12 }.isEmpty)
    }

    @Test("a wafer has none, nor has a cluster of one worker or without steps")
    func none() {
        #expect(CriticalPath(FabricatedRuns.pair()[1]) == nil)
        #expect(CriticalPath(FabricatedRuns.record("0000aaaa", backend: .cluster, workers: 1, stepTime: 0.1)) == nil)
        #expect(
            CriticalPath(FabricatedRuns.record("0000aaaa", backend: .cluster, workers: 2, made: 0, stepTime: 1)) == nil)
    }

    @Test("is drawn with a row a worker, told by a line, and written out for those who don't see it")
    func drawn() throws {
        let report = try ComparisonReport(runs: FabricatedRuns.pair(), generated: FabricatedRuns.start)
        let html = HTMLRenderer(report).render()
        #expect(html.contains("id=\"critical-0\"") || html.contains("critical-0-title"))
        #expect(html.contains("<path class=\"critical\""))
        for worker in ["worker 0", "worker 1"] { #expect(html.contains(">\(worker)</text>")) }
        #expect(html.contains("data-key=\"/critical_paths/0/path/0/host_seconds\""))
        #expect(MarkdownRenderer(report).render().contains("### The critical path of a step"))
    }

    @Test("of many workers those on the path are drawn, and it is said how many are not")
    func many() throws {
        let record = FabricatedRuns.record("0000aaaa", backend: .cluster, workers: 40, made: 12, stepTime: 0.1)
        let report = try ComparisonReport(runs: [record], generated: FabricatedRuns.start)
        let html = HTMLRenderer(report).render()
        #expect(html.contains("24 workers beside the path are not drawn"))
        for rank in Set(report.criticalPaths[0].path.map(\.rank)) { #expect(html.contains(">worker \(rank)</text>")) }
    }
}
