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

    /// Two workers, in milliseconds: the second begins 2 later and computes longer. The first has the second's gradient at
    /// 113, the sum at 118, the commit at 121, and ends at 130; the second at 128. The second began late because it ended the
    /// step before only 1 before it began this one.
    private static func measured() throws -> CriticalPath {
        func worker(
            _ rank: Int, step: Int = 1, _ started: Double, _ starts: [Double], end: Double
        ) -> WorkerStepRecord {
            func seconds(_ index: Int) -> HostSeconds { HostSeconds(starts[index] / 1_000) }
            let optimizer = HostSeconds(end / 1_000) - seconds(4)
            return WorkerStepRecord(
                step: StepNumber(step), rank: WorkerRank(rank), input: seconds(0), compute: seconds(1) - seconds(0),
                exposedCommunication: seconds(3) - seconds(2),
                waiting: seconds(2) - seconds(1) + (seconds(4) - seconds(3)), optimizer: optimizer,
                duration: HostSeconds(end / 1_000), sent: Bytes(1), lanes: 4,
                timeline: WorkerStepRecord.Timeline(
                    started: HostSeconds(started / 1_000),
                    parts: PartStarts(
                        compute: seconds(0), waiting: seconds(1), exposedCommunication: seconds(2), commit: seconds(3),
                        optimizer: seconds(4))))
        }
        var record = FabricatedRuns.record("0000aaaa", backend: .cluster, workers: 2, made: 3, stepTime: 0.13)
        record.workerSteps = [
            worker(0, step: 0, 0, [1, 30, 31, 40, 41], end: 50), worker(1, step: 0, 1, [1, 30, 31, 40, 42], end: 50),
            worker(0, 50, [1, 90, 113, 118, 121], end: 130), worker(1, 52, [1, 108, 108, 115, 119], end: 126),
            worker(0, step: 2, 180, [1, 150, 151, 160, 161], end: 200),
            worker(1, step: 2, 180, [1, 150, 151, 160, 161], end: 200),
        ]
        return try #require(CriticalPath(record))
    }

    @Test("with measured starts goes from the slowest worker's computing over what came after it without a gap")
    func measuredPath() throws {
        let path = try Self.measured()
        #expect(path.startsMeasured)
        let told = path.path.map { stretch in
            "\(stretch.rank) \(stretch.step) \(stretch.part) \((stretch.startHostSeconds * 1_000).rounded()) "
                + "\((stretch.hostSeconds * 1_000).rounded())"
        }
        #expect(
            told == [
                "1 0 optimizer 0.0 1.0", "1 1 input 2.0 1.0", "1 1 compute 3.0 107.0",
                "0 1 exposed_communication 110.0 8.0", "0 1 commit 118.0 3.0", "0 1 optimizer 121.0 9.0",
            ])
        #expect(abs(path.stepHostSeconds - 0.13) < 1e-12)
        // The millisecond between the slower worker's steps is in neither.
        #expect(abs(path.coveredShare - 129.0 / 130) < 1e-9)
        let commit = path.stretches.filter { $0.part == "commit" }
        #expect(commit.map(\.rank) == [0, 1])
    }

    @Test("says where parts are laid out without having been measured")
    func unmeasured() throws {
        var record = FabricatedRuns.pair()[0]
        #expect(CriticalPath(record)?.startsMeasured == true)
        for index in record.workerSteps.indices { record.workerSteps[index].timeline = nil }
        #expect(CriticalPath(record)?.startsMeasured == false)
        let html = HTMLRenderer(try ComparisonReport(runs: [record], generated: FabricatedRuns.start)).render()
        #expect(html.contains("does not say when parts began"))
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
