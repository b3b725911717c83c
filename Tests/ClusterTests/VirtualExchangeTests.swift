import Cluster
import Jobs
import PerformanceModel
import Testing

@Suite("Virtual devices beside workers")
struct VirtualExchangeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var algorithm: CollectiveAlgorithm
        var workers: Int
        var devices: Int
        var slowest = 1.0
        var loss: EmulatedNetwork.Loss?
        var testDescription: String {
            "\(algorithm), \(workers) of \(devices) are workers, slowest \(slowest), losing \(loss?.share ?? 0)"
        }
    }

    static let cases: [Case] = CollectiveAlgorithm.allCases.flatMap { algorithm in
        [
            Case(algorithm: algorithm, workers: 1, devices: 2), Case(algorithm: algorithm, workers: 4, devices: 8),
            Case(algorithm: algorithm, workers: 1, devices: 8, slowest: 2),
            Case(algorithm: algorithm, workers: 5, devices: 8, slowest: 3),
            Case(algorithm: algorithm, workers: 2, devices: 24),
        ]
    }

    @Test("steps take what the replay says, whichever devices are workers", arguments: cases)
    func agreement(_ sample: Case) {
        var virtual = DrivenExchange(sample)
        let replayed = EmulatedStepReplay(virtual.cluster, exchange: virtual.exchange).run().step.seconds
        let step = virtual.meanStep(after: 4)
        #expect(abs(step / replayed - 1) < 0.005, "\(step) s beside workers, \(replayed) s replayed")
    }

    @Test(
        "F22: lost frames cost what the replay says, and that is most of a time-out at least",
        arguments: CollectiveAlgorithm.allCases)
    func losses(algorithm: CollectiveAlgorithm) {
        let loss = EmulatedNetwork.Loss(share: 0.05, timeoutSeconds: 0.02)
        var lossy = DrivenExchange(Case(algorithm: algorithm, workers: 4, devices: 8, loss: loss), steps: 24)
        var sound = DrivenExchange(Case(algorithm: algorithm, workers: 4, devices: 8))
        let replayed = EmulatedStepReplay(lossy.cluster, exchange: lossy.exchange).run().step.seconds
        let (with, without) = (lossy.medianStep(after: 4), sound.medianStep(after: 4))
        // Some of the wait lies beside the computing of the next buckets.
        #expect(with > without + loss.timeoutSeconds / 2)
        // No two steps lose the same: these are medians of some twenty.
        #expect(abs(with / replayed - 1) < 0.25, "\(with) s beside workers, \(replayed) s replayed")
    }

    @Test("a pause of the workers between steps is one of all devices")
    func pause() {
        let sample = Case(algorithm: .direct, workers: 4, devices: 8)
        var without = DrivenExchange(sample)
        var with = DrivenExchange(sample)
        // Longer than a step: virtual devices that went on would be far ahead.
        with.pause = 10 * without.meanStep(after: 4)
        without = DrivenExchange(sample)
        let (plain, paused) = (without.meanStep(after: 4), with.meanStep(after: 4))
        #expect(abs(paused / plain - 1) < 0.005, "\(paused) s with pauses, \(plain) s without")
    }

    @Test("more messages than are followed are refused with what to do instead")
    func tooMany() {
        let exchange = EmulatedStepReplay.Exchange(
            algorithm: .direct, laneCounts: Array(repeating: 1, count: 1_024), elements: 300_000, bucketElements: 6_000,
            elementBytes: 4)
        let error = #expect(throws: EmulationSettings.Violation.self) { try VirtualPlan.check(exchange) }
        #expect(error?.description.contains("tree") == true)
        var tree = exchange
        tree.algorithm = .tree
        #expect(throws: Never.self) { try VirtualPlan.check(tree) }
    }
}

/// A virtual exchange whose workers are driven by a clock that is a number: they do what their schedules say.
private struct DrivenExchange {
    private struct Worker {
        var step = -1
        var start = MonotonicInstant(nanoseconds: 0)
        /// When it begins its next step; nil while it is in one.
        var next: MonotonicInstant? = MonotonicInstant(nanoseconds: 1_000_000_000)
        var computed = 0
        var durations: [Double] = []
    }

    let cluster: EmulatedCluster
    let exchange: EmulatedStepReplay.Exchange
    /// Seconds between a worker's steps.
    var pause = 0.0
    private let schedules: [DeviceSchedule]
    private var virtual: VirtualExchange
    private var workers: [Worker]
    private let steps: Int

