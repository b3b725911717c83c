import Foundation
import Jobs
import Report
import Runs
import Testing

@Suite("What changed between two runs")
struct DifferenceTests {
    private func setting(_ difference: RunDifference, _ key: String) -> [String?]? {
        difference.configuration.first { $0.key == key }.map { [$0.value, $0.referenceValue] }
    }

    @Test("nothing, of a run beside itself")
    func itself() throws {
        let record = FabricatedRuns.record("0000aaaa", backend: .wafer, stepTime: 0.1)
        let difference = try RunDifference(record, from: record)
        #expect(difference.configuration.isEmpty && difference.figures.isEmpty)
        #expect(difference.phases.map(\.verdict) == [.noSignificantDifference])
        #expect(difference.phases.first?.parts.allSatisfy { $0.differenceHostSeconds == 0 } == true)
        #expect(DifferenceText.text(difference).contains("Nothing differs in configuration."))
    }

    @Test("backend, workers and a job's key are named; the slower run is called slower, the largest part comes first")
    func slower() throws {
        var job = FabricatedRuns.job()
        job.seed = 43
        let a = FabricatedRuns.record("0000aaaa", backend: .cluster, workers: 4, job: job, stepTime: 0.2, seed: 3)
        let b = FabricatedRuns.record("0000bbbb", backend: .wafer, stepTime: 0.1, seed: 4)
        let difference = try RunDifference(a, from: b)
        #expect(setting(difference, "run.backend") == ["cluster", "wafer"])
        #expect(setting(difference, "run.workers") == ["4", "1"])
        #expect(setting(difference, "seed") == ["43", "42"])
        #expect(setting(difference, "lanes") == nil)
        let phase = try #require(difference.phases.first)
        #expect(phase.verdict == .slower)
        let ratio = try #require(phase.ratio)
        #expect(abs(ratio - phase.stepHostSeconds / phase.referenceStepHostSeconds) < 1e-9)
        let sizes = phase.parts.map { abs($0.differenceHostSeconds) }
        #expect(sizes == sizes.sorted(by: >))
        #expect(phase.parts.count == StepPart.allCases.count)
        let ratios = difference.figures.compactMap(\.ratio).map { abs(log($0)) }
        #expect(ratios == ratios.sorted(by: >))
        #expect(difference.bitIdentical == false)
    }

    @Test("every setting of the exchange is named that is not the same")
    func exchange() throws {
        var a = FabricatedRuns.record("0000aaaa", backend: .cluster, workers: 4, stepTime: 0.1)
        var b = a
        a.run.exchange = ExchangeSettings()
        b.run.exchange = try ExchangeSettings(
            algorithm: .ring, transport: .tcp, laneShares: .even, bucket: Bytes(65_536))
        let difference = try RunDifference(a, from: b)
        #expect(difference.configuration.count == 4)
        #expect(setting(difference, "run.algorithm") == ["direct", "ring"])
        #expect(setting(difference, "run.transport") == ["shm", "tcp"])
        #expect(setting(difference, "run.lane_shares") == ["speed", "even"])
        #expect(setting(difference, "run.bucket_bytes") == ["1048576", "65536"])
    }

    @Test("runs of unlike lengths are compared by their mean steps")
    func lengths() throws {
        let a = FabricatedRuns.record("0000aaaa", backend: .wafer, job: FabricatedRuns.job(steps: 60), stepTime: 0.1)
        let b = FabricatedRuns.record("0000bbbb", backend: .wafer, job: FabricatedRuns.job(steps: 600), stepTime: 0.1)
        let phase = try #require(try RunDifference(a, from: b).phases.first)
        let ratio = try #require(phase.ratio)
        #expect(abs(ratio - 1) < 0.1)
        #expect(phase.steps == 60 && phase.referenceSteps == 600)
    }

    @Test("keeps within 80 columns")
    func width() throws {
        var job = FabricatedRuns.job()
        job.name = String(repeating: "long-name-", count: 6)
        let a = FabricatedRuns.record(
            "0000aaaa", backend: .cluster, workers: 16, job: job, stepTime: 12.5, hardware: "dgx1-v100-16g")
        let b = FabricatedRuns.record(
            "0000bbbb", backend: .wafer, made: 4, stepTime: 0.004, state: .failed(reason: "x"))
        let text = DifferenceText.text(try RunDifference(a, from: b))
        for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        #expect(text.contains("Too few steps"))
    }
}
