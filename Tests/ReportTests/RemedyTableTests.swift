import Jobs
import PerformanceModel
import Report
import Runs
import Testing

@Suite("What would help")
struct RemedyTableTests {
    private static let record = FabricatedRuns.pair()[0]

    private static func profile() throws -> HardwareProfile { try HardwareCatalogue.profile("dgx1-v100-16g") }

    @Test("is replayed on the machine that is named, else on this host, else put together from the record")
    func basis() throws {
        let host = HostModelTests.host()
        let named = try #require(RemedyTable(Self.record, profile: Self.profile(), host: host))
        #expect(named.basis == .hardwareReplay && named.hardware == "dgx1-v100-16g")
        let replay = try RemedyReplay(
            job: Self.record.run.job, profile: Self.profile(),
            layout: StepModel.Layout(workers: 2, vocabularySize: 2_048))
        #expect(named.stepModelledSeconds == replay.seconds)
        let here = try #require(RemedyTable(Self.record, profile: nil, host: host))
        #expect(here.basis == .hostReplay && here.hardware == "host")
        let elsewhere = HostModelTests.host(processor: "another")
        let parts = try #require(RemedyTable(Self.record, profile: nil, host: elsewhere))
        #expect(parts.basis == .measuredParts && parts.hardware == nil)
        #expect(RemedyTable(FabricatedRuns.pair()[1], profile: nil, host: host) == nil)
        let alone = FabricatedRuns.record("0000aaaa", backend: .cluster, workers: 1, stepTime: 0.1)
        #expect(RemedyTable(alone, profile: try Self.profile(), host: host) == nil)
        let empty = FabricatedRuns.record("0000aaaa", backend: .cluster, workers: 2, made: 0, stepTime: 0.1)
        #expect(RemedyTable(empty, profile: nil, host: nil) == nil)
    }

    @Test("the parts of the record are left out as the remedy says", arguments: BottleneckTests.seeded)
    func parts(seeded: BottleneckTests.Seeded) throws {
        let record = seeded.record
        let table = try #require(RemedyTable(record, profile: nil, host: nil))
        let count = Double(record.workerSteps.count)
        func mean(_ part: (WorkerStepRecord) -> HostSeconds) -> Double {
            record.workerSteps.reduce(0) { $0 + part($1).seconds } / count
        }
        let (total, exposed) = (mean(\.duration), mean(\.exposedCommunication))
        func seconds(_ remedy: Remedy) -> Double {
            table.rows.first { $0.remedy == remedy }?.stepModelledSeconds ?? .nan
        }
        #expect(abs(table.stepModelledSeconds - total) < 1e-9)
        #expect(abs(seconds(.infiniteNetwork) - (total - exposed)) < 1e-9)
        #expect(abs(seconds(.halfTheBytes) - (total - exposed / 2)) < 1e-9)
        #expect(abs(seconds(.noStraggler) - (total - mean(\.waiting))) < 1e-9)
        #expect(table.rows.last?.remedy == .doubleMicroBatch && table.rows.last?.obstacle != nil)
    }

    @Test("half the bytes save nothing that could be told where workers read each other's memory")
    func sharedMemory() throws {
        var record = Self.record
        for (transport, isTold) in [(Transport.sharedMemory, false), (.ipc, true), (.tcp, true)] {
            record.run.exchange = ExchangeSettings(transport: transport)
            let table = try #require(RemedyTable(record, profile: nil, host: nil))
            let row = try #require(table.rows.first { $0.remedy == .halfTheBytes })
            #expect((row.stepModelledSeconds != nil) == isTold && (row.obstacle == nil) == isTold)
            #expect(isTold || row.obstacle?.contains("memory") == true)
        }
    }

    @Test("perfect overlap is told where a core is left for it")
    func overlap() throws {
        var record = Self.record
        for (cores, isTold) in [(2, false), (3, true)] {
            record.run.machine?.cores = cores
            let table = try #require(RemedyTable(record, profile: nil, host: nil))
            let row = try #require(table.rows.first { $0.remedy == .perfectOverlap })
            #expect((row.stepModelledSeconds != nil) == isTold && (row.obstacle == nil) == isTold)
        }
    }

    @Test("stands in the order of what it saves, and names the bottleneck's own remedy first")
    func order() throws {
        for seeded in BottleneckTests.seeded {
            let table = try #require(RemedyTable(seeded.record, profile: nil, host: nil))
            let shares = table.rows.compactMap(\.savedShare)
            #expect(shares == shares.sorted(by: >))
            switch seeded.kind {
            case .exchange: #expect(table.rows.first?.remedy == .infiniteNetwork)
            case .straggler, .imbalance: #expect(table.rows.first?.remedy == .noStraggler)
            default: break
            }
        }
    }

    @Test("is told in every format, with its basis")
    func shown() throws {
        let report = try ComparisonReport(runs: FabricatedRuns.pair(), generated: FabricatedRuns.start)
        #expect(report.remedies.count == 1)
        let html = HTMLRenderer(report).render()
        #expect(html.contains("<section id=\"remedies\"") && html.contains("Put together from the parts"))
        #expect(html.contains("An infinite network"))
        let markdown = MarkdownRenderer(report).render()
        #expect(markdown.contains("### What would help") && markdown.contains("| Remedy | The step | Saved |"))
        let csv = CSVRenderer(report).render()
        #expect(csv.contains("remedies/infinite_network/step_modelled_seconds"))
        let json = try JSONTree(JSONRenderer(report).render())
        #expect(json["/remedies/0/basis"] == .text("measured_parts"))
        let wafers = try ComparisonReport(runs: [FabricatedRuns.pair()[1]], generated: FabricatedRuns.start)
        #expect(wafers.remedies.isEmpty && !HTMLRenderer(wafers).render().contains("id=\"remedies\""))
    }
}
