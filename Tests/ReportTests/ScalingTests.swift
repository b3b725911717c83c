import Foundation
import Jobs
import PerformanceModel
import Report
import Testing

@Suite("A job at scale")
struct ScalingTests {
    private func scaling(batch: Int = 512, wafer: String? = "cs1") throws -> ModelledScaling {
        var job = try JobExample.bertLargePubmed.job()
        for index in job.phases.indices {
            job.phases[index].globalBatch = batch
            job.phases[index].microBatch = min(8, batch)
        }
        let scaling = ModelledScaling(
            job: job, cluster: try HardwareCatalogue.profile("dgx1-v100-16g"),
            wafer: try wafer.map { try HardwareCatalogue.profile($0) }, vocabularySize: 30_522)
        return try #require(scaling)
    }

    @Test("sizes double from one device to as many as the global batch has sequences")
    func sizes() throws {
        let scaling = try scaling()
        #expect(scaling.points.map(\.devices) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
        #expect(scaling.points.map(\.nodes) == [1, 1, 1, 1, 2, 4, 8, 16, 32, 64])
        #expect(try self.scaling(batch: 4).points.map(\.devices) == [1, 2, 4])
        for point in scaling.points {
            #expect(point.lowModelledSeconds <= point.timeModelledSeconds)
            #expect(point.timeModelledSeconds <= point.highModelledSeconds)
        }
        #expect(scaling.points.first?.scalingEfficiency == 1)
    }

    @Test("a point is what the model predicts for it")
    func prediction() throws {
        var job = try JobExample.bertLargePubmed.job()
        for index in job.phases.indices {
            job.phases[index].globalBatch = 512
            job.phases[index].microBatch = 8
        }
        let prediction = try JobPrediction(
            job: job, profile: try HardwareCatalogue.profile("dgx1-v100-16g"),
            layout: StepModel.Layout(workers: 32, vocabularySize: 30_522))
        let point = try #require(try scaling().points.first { $0.devices == 32 })
        #expect(point.timeModelledSeconds == prediction.time.seconds)
        #expect(point.costUsDollars == prediction.costUSDollars)
    }

    @Test("the devices that match the wafer do, and one node fewer doesn't")
    func crossover() throws {
        let scaling = try scaling(batch: 4_096)
        let wafer = try #require(scaling.wafer)
        let devices = try #require(wafer.devicesToMatch)
        #expect(devices % 8 == 0 && devices > 8)
        let seconds = try [devices, devices - 8].map { devices in
            var job = try JobExample.bertLargePubmed.job()
            for index in job.phases.indices {
                job.phases[index].globalBatch = 4_096
                job.phases[index].microBatch = 8
            }
            return try JobPrediction(
                job: job, profile: try HardwareCatalogue.profile("dgx1-v100-16g"),
                layout: StepModel.Layout(workers: devices, vocabularySize: 30_522)
            ).time.seconds
        }
        #expect(seconds[0] <= wafer.timeModelledSeconds)
        #expect(seconds[1] > wafer.timeModelledSeconds)
    }

    @Test("doublings stop to pay where they save less than a fifth")
    func worthwhile() throws {
        let scaling = try scaling()
        let times = scaling.points.map(\.timeModelledSeconds)
        let limit = try #require(scaling.points.firstIndex { $0.devices == scaling.worthwhileDevices })
        for index in 0..<limit { #expect(times[index + 1] <= times[index] * 0.8) }
        if limit + 1 < times.count { #expect(times[limit + 1] > times[limit] * 0.8) }
    }

    @Test("the report shows every figure of it, in every format, and the answer names the crossover")
    func report() throws {
        let scaling = try scaling(batch: 4_096)
        let devices = try #require(scaling.wafer?.devicesToMatch)
        let report = try ComparisonReport(
            runs: FabricatedRuns.pair(), scaling: [scaling], generated: FabricatedRuns.start)
        #expect(report.answer.details.first?.plain.contains("\(devices) devices of dgx1-v100-16g are as soon") == true)
        let html = HTMLRenderer(report).render()
        #expect(html.contains("id=\"scaling\""))
        #expect(html.contains("\(devices) match it"))
        #expect(html.contains("data-key=\"/scaling/0/points/3/time_modelled_seconds\""))
        #expect(MarkdownRenderer(report).render().contains("The whole job on dgx1-v100-16g"))
        let document = try JSONTree(try JSONRenderer(report).render())
        let checker = SchemaChecker(root: try JSONTree(JSONRenderer.schema))
        #expect(checker.complaints(about: document).isEmpty, "\(checker.complaints(about: document))")
    }

    @Test("without a wafer there is no crossover")
    func alone() throws {
        let scaling = try scaling(wafer: nil)
        #expect(scaling.wafer == nil)
        let report = try ComparisonReport(
            runs: FabricatedRuns.pair(), scaling: [scaling], generated: FabricatedRuns.start)
        #expect(report.answer.details.first?.plain.hasPrefix("By the performance model, beyond") == true)
    }
}
