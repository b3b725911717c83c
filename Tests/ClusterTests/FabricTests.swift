import Cluster
import Foundation
import Jobs
import Messaging
import PerformanceModel
import Synchronization
import Testing
import Wire

@Suite("Exchanges through an emulated fabric")
struct FabricTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var algorithm: CollectiveAlgorithm
        var workers: Int
        var dilation: Double
        var memory = FabricPlan.usualMemory
        var testDescription: String { "\(algorithm), \(workers) workers, dilation \(dilation), \(memory.count) bytes" }
    }

    static let cases: [Case] =
        CollectiveAlgorithm.allCases.flatMap { algorithm in
            [(2, 1.0), (4, 1), (4, 0)].map { Case(algorithm: algorithm, workers: $0, dilation: $1) }
        } + [
            // Room for about one frame of each pair: senders wait.
            Case(algorithm: .direct, workers: 4, dilation: 1, memory: Bytes(12 << 16))
        ]

    private static let elements = 300_000
    private static let steps = 3

    @Test("workers get the same sums to the bit, no sooner than the links allow", arguments: cases)
    func sums(_ sample: Case) async throws {
        let group = try ExchangeGroup(lanes: sample.workers)
        let shares = group.tree.shares(workerCount: sample.workers)
        let nodes = shares.flatMap { group.tree.cover(of: $0) }
        let sum = PlainSum(tree: group.tree, count: Self.elements, step: 0)
        let parts = Dictionary(uniqueKeysWithValues: nodes.map { ($0, sum.sum(over: $0)) })
        let total = sum.sum(over: group.tree.root)
        let fabric = try Fabric(sample, group)
        let end = Rendezvous(of: sample.workers)
        let outcomes = try await onThreads(sample.workers) { rank in
            let exchange = try PeerExchange(listeningAt: group.endpoint(rank), in: group.context)
            defer { exchange.close() }
            let memory = group.memory(shares[rank], count: Self.elements)
            var setup = try group.setup(rank, shares, algorithm: sample.algorithm, bucket: Bytes(1 << 16))
            for peer in setup.peers.indices where peer != rank {
                setup.peers[peer].endpoint = fabric.inlet(rank, peer)
            }
            try exchange.join(setup, memory: memory.memory)
            var isRight = true
            var seconds: [Double] = []
            for step in 0..<Self.steps {
                memory.fill(parts)
                try exchange.begin(StepNumber(step))
                let start = MonotonicInstant.now()
                try exchange.contribute(0..<Self.elements)
                _ = try exchange.finish(within: HostSeconds(60))
                seconds.append(MonotonicInstant.now().elapsed(since: start).seconds)
                isRight = isRight && Array(memory.gradient).bits == total.bits
                memory.overwrite()
            }
            end.wait()
            return (isRight, seconds)
        }
        let report = fabric.end()
        let areRight = outcomes.map(\.0)
        #expect(!areRight.contains(false))
        #expect(report.refused == 0)
        #expect(report.mostHeld.count <= sample.memory.count + sample.workers * sample.workers << 17)
        // Each step's gradient leaves a worker at least once, unless it has the sum of all others to give.
        let busiest = report.links.map(\.bytes).max() ?? 0
        #expect(busiest >= Double(Self.steps * Self.elements * 4) * 0.9)
        guard sample.dilation > 0 else { return }
        let least = busiest / Double(Self.steps) / Fabric.rate * sample.dilation
        let slowest = (0..<Self.steps).map { step in outcomes.map { $0.1[step] }.max() ?? 0 }
        // The first worker may begin a step while the last is still in the one before.
        #expect(slowest.reduce(0, +) >= least * Double(Self.steps) * 0.99, "\(slowest), \(least)")
    }

    @Test("frames that come from nobody of the membership are refused, and nobody else notices")
    func strangers() async throws {
        let group = try ExchangeGroup(lanes: 2)
        let fabric = try Fabric(Case(algorithm: .direct, workers: 2, dilation: 1), group)
        let inlet = try Endpoint(fabric.inlet(0, 1))
        let receiver = try Socket(.pull, in: group.context, options: .gradients)
        _ = try receiver.bind(to: group.endpoint(1))
        let sender = try Socket(.push, in: group.context)
        try sender.connect(to: inlet)
        let run = group.run
        func header(_ rank: Int, epoch: Int = 0) -> [UInt8] {
            ExchangeHeader(
                run: run, epoch: epoch, step: StepNumber(0), bucket: 0, sender: WorkerRank(rank), elements: 0..<1,
                lanes: 0..<1, instant: .now()
            ).encoded()
        }
        for frames in [[header(1), [0, 0, 0, 0]], [header(0, epoch: 9), [0]], [[1, 2, 3], [4]], [[5]]] {
            _ = sender.send(frames)
        }
        _ = sender.send([header(0), [7, 7, 7, 7]])
        var received: [[UInt8]]?
        let deadline = DispatchTime.now() + 30
        while received == nil, DispatchTime.now() < deadline {
            received = try receiver.receive()
            if received == nil { usleep(1_000) }
        }
        #expect(received?.last == [7, 7, 7, 7])
        #expect(fabric.end().refused == 4)
    }
}

/// A fabric on a thread of its own, between workers that are each a node with one interface.
private final class Fabric: Sendable {
    /// Bytes a second of an interface.
    static let rate = 50e6

    private let folder: String
    private let stop: WakeUp
    private let isOver = Mutex(false)
    private let result = Mutex<FabricReport?>(nil)
    private let ended = DispatchSemaphore(value: 0)

    init(_ sample: FabricTests.Case, _ group: ExchangeGroup) throws {
        folder = group.folder.path
        stop = try WakeUp()
        let cluster = EmulatedCluster(
            hardware: "test", schedules: [],
            network: EmulatedNetwork(
                workers: sample.workers, devicesPerNode: 1, deviceBytesPerSecond: 1e9, deviceLatencySeconds: 0,
                interfaces: 1, interfaceBytesPerSecond: Self.rate, interfaceLatencySeconds: 1e-4))
        let plan = FabricPlan(
            run: group.run, epoch: 0, dilation: sample.dilation, cluster: cluster,
            workers: try (0..<sample.workers).map { (WorkerRank($0), try group.endpoint($0).text) },
            inlet: { [folder] in "ipc://\(folder)/f-\($0)-\($1)" }, memory: sample.memory)
        let context = group.context
        let thread = Thread { [self] in
            do {
                let loop = try FabricLoop(plan, in: context)
                try loop.run(stop: stop) { isOver.withLock { $0 } }
                result.withLock { $0 = loop.report }
            } catch {
                Issue.record("\(error)")
            }
            ended.signal()
        }
        thread.start()
    }

    func inlet(_ from: Int, _ to: Int) -> String { "ipc://\(folder)/f-\(from)-\(to)" }

    /// Ends it and returns what has passed.
    func end() -> FabricReport {
        isOver.withLock { $0 = true }
        stop.signal()
        _ = ended.wait(timeout: .now() + 30)
        return result.withLock { $0 }
            ?? FabricReport(
                links: [], frames: 0, refused: -1, lateness: .init(mean: .zero, most: .zero), mostHeld: Bytes(0))
    }
}