    init(_ sample: VirtualExchangeTests.Case, steps: Int = 7) {
        self.steps = steps
        let device = DeviceSchedule(
            groups: [
                .init(gradientShare: 0.2, seconds: 0.004), .init(gradientShare: 0.6, seconds: 0.007),
                .init(gradientShare: 1, seconds: 0.01),
            ], updateSeconds: 0.001)
        var devices = Array(repeating: device, count: sample.devices)
        devices[sample.devices / 2] = device.slowed(by: sample.slowest)
        schedules = devices
        var network = EmulatedNetwork(
            workers: sample.devices, devicesPerNode: 2, deviceBytesPerSecond: 1e10, deviceLatencySeconds: 1e-6,
            interfaces: 1, interfaceBytesPerSecond: 1e9, interfaceLatencySeconds: 1e-5)
        if let loss = sample.loss { network.lose(loss, atNode: nil) }
        cluster = EmulatedCluster(hardware: "test", schedules: [devices], network: network)
        exchange = EmulatedStepReplay.Exchange(
            algorithm: sample.algorithm, laneCounts: Array(repeating: 1, count: sample.devices), elements: 300_000,
            bucketElements: 30_000, elementBytes: 4)
        let job = Job(
            name: "virtual", model: ModelShape(layers: 1, hidden: 16, heads: 1, positions: 32),
            corpus: CorpusSource(text: .synthetic(documents: 10, seed: 1), vocabulary: .trained(size: 100)),
            examples: ExampleSettings(), lanes: 8, seed: 1,
            phases: [
                Phase(
                    sequence: 32, maskedPositions: 5, globalBatch: 8, microBatch: 1, steps: 100,
                    schedule: Schedule(peak: 1e-4, warmupSteps: 0, decay: .constant))
            ],
            optimizer: OptimizerSettings(kind: .lamb), evaluation: EvaluationSettings(everySteps: 100, sequences: 8),
            target: nil, checkpoints: CheckpointSettings())
        let cluster = cluster
        let plan = VirtualPlan(
            job: job,
            devices: (0..<sample.devices).map { EmulatedDevice($0, of: cluster, dilation: 1, stepsMade: 0) },
            exchange: exchange,
            lines: (0..<sample.workers).map {
                VirtualPlan.Line(rank: WorkerRank($0), device: $0, inlet: "", outlet: "")
            })
        virtual = VirtualExchange(plan, network: cluster.network, dilation: 1)
        workers = (0..<sample.workers).map { _ in Worker() }
    }

    /// The mean over workers of the time of the steps after the first `settling`.
    mutating func meanStep(after settling: Int) -> Double {
        let means = steps(after: settling)
        return means.reduce(0, +) / Double(max(1, means.count))
    }

    /// The median of those steps.
    mutating func medianStep(after settling: Int) -> Double { Quantiles(steps(after: settling)).median ?? .infinity }

    /// The mean over workers of each of those steps.
    private mutating func steps(after settling: Int) -> [Double] {
        while workers.contains(where: { $0.durations.count < steps }) {
            guard let now = nextInstant() else { return [] }
            for news in virtual.advance(to: now) where news.kind == .summed { finish(news) }
            for index in workers.indices { act(index, at: now) }
        }
        return (settling..<steps).map { step in
            workers.map { $0.durations[step] }.reduce(0, +) / Double(workers.count)
        }
    }

    private func nextInstant() -> MonotonicInstant? {
        (workers.indices.compactMap(nextOwn) + [virtual.next].compactMap { $0 }).min()
    }

    /// When a worker does something by itself.
    private func nextOwn(_ index: Int) -> MonotonicInstant? {
        let worker = workers[index]
        if let next = worker.next { return worker.durations.count < steps ? next : nil }
        guard worker.computed < schedules[index].groups.count else { return nil }
        return worker.start.advanced(by: HostSeconds(schedules[index].groups[worker.computed].seconds))
    }

    private mutating func act(_ index: Int, at now: MonotonicInstant) {
        while let due = nextOwn(index), due <= now {
            if workers[index].next != nil {
                workers[index].step += 1
                workers[index].start = due
                workers[index].next = nil
                workers[index].computed = 0
                virtual.begin(StepNumber(workers[index].step), device: index, at: due)
                continue
            }
            let group = schedules[index].groups[workers[index].computed]
            workers[index].computed += 1
            let end = Int((group.gradientShare * Double(exchange.elements)).rounded())
            virtual.compute(StepNumber(workers[index].step), device: index, upTo: end, at: due)
        }
    }

    private mutating func finish(_ news: VirtualExchange.News) {
        let end = news.instant.advanced(by: HostSeconds(schedules[news.device].updateSeconds))
        workers[news.device].durations.append(end.elapsed(since: workers[news.device].start).seconds)
        workers[news.device].next = end.advanced(by: HostSeconds(pause))
    }
}
