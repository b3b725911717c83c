import Jobs
import PerformanceModel
import Testing

@Suite("The emulation's parts and the replay")
struct EmulatedAgreementTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var algorithm: CollectiveAlgorithm
        var workers: Int
        var devicesPerNode: Int
        var rate: Double
        var bucket: Int
        var slowest = 1.0
        var oversubscription = 1.0
        var testDescription: String {
            "\(algorithm), \(workers) workers, \(devicesPerNode) a node, \(rate) B/s, buckets of \(bucket), "
                + "slowest \(slowest), core 1:\(oversubscription)"
        }
    }

    static let cases: [Case] = CollectiveAlgorithm.allCases.flatMap { algorithm in
        [
            Case(algorithm: algorithm, workers: 1, devicesPerNode: 1, rate: 1e9, bucket: 4_096),
            Case(algorithm: algorithm, workers: 2, devicesPerNode: 1, rate: 1e8, bucket: 16_384),
            Case(algorithm: algorithm, workers: 4, devicesPerNode: 2, rate: 1e8, bucket: 16_384),
            Case(algorithm: algorithm, workers: 4, devicesPerNode: 1, rate: 1e10, bucket: 8_192, slowest: 2),
            Case(algorithm: algorithm, workers: 8, devicesPerNode: 4, rate: 1e9, bucket: 65_536),
            Case(algorithm: algorithm, workers: 8, devicesPerNode: 2, rate: 1e8, bucket: 8_192, oversubscription: 3),
            Case(algorithm: algorithm, workers: 16, devicesPerNode: 8, rate: 1e9, bucket: 8_192),
        ]
    }

    @Test("the workers' plans through the fabric's queues give the replay's step within a per cent", arguments: cases)
    func agreement(_ sample: Case) {
        let device = DeviceSchedule(
            groups: [
                .init(gradientShare: 0.2, seconds: 0.004), .init(gradientShare: 0.6, seconds: 0.007),
                .init(gradientShare: 1, seconds: 0.01),
            ], updateSeconds: 0.001)
        var devices = Array(repeating: device, count: sample.workers)
        devices[sample.workers / 2] = device.slowed(by: sample.slowest)
        let cluster = EmulatedCluster(
            hardware: "test", schedules: [devices],
            network: EmulatedNetwork(
                workers: sample.workers, devicesPerNode: sample.devicesPerNode, deviceBytesPerSecond: 1e10,
                deviceLatencySeconds: 1e-6, interfaces: 1, interfaceBytesPerSecond: sample.rate,
                interfaceLatencySeconds: 1e-5, oversubscription: sample.oversubscription))
        let exchange = EmulatedStepReplay.Exchange(
            algorithm: sample.algorithm, laneCounts: Array(repeating: 2, count: sample.workers), elements: 300_000,
            bucketElements: sample.bucket, elementBytes: 4)
        let replayed = EmulatedStepReplay(cluster, exchange: exchange).run().step.seconds
        var virtual = VirtualCluster(cluster, exchange, steps: 5)
        let emulated = virtual.lastStep()
        #expect(abs(emulated / replayed - 1) < 0.01, "emulated \(emulated), replayed \(replayed)")
    }

    @Test("BERT-Large between two nodes of four, through 100 Gb/s", arguments: CollectiveAlgorithm.allCases)
    func large(algorithm: CollectiveAlgorithm) {
        let groups = (0..<26).map {
            DeviceSchedule.Group(gradientShare: Double($0 + 1) / 26, seconds: 0.03 + 0.002 * Double($0))
        }
        let device = DeviceSchedule(groups: groups, updateSeconds: 0.01)
        let cluster = EmulatedCluster(
            hardware: "test", schedules: [Array(repeating: device, count: 8)],
            network: EmulatedNetwork(
                workers: 8, devicesPerNode: 4, deviceBytesPerSecond: 130e9, deviceLatencySeconds: 3.4e-6, interfaces: 1,
                interfaceBytesPerSecond: 10e9, interfaceLatencySeconds: 25e-6))
        let exchange = EmulatedStepReplay.Exchange(
            algorithm: algorithm, laneCounts: Array(repeating: 2, count: 8), elements: 250_000, bucketElements: 4_800,
            elementBytes: 5_440)
        let replayed = EmulatedStepReplay(cluster, exchange: exchange).run().step.seconds
        var virtual = VirtualCluster(cluster, exchange, steps: 5)
        let emulated = virtual.lastStep()
        #expect(abs(emulated / replayed - 1) < 0.003, "emulated \(emulated), replayed \(replayed)")
    }
}
