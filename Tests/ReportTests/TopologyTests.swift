import Jobs
import PerformanceModel
import Report
import Runs
import Testing

@Suite("Links of a cluster")
struct TopologyTests {
    private static func report(
        workers: Int, algorithm: CollectiveAlgorithm? = nil, hardware: String? = nil, host: HostMachine? = nil
    ) throws -> ComparisonReport {
        var record = FabricatedRuns.record(
            "0000aaaa", backend: .cluster, workers: workers, made: 20, stepTime: 0.1, hardware: hardware)
        record.run.exchange = ExchangeSettings(algorithm: algorithm ?? .direct, transport: .ipc)
        let profiles = try hardware.map { [$0: try HardwareCatalogue.profile($0)] } ?? [:]
        return try ComparisonReport(
            runs: [record], profiles: profiles, host: host.map(Result.success), generated: FabricatedRuns.start)
    }

    @Test(
        "go from worker to worker as the algorithm has them, and carry what was sent",
        arguments: [
            (
                CollectiveAlgorithm.direct,
                ["0>1", "0>2", "0>3", "1>0", "1>2", "1>3", "2>0", "2>1", "2>3", "3>0", "3>1", "3>2"]
            ),
            (.star, ["0>1", "0>2", "0>3", "1>0", "2>0", "3>0"]), (.ring, ["0>1", "1>2", "2>3", "3>0"]),
            (.tree, ["0>1", "0>2", "1>0", "2>0", "2>3", "3>2"]),
        ])
    func algorithms(algorithm: CollectiveAlgorithm, expected: [String]) throws {
        let measured = try #require(try Self.report(workers: 4, algorithm: algorithm).topologies.first?.measured)
        #expect(measured.links.map { "\($0.from)>\($0.to)" } == expected)
        let sum = measured.links.reduce(0) { $0 + $1.bytesPerStep }
        #expect(abs(sum - measured.bytesPerStep) < 1e-3 && abs(sum - 4 * 13_500_000) < 1e-3)
    }

    @Test("what the host can carry is told where it is calibrated, and nothing made up elsewhere")
    func host() throws {
        let known = try #require(
            try Self.report(workers: 2, host: HostModelTests.host()).topologies.first?.measured)
        let share = try #require(known.utilisation)
        #expect(
            abs(
                share - known.bytesPerHostSecond / HostModelTests.host().linkBytesPerSecond(by: known.transport ?? .ipc)
            ) < 1e-12)
        let unknown = try #require(
            try Self.report(workers: 2, host: HostModelTests.host(processor: "another")).topologies.first?.measured)
        #expect(unknown.utilisation == nil)
    }

    @Test("the machine that a run stands for has its own links and nodes")
    func modelled() throws {
        let machine = try #require(
            try Self.report(workers: 16, hardware: "dgx1-v100-16g").topologies.first?.modelled)
        #expect((machine.nodes, machine.devicesPerNode, machine.networkInterfacesPerNode) == (2, 8, 4))
        #expect(machine.links.map(\.kind) == [.withinNode, .betweenNodes])
        #expect(try Self.report(workers: 16).topologies.first?.modelled == nil)
    }

    @Test("are drawn with a description, and in a table")
    func drawn() throws {
        let html = HTMLRenderer(try Self.report(workers: 16, hardware: "dgx1-v100-16g")).render()
        #expect(html.contains("<section id=\"links\""))
        #expect(html.contains("nodes-0-title") && html.contains("workers-circle-0-title"))
        #expect(html.contains("data-key=\"/topologies/0/modelled/links/1/utilisation\""))
        #expect(html.contains("data-key=\"/topologies/0/measured/links/0/bytes_per_step\""))
        #expect(html.contains("More links are in the JSON document."))
        #expect(MarkdownRenderer(try Self.report(workers: 2)).render().contains("### Links"))
    }

    @Test("a wafer has none")
    func wafer() throws {
        let report = try ComparisonReport(runs: [FabricatedRuns.pair()[1]], generated: FabricatedRuns.start)
        #expect(report.topologies.isEmpty && !HTMLRenderer(report).render().contains("id=\"links\""))
    }
}
