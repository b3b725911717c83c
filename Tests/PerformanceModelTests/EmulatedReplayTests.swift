import Jobs
import PerformanceModel
import Testing

@Suite("Replay of an emulated step")
struct EmulatedReplayTests {
    /// `workers` devices, each a node of its own with one interface of 1 GB/s, that compute for 10 ms and update in 1 ms.
    private func cluster(
        workers: Int, rate: Double = 1e9, latency: Double = 1e-4, slowest: Double = 1
    ) -> EmulatedCluster {
        let device = DeviceSchedule(groups: [.init(gradientShare: 1, seconds: 0.01)], updateSeconds: 0.001)
        var devices = Array(repeating: device, count: workers)
        devices[workers - 1] = device.slowed(by: slowest)
        return EmulatedCluster(
            hardware: "test", schedules: [devices],
            network: EmulatedNetwork(
                workers: workers, devicesPerNode: 1, deviceBytesPerSecond: 1e11, deviceLatencySeconds: 0,
                interfaces: 1, interfaceBytesPerSecond: rate, interfaceLatencySeconds: latency))
    }

    private func step(
        _ algorithm: CollectiveAlgorithm, workers: Int, elements: Int = 160_000, bucket: Int? = nil,
        on cluster: EmulatedCluster
    ) -> Double {
        EmulatedStepReplay(
            cluster,
            exchange: .init(
                algorithm: algorithm, laneCounts: Array(repeating: 1, count: workers), elements: elements,
                bucketElements: bucket ?? elements, elementBytes: 4)
        ).run().step.seconds
    }

    private let gradient = 160_000 * 4 / 1e9

    @Test("a worker by itself computes and updates")
    func alone() {
        #expect(abs(step(.direct, workers: 1, on: cluster(workers: 1)) - 0.011) < 1e-9)
    }

    @Test("two workers send each other the whole gradient at once")
    func two() {
        let seconds = step(.direct, workers: 2, on: cluster(workers: 2))
        #expect(abs(seconds - (0.011 + gradient + 1e-4)) < 1e-9)
    }

    @Test("through a server every gradient passes its interface, in and out", arguments: [2, 4, 8])
    func star(workers: Int) {
        let seconds = step(.star, workers: workers, on: cluster(workers: workers))
        // The server itself is done as soon as it has summed, and waits for the others in its next step: in pace, all take
        // the time until the last is served.
        #expect(abs(seconds - (0.011 + 2 * Double(workers - 1) * gradient + 2e-4)) < gradient * Double(workers))
        #expect(seconds > 0.011 + Double(workers) * gradient)
    }

    @Test("around a ring 2 (n - 1) parts of the gradient pass each interface", arguments: [4, 5, 8])
    func ring(workers: Int) {
        let seconds = step(.ring, workers: workers, on: cluster(workers: workers, latency: 0))
        let textbook = 2 * Double(workers - 1) / Double(workers) * gradient
        // Sums that the lane tree can't join yet travel beside each other.
        #expect(seconds - 0.011 > textbook * 0.99)
        #expect(seconds - 0.011 < 3 * textbook)
    }

    @Test(
        "directly, all interfaces carry as much as in a ring, but the owner of each part is sent it by all at once",
        arguments: [4, 8])
    func direct(workers: Int) {
        let seconds = step(.direct, workers: workers, on: cluster(workers: workers, latency: 0))
        let textbook = 2 * Double(workers - 1) / Double(workers) * gradient
        #expect(seconds - 0.011 > textbook * 0.99)
        #expect(seconds - 0.011 < 1.6 * textbook)
    }

    @Test("a slow device sets the pace of all")
    func straggler() {
        let seconds = step(.direct, workers: 4, on: cluster(workers: 4, slowest: 3))
        #expect(seconds > 0.033)
    }

