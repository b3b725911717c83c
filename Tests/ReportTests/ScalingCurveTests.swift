import Foundation
import Jobs
import PerformanceModel
import Report
import Runs
import Testing

@Suite("Throughput against the size of a cluster, on every clock")
struct ScalingCurveTests {
    /// Three sizes at the host's speed and three on an emulated machine, whose step takes `seconds` each.
    static func runs(emulatedSteps seconds: [Double] = [0.4, 0.25, 0.2]) -> [RunRecord] {
        let native = zip([1, 2, 4], [0.4, 0.2, 0.125]).map { workers, step in
            FabricatedRuns.record(
                "1000000\(workers)", backend: .cluster, workers: workers, stepTime: step, spread: 0)
        }
        let emulated = zip([1, 2, 4], seconds).map { workers, step in
            var record = FabricatedRuns.record(
                "2000000\(workers)", backend: .cluster, workers: workers, stepTime: 3, spread: 0,
                hardware: "dgx1-v100-16g")
            record.run.exchange = ExchangeSettings(transport: .ipc)
            record.run.emulation = Emulation(settings: EmulationSettings(devicesPerNode: 4))
            let replay = try? EmulatedStepReplay.modelling(
                record.run, on: HardwareCatalogue.profile("dgx1-v100-16g"))
            record.run.emulation?.modelledStep = replay?.run().step
            for index in record.steps.indices {
                record.steps[index].emulated = EmulatedStep(
                    duration: EmulatedSeconds(step), dilation: 10, lateness: .zero)
            }
            return record
        }
        return native + emulated
    }

    static func report(
        _ runs: [RunRecord], scaling: [ModelledScaling] = [], host: HostMachine? = HostModelTests.host()
    ) throws -> ComparisonReport {
        try ComparisonReport(
            runs: runs, scaling: scaling,
            profiles: ["dgx1-v100-16g": try HardwareCatalogue.profile("dgx1-v100-16g")],
            host: host.map { .success($0) }, generated: FabricatedRuns.start)
    }

