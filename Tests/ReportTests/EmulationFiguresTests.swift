import Foundation
import Jobs
import Report
import Runs
import Testing

@Suite("Emulated machines in reports")
struct EmulationFiguresTests {
    /// Four workers and four virtual ones; twenty steps of 0.1 s, of 0.15 s once a node has failed at step 10, whose own step
    /// was not timed. One link of 1 GB/s that the host let carry 0.8 GB/s, and lost five frames.
    private static func record(faults: [EmulatedFault]) -> RunRecord {
        var record = FabricatedRuns.record(
            "9aaaaaaa", backend: .cluster, workers: 4, made: 20, stepTime: 0.5, hardware: "dgx1-v100-16g")
        var emulation = Emulation(
            settings: EmulationSettings(faults: faults, standsFor: "large", virtualWorkers: 4))
        emulation.dilation = 5
        emulation.modelledStep = ModelledSeconds(0.1)
        emulation.faultCosts = [EmulatedFaultCost(fault: "drop=1.0%", stepWithout: ModelledSeconds(0.06))]
        for index in record.steps.indices where index != 0 && index != 10 {
            record.steps[index].emulated = EmulatedStep(
                duration: EmulatedSeconds(index < 10 ? 0.1 : 0.15), dilation: 5, lateness: .zero)
        }
        record.run.emulation = emulation
        let watched = record.watched(since: 10)
        record.run.emulation?.links = [
            EmulatedLinkRecord(
                name: "node0.nic0.out", bytesPerSecond: 1e9, bytes: 4e8, busy: EmulatedSeconds(0.4),
                watched: watched, deepestQueue: 7, observedBusy: EmulatedSeconds(0.5), lost: 5)
        ]
        record.run.emulation?.fabric = FabricRecord(
            frames: 12_345_678, meanLateness: HostSeconds(0.00108), mostLateness: HostSeconds(0.143),
            mostHeld: Bytes(1 << 20))
        return record
    }

    private static let faults: [EmulatedFault] = [
        .loss(node: nil, share: 0.01), .failedNode(node: 1, step: StepNumber(10)),
    ]

    private func isNear(_ value: Double?, _ expected: Double) -> Bool { abs((value ?? .nan) / expected - 1) < 1e-9 }

    @Test("a link's rate, and what it achieved while busy; bytes of a step that was not timed count as a step's")
    func links() throws {
        let record = Self.record(faults: Self.faults)
        // Ten steps since the failure, of which nine were timed.
        #expect(isNear(record.watched(since: 10).seconds, 1.5))
        let report = try ComparisonReport(runs: [record], generated: FabricatedRuns.start)
        let link = try #require(report.runs[0].emulation?.links.first)
        #expect(link.bytesPerEmulatedSecond == 1e9)
        #expect(isNear(link.achievedBytesPerEmulatedSecond, 8e8))
        #expect(isNear(link.utilisation, 0.4 / 1.5))
        #expect(link.deepestQueue == 7 && link.lostFrames == 5)
        let mean = (9 * 0.1 + 9 * 0.15) / 18
        #expect(isNear(link.bytesPerStep, 4e8 / (1.5 / mean)))
    }

    @Test("no link is busy for more than all of the time, where a step that was not timed was longer than the others")
    func busiest() throws {
        var record = Self.record(faults: [])
        record.run.emulation?.links?[0].busy = EmulatedSeconds(1.6)
        let report = try ComparisonReport(runs: [record], generated: FabricatedRuns.start)
        #expect(report.runs[0].emulation?.links.first?.utilisation == 1)
    }

    @Test("a run is shown within 80 columns, links and the fabric's frames among it")
    func width() {
        let text = RunText.show(Self.record(faults: Self.faults))
        for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("12345678 frames") && words.contains("143 ms at most"), "\(text)")
    }

    @Test("each fault has its cost: by the replay, or before and after")
    func costs() throws {
        let report = try ComparisonReport(runs: [Self.record(faults: Self.faults)], generated: FabricatedRuns.start)
        let costs = try #require(report.runs[0].emulation?.faultCosts)
        #expect(costs.map(\.fault) == ["drop=1.0%", "fail-node=1@10"])
        #expect(isNear(costs[0].stepModelledSeconds, 0.04) && costs[0].stepEmulatedSeconds == nil)
        #expect(isNear(costs[1].stepEmulatedSeconds, 0.05) && costs[1].stepModelledSeconds == nil)
        #expect(costs[1].recoveryHostSeconds ?? 0 > 0.4)
    }

    @Test("the page, the document and the terminal say which workers are virtual, and what the faults cost")
    func formats() throws {
        let record = Self.record(faults: Self.faults)
        let report = try ComparisonReport(runs: [record], generated: FabricatedRuns.start)
        let checker = SchemaChecker(root: try JSONTree(JSONRenderer.schema))
        let complaints = checker.complaints(about: try JSONTree(JSONRenderer(report).render()))
        #expect(complaints.isEmpty, "\(complaints)")
        let page = HTMLRenderer(report).render()
        let shown = RunText.show(record, width: 200)
        for text in [page, shown] {
            #expect(text.contains("8 devices: workers 0 to 3 are processes, 4 to 7 are virtual"))
            #expect(text.contains("drop=1.0%") && text.contains("40.0 ms"), "\(text)")
        }
    }
}