    @Test("a faster network never makes a step longer", arguments: CollectiveAlgorithm.allCases)
    func monotone(algorithm: CollectiveAlgorithm) {
        var last = Double.infinity
        for rate in [1e7, 1e8, 1e9, 1e10, 1e11] {
            let seconds = step(algorithm, workers: 4, bucket: 10_000, on: cluster(workers: 4, rate: rate))
            #expect(seconds < last + 1e-9)
            last = seconds
        }
        #expect(last < 0.0125)
    }

    @Test("an emulated device computes for as long as the model predicts", arguments: [1, 2, 4])
    func schedule(workers: Int) throws {
        let job = try JobExample.demo.job()
        let profile = try HardwareCatalogue.profile("dgx1-v100-16g")
        let cluster = try EmulatedCluster(
            job: job, vocabularySize: 4_000, laneCounts: Array(repeating: job.lanes / workers, count: workers),
            profile: profile, settings: EmulationSettings())
        let predicted = try StepModel.predict(
            job: job, profile: profile, layout: .init(workers: workers, vocabularySize: 4_000))
        let seconds = cluster.schedules[0].map(\.computeSeconds)
        for device in seconds { #expect(abs(device / predicted.compute.seconds - 1) < 1e-9) }
        #expect(cluster.schedules[0][0].groups.count == job.model.layers + 2)
        #expect(cluster.byteScale == 1)
    }

    @Test("what stands for a larger network has its bytes and its time")
    func standIn() throws {
        let job = try JobExample.demo.job()
        let profile = try HardwareCatalogue.profile("dgx1-v100-16g")
        func cluster(_ settings: EmulationSettings) throws -> EmulatedCluster {
            try EmulatedCluster(
                job: job, vocabularySize: 4_000, laneCounts: [2, 2], profile: profile, settings: settings)
        }
        let own = try cluster(EmulationSettings())
        let large = try cluster(EmulationSettings(standsFor: "large"))
        #expect(large.byteScale > 10)
        #expect(large.schedules[0][0].computeSeconds > 2 * own.schedules[0][0].computeSeconds)
    }

    @Test("faults slow what they name and nothing else")
    func faults() throws {
        let job = try JobExample.demo.job()
        let profile = try HardwareCatalogue.profile("dgx1-v100-16g")
        func cluster(_ faults: [EmulatedFault]) throws -> EmulatedCluster {
            try EmulatedCluster(
                job: job, vocabularySize: 4_000, laneCounts: [1, 1, 1, 1], profile: profile,
                settings: EmulationSettings(faults: faults, devicesPerNode: 2))
        }
        let sound = try cluster([])
        let slow = try cluster([.slowWorker(place: 3, factor: 2), .slowNetworkInterface(node: 1, factor: 4)])
        #expect(slow.schedules[0][3] == sound.schedules[0][3].slowed(by: 2))
        #expect(slow.schedules[0].prefix(3) == sound.schedules[0].prefix(3))
        for (before, after) in zip(sound.network.links, slow.network.links) {
            let factor = before.name.hasPrefix("node1.") ? 4.0 : 1
            #expect(after.bytesPerSecond * factor == before.bytesPerSecond)
        }
    }

    @Test("workers of one node share its interfaces, and leave it by no other")
    func routes() {
        let network = EmulatedNetwork(
            workers: 8, devicesPerNode: 4, deviceBytesPerSecond: 1, deviceLatencySeconds: 0, interfaces: 2,
            interfaceBytesPerSecond: 1, interfaceLatencySeconds: 0, oversubscription: 2)
        func names(_ from: Int, _ to: Int) -> [String] {
            network.route(from: from, to: to).map { network.links[$0].name }
        }
        #expect(names(0, 3) == ["worker0.out", "worker3.in"])
        #expect(names(0, 4) == ["node0.nic0.out", "core", "node1.nic0.in"])
        #expect(names(3, 7) == ["node0.nic1.out", "core", "node1.nic1.in"])
        #expect(network.links.last?.bytesPerSecond == 2)
    }
}