    static func scaling(noise: Double? = nil) throws -> ModelledScaling {
        try #require(
            ModelledScaling(
                job: FabricatedRuns.job(), cluster: try HardwareCatalogue.profile("dgx1-v100-16g"), wafer: nil,
                vocabularySize: 2_048,
                noise: noise.map { BatchGrowth.Noise(runId: "10000004", scaleSequences: $0, devices: 4) }))
    }

    @Test("there is a curve of each clock, measured and emulated ones beside their replays, and no wafer in any")
    func curves() throws {
        let wafer = FabricatedRuns.record("9c0ht5vw", backend: .wafer, stepTime: 0.1)
        let report = try Self.report(Self.runs() + [wafer], scaling: [try Self.scaling()])
        #expect(report.scalingCurves.map(\.basis) == [.measured, .replayed, .emulated, .replayed, .predicted])
        #expect(report.scalingCurves.map(\.basis.clock) == ["host", "modelled", "emulated", "modelled", "modelled"])
        for curve in report.scalingCurves.dropLast() { #expect(curve.points.map(\.workers) == [1, 2, 4]) }
        #expect(report.scalingCurves.last?.points.map(\.workers) == [1, 2, 4, 8, 16, 32])
    }

    @Test("a measured rate is the batch over the median step, and efficiency is by worker against the smallest size")
    func rates() throws {
        let report = try Self.report(Self.runs())
        let measured = try #require(report.scalingCurves.first)
        for (point, rate) in zip(measured.points, [80, 160, 256.0]) {
            #expect(abs(point.sequencesPerSecond / rate - 1) < 1e-9)
        }
        for (point, share) in zip(measured.points, [1, 1, 0.8]) {
            #expect(abs((point.scalingEfficiency ?? 0) - share) < 1e-9)
        }
        let emulated = try #require(report.scalingCurves.first { $0.basis == .emulated })
        for (point, rate) in zip(emulated.points, [80, 128, 160.0]) {
            #expect(abs(point.sequencesPerSecond / rate - 1) < 1e-9)
        }
    }

    @Test("an emulated run's replay is the one that the model makes of its machine")
    func replay() throws {
        let runs = Self.runs()
        let report = try Self.report(runs)
        let replayed = try #require(report.scalingCurves.last { $0.basis == .replayed })
        let profile = try HardwareCatalogue.profile("dgx1-v100-16g")
        for (point, record) in zip(replayed.points, runs.suffix(3)) {
            let step = try EmulatedStepReplay.modelling(record.run, on: profile).run().step.seconds
            #expect(point.runIds == [record.run.id.text])
            #expect(abs(point.sequencesPerSecond / (32 / step) - 1) < 1e-9)
        }
    }

    @Test("several runs of one size are one point: their median, between the least and the most")
    func repetitions() throws {
        let runs = zip(["1000000a", "1000000b", "1000000c"], [0.2, 0.16, 0.25]).map { id, step in
            FabricatedRuns.record(id, backend: .cluster, workers: 2, stepTime: step, spread: 0)
        }
        let curve = try #require(try Self.report(runs, host: nil).scalingCurves.first)
        let point = try #require(curve.points.first)
        #expect(curve.points.count == 1 && point.scalingEfficiency == nil && point.runIds.count == 3)
        #expect(abs(point.sequencesPerSecond - 160) < 1e-6)
        #expect(abs((point.low ?? 0) - 128) < 1e-6 && abs((point.high ?? 0) - 200) < 1e-6)
    }

    @Test("ways of exchanging that differ are curves of their own")
    func exchanges() throws {
        var runs = Array(Self.runs().prefix(3))
        for index in runs.indices {
            runs[index].run.exchange = ExchangeSettings(
                algorithm: index == 2 ? .ring : .direct, transport: .sharedMemory)
        }
        let report = try Self.report(runs, host: nil)
        #expect(report.scalingCurves.map { $0.machine.hasSuffix("direct") } == [true, false])
        #expect(report.scalingCurves.map { $0.points.map(\.workers) } == [[1, 2], [4]])
    }

    @Test("the report shows every figure of them, in every format, and the schema knows them")
    func formats() throws {
        let report = try Self.report(Self.runs(), scaling: [try Self.scaling(noise: 64)])
        let html = HTMLRenderer(report).render()
        #expect(html.contains("id=\"scaling-throughput-title\"") && html.contains("id=\"scaling-efficiency-title\""))
        #expect(html.contains("data-key=\"/scaling_curves/0/points/1/sequences_per_host_second\""))
        #expect(html.contains("data-key=\"/scaling_curves/2/points/1/sequences_per_emulated_second\""))
        #expect(html.contains("data-key=\"/scaling/0/growth/critical_batch_sequences\""))
        let json = try JSONTree(try JSONRenderer(report).render())
        let checker = SchemaChecker(root: try JSONTree(JSONRenderer.schema))
        #expect(checker.complaints(about: json).isEmpty, "\(checker.complaints(about: json))")
        #expect(MarkdownRenderer(report).render().contains("Throughput and efficiency (each on its clock)"))
        #expect(CSVRenderer(report).render().contains("scaling_curves/emulated/sequences_per_emulated_second"))
    }

    @Test("a batch that grows with the cluster stops paying past the critical batch")
    func growth() throws {
        let small = try #require(try Self.scaling(noise: 32).growth)
        let large = try #require(try Self.scaling(noise: 3_200).growth)
        #expect(small.sequencesPerDevice == 8 && small.points.first?.globalBatch == 8)
        #expect(small.worthwhileDevices < large.worthwhileDevices)
        for point in small.points {
            #expect(point.globalBatch == 8 * point.devices)
            #expect(abs(point.examplesRatio - (1 + Double(point.globalBatch) / 32) / 2) < 1e-9)
        }
        // Four devices have the job's own batch: nothing grows, and it is the point of the fixed batch.
        let fixed = try #require(try Self.scaling().points.first { $0.devices == 4 })
        let grown = try #require(small.points.first { $0.devices == 4 })
        #expect(grown.timeModelledSeconds == fixed.timeModelledSeconds && grown.examplesRatio == 1)
        #expect(try Self.scaling().growth == nil)
    }
}
