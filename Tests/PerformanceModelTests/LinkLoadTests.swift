import Jobs
import PerformanceModel
import Testing

@Suite("What links carry")
struct LinkLoadTests {
    private static func loads(workers: Int, hardware: String = "dgx1-v100-16g") throws -> (
        nodes: Int, devicesPerNode: Int, loads: [LinkLoad]
    ) {
        var job = try JobExample.bertLargePubmed.job()
        job.phases[0].globalBatch = 512
        job.phases[0].microBatch = 8
        return try StepModel.links(
            job: job, profile: HardwareCatalogue.profile(hardware),
            layout: StepModel.Layout(workers: workers, vocabularySize: 30_522))
    }

    @Test("a lone device has no links, devices of a node have its own, several nodes the network besides")
    func kinds() throws {
        #expect(try Self.loads(workers: 1).loads.isEmpty)
        #expect(try Self.loads(workers: 4).loads.map(\.kind) == [.withinNode])
        let several = try Self.loads(workers: 32)
        #expect((several.nodes, several.devicesPerNode) == (4, 8))
        #expect(several.loads.map(\.kind) == [.withinNode, .betweenNodes])
        #expect(several.loads.map(\.links) == [32, 4])
    }

    @Test("each carries a ring's share of the gradient, in less time than there is")
    func bytes() throws {
        for workers in [2, 8, 16, 64] {
            let job = try JobExample.bertLargePubmed.job()
            let parameters = OperatorGraph(
                Workload(
                    model: job.model, vocabularySize: 30_522, sequence: 128, maskedPositions: 20, microBatch: 1,
                    optimizer: .lamb)
            ).parameterCount
            for load in try Self.loads(workers: workers).loads {
                let gradient = load.bytesPerStep * Double(workers) / (2 * Double(workers - 1))
                // Two bytes an element on the wire under mixed precision, four otherwise.
                #expect([2, 4].contains { abs(gradient / Double(parameters) - $0) < 1e-9 })
                #expect(load.utilisation > 0 && load.utilisation < 1)
            }
        }
    }

    @Test("a slower network is used more")
    func slower() throws {
        let fast = try #require(try Self.loads(workers: 32).loads.last)
        let slow = try #require(try Self.loads(workers: 32, hardware: "cloud-v100-25gbe").loads.last)
        #expect(slow.utilisation > fast.utilisation)
    }
}
