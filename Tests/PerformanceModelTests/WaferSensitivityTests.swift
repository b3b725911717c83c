import Jobs
import PerformanceModel
import Testing

@Suite("What a wafer's time rests on")
struct WaferSensitivityTests {
    private static func small() -> Job {
        var job = StepModelTests.job(globalBatch: 256)
        job.model = ModelShape(layers: 12, hidden: 768, heads: 12)
        job.phases.append(
            Phase(
                sequence: 256, maskedPositions: 40, globalBatch: 128, microBatch: 8, steps: 5,
                schedule: Schedule(peak: 1e-3, warmupSteps: 1, decay: .linear)))
        return job
    }

    @Test("each row is the prediction of the machine with that one figure changed, and the largest change is first")
    func rows() throws {
        let profile = try HardwareCatalogue.profile("cs1")
        let job = Self.small()
        let table = try WaferSensitivity(job: job, profile: profile)
        let hours = try JobPrediction(job: job, profile: profile, layout: .init(workers: 1)).time.seconds / 3600
        #expect(abs(table.hours / hours - 1) < 1e-12)
        #expect(abs(table.phaseHours.reduce(0, +) / hours - 1) < 1e-12)
        let swings = table.rows.map { row in
            [row.hoursAtLow, row.hoursAtHigh].compactMap { $0 }.map { abs($0 - table.hours) }.max() ?? .infinity
        }
        #expect(swings == swings.sorted(by: >))
        for row in table.rows {
            #expect(row.low <= row.value && row.value <= row.high, "\(row.name)")
            #expect(!row.source.isEmpty)
        }
        var fast = profile
        guard var machine = profile.wafer else { return }
        machine.sustainedShare.value = 0.9
        fast.machine = .wafer(machine)
        let again = try JobPrediction(job: job, profile: fast, layout: .init(workers: 1)).time.seconds / 3600
        let row = try #require(table.rows.first { $0.name == "share of peak that a kernel sustains" })
        #expect(abs((row.hoursAtHigh ?? 0) / again - 1) < 1e-12)
    }

    @Test("half the sequences take half the hours, and perfect balance the lower bound")
    func recipe() throws {
        let table = try WaferSensitivity(job: Self.small(), profile: HardwareCatalogue.profile("cs1"))
        func row(_ name: String) throws -> WaferSensitivity.Row {
            try #require(table.rows.first { $0.name.hasPrefix(name) })
        }
        #expect(abs((try row("sequences in all").hoursAtLow ?? 0) / table.hours - 0.5) < 1e-9)
        #expect(try row("interval between samples").hoursAtLow ?? 0 < table.hours)
        #expect(try row("global batch").hoursAtLow ?? 0 > table.hours)
        #expect(abs((try row("global batch").hoursAtHigh ?? 0) / table.hours - 1) < 1e-9)
        #expect(try row("share of sequences in the last").hoursAtLow ?? 0 < table.hours)
    }

    @Test("the published 52 hours stand beside BERT-Large on the CS-1 and nothing else; clusters are refused")
    func published() throws {
        let wafer = try HardwareCatalogue.profile("cs1")
        #expect(try WaferSensitivity(job: Self.small(), profile: wafer).publishedHours == nil)
        #expect(throws: PerformanceModelError.self) {
            try WaferSensitivity(job: Self.small(), profile: HardwareCatalogue.profile("dgx-h100"))
        }
    }

    @Test("streamed weights are varied by the bandwidth to their memory, and not by the balance of a floor plan")
    func streamed() throws {
        let table = try WaferSensitivity(
            job: Self.small(), profile: HardwareCatalogue.profile("cs2"),
            layout: .init(workers: 1, execution: .streaming))
        #expect(table.rows.contains { $0.name.hasPrefix("bandwidth to the weights") })
        #expect(!table.rows.contains { $0.name.hasPrefix("interval between samples") })
    }
}
