import Coordinator
import Foundation
import Jobs
import PerformanceModel
import Report
import Runs
import Testing

@Suite("Reports of stored runs")
struct ReportMakingTests {
    /// A run of one step that stands for a machine.
    private static func record(_ id: String, _ backend: Backend, as hardware: String, seed: UInt64 = 1) throws
        -> RunRecord
    {
        var job = try JobExample.demo.job()
        job.model = ModelShape(layers: 2, hidden: 128, heads: 2)
        job.seed = seed
        var run = Run(
            id: try #require(RunID(id)), job: job, backend: backend, workers: backend == .wafer ? 1 : 2,
            hardware: hardware, submitted: Date(timeIntervalSince1970: 1_795_000_000))
        run.state = .finished
        run.outcome = RunOutcome(
            steps: 1, trainingTime: HostSeconds(1), timeToTarget: nil, weightsDigest: "00", modelDirectory: nil)
        let step = StepRecord(
            step: StepNumber(0), loss: 6, maskedLoss: 5, nextSentenceLoss: 1, maskedAccuracy: 0, learningRate: 1e-3,
            gradientNorm: 1, sequences: 128, tokens: 4_000, elapsed: HostSeconds(1), duration: HostSeconds(1))
        return RunRecord(run: run, steps: [step])
    }

    private static let state = StateDirectory(
        path: FileManager.default.temporaryDirectory.path + "/report-making-\(UUID().uuidString)")

    @Test("a report plans each wafer once, and the next report of the same job not at all")
    func plansOnce() throws {
        let records = [
            try Self.record("10000000", .cluster, as: "dgx1-v100-16g"), try Self.record("20000000", .wafer, as: "cs1"),
        ]
        let plans = PlanMemory()
        let report = try ReportMaking.report(of: records, in: Self.state, plans: plans)
        #expect(report.scaling.first?.wafer != nil && report.modelled.last?.sensitivity != nil)
        // As many as its sensitivity alone needs: the base's plan serves the time, the scaling and the table.
        let alone = PlanMemory()
        let job = records[1].run.job
        _ = try WaferSensitivity(
            job: job, profile: HardwareCatalogue.profile("cs1"), layout: StepModel.Layout(workers: 1), plans: alone)
        #expect(plans.plansMade == alone.plansMade)
        let again = try ReportMaking.report(of: records, in: Self.state, plans: plans)
        #expect(plans.plansMade == alone.plansMade)
        #expect(again.modelled.map(\.floorPlan) == report.modelled.map(\.floorPlan))
    }

    @Test("of runs with the same plan one shows it")
    func onePlan() throws {
        let records = try (1...3).map { try Self.record("2000000\($0)", .wafer, as: "cs1", seed: UInt64($0)) }
        let report = try ReportMaking.report(of: records, in: Self.state)
        #expect(report.modelled.map { $0.floorPlan != nil } == [true, false, false])
        #expect(report.modelled.map { $0.sensitivity != nil } == [true, false, false])
        #expect(Set(report.modelled.map(\.stepModelledSeconds)).count == 1)
    }

    @Test("remedies and links are those of the machine that is named")
    func machines() throws {
        let report = try ReportMaking.report(
            of: [try Self.record("10000000", .cluster, as: "dgx1-v100-16g")], in: Self.state)
        #expect(report.remedies.first?.basis == .hardwareReplay)
        #expect(report.topologies.first?.modelled?.hardware == "dgx1-v100-16g")
        let unknown = try ReportMaking.report(
            of: [try Self.record("10000000", .cluster, as: "no-such-machine")], in: Self.state)
        #expect(unknown.topologies.isEmpty && unknown.remedies.isEmpty)
    }
}
