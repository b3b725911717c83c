import Foundation
import Jobs
import Kernels
import Messaging
import Synchronization
import Wire

/// The body of a benchmark's worker process.
public struct AllReduceBenchWorker {
    private let folder: String
    private let rank: Int
    private let transport: Transport

    /// How long a worker waits for the others.
    private static let deadline = HostSeconds(30)

    /// Worker `rank` of the benchmark whose workers meet in `folder`.
    public init(folder: String, rank: Int, transport: Transport) {
        self.folder = folder
        self.rank = rank
        self.transport = transport
    }

    /// Measures, tells and ends.
    ///
    /// - Throws: `AllReduceBenchError.sum` where a sum is wrong, `MessagingError`, `ExchangeError`.
    public func run() throws {
        Lifeline.watch()
        let context = try Context()
        let told = Shared<[UInt8]?>(nil)
        let arrived = MonotonicSemaphore(value: 0)
        let loop = try MessageLoop(
            "meeting", MessageLoop.Setup(.dealer, connect: [try Endpoint("ipc://\(folder)/meeting")]), in: context
        ) { frames in
            told.values.withLock { $0 = frames.last }
            arrived.signal()
        }
        defer { loop.close() }
        let endpoint: Endpoint =
            switch transport {
            case .sharedMemory, .ipc: try Endpoint("ipc://\(folder)/\(rank)")
            case .tcp: try Endpoint("tcp://127.0.0.1:0")
            }
        let exchange = try PeerExchange(listeningAt: endpoint, in: context)
        defer { exchange.close() }
        func say(_ report: AllReduceBench.Report) throws { loop.send([Array(try JSONEncoder().encode(report))]) }
        try say(.listening(rank: rank, endpoint: exchange.endpoint.text))
        guard arrived.wait(timeout: .now() + Self.deadline.seconds) == .success,
            let bytes = told.values.withLock({ $0 })
        else { throw ExchangeError.setup(reason: "not all workers came within \(Int(Self.deadline.seconds)) s") }
        let start = try JSONDecoder().decode(AllReduceBench.Start.self, from: Data(bytes))
        let rounds = try start.settings.sizes.enumerated().map { index, size in
            try measure(size, epoch: index, start, exchange)
        }
        try say(.measured(rank: rank, rounds: rounds))
        guard arrived.wait(timeout: .now() + Self.deadline.seconds) == .success else {
            throw ExchangeError.setup(reason: "not all workers had measured within \(Int(Self.deadline.seconds)) s")
        }
    }

    /// Every measured round. Rounds follow each other at once, and nothing of them is left out.
    private func measure(
        _ size: Bytes, epoch: Int, _ start: AllReduceBench.Start, _ exchange: PeerExchange
    ) throws -> [AllReduceBench.Round] {
        let (settings, count) = (start.settings, max(1, size.count / MemoryLayout<Float>.stride))
        let tree = LaneTree(laneCount: settings.workers)
        let isShared = settings.transport == .sharedMemory
        let partialSum = FloatBuffer(count: count, isShared: isShared)
        let gradient = FloatBuffer(count: count, isShared: isShared)
        guard !isShared || gradient.shared != nil else {
            throw ExchangeError.setup(reason: "the system gives no memory that other processes can read")
        }
        for element in 0..<count { partialSum.pointer[element] = Self.element(element, of: rank) }
        gradient.buffer.update(repeating: .nan)
        guard let run = RunID("00000000") else { return [] }
        try exchange.join(
            PeerExchange.Setup(
                run: run, epoch: epoch, rank: WorkerRank(rank),
                peers: start.endpoints.enumerated().map { peer, endpoint in
                    Assignment.Peer(rank: WorkerRank(peer), endpoint: endpoint, lanes: peer..<peer + 1)
                }, tree: tree, algorithm: settings.algorithm, bucket: settings.bucket,
                notify: { FileHandle.standardError.write(Data("\($0)\n".utf8)) }),
            memory: PeerExchange.Memory(
                partialSums: [(LaneTree.Node(lanes: rank..<rank + 1), partialSum)], gradient: gradient))
        var rounds: [AllReduceBench.Round] = []
        let iterations = settings.iterations(of: size)
        var last = (instant: MonotonicInstant.now(), processor: HostProcess.processorSeconds)
        for round in 0..<AllReduceSettings.warmUps + iterations {
            try exchange.begin(StepNumber(round))
            try exchange.contribute(0..<count)
            _ = try exchange.finish(within: Self.deadline)
            let now = (instant: MonotonicInstant.now(), processor: HostProcess.processorSeconds)
            if round >= AllReduceSettings.warmUps {
                rounds.append(
                    AllReduceBench.Round(
                        seconds: now.instant.elapsed(since: last.instant).seconds,
                        processorSeconds: now.processor - last.processor))
            }
            last = now
        }
        try exchange.leave()
        // A prime stride keeps the check of large gradients short and misses no bucket.
        for element in stride(from: 0, to: count, by: count > 1 << 20 ? 97 : 1) {
            guard gradient.pointer[element].bitPattern == Self.sum(element, over: tree.root, tree).bitPattern else {
                throw AllReduceBenchError.sum(rank: rank, size: size, element: element)
            }
        }
        return rounds
    }

    /// Numbers whose sum depends on the order of the additions.
    private static func element(_ index: Int, of lane: Int) -> Float {
        Float((index &* 7_919 &+ lane &* 104_729) % 65_521) * (lane % 2 == 0 ? 1.1 : 1e-3)
    }

    private static func sum(_ index: Int, over node: LaneTree.Node, _ tree: LaneTree) -> Float {
        guard let (left, right) = tree.children(of: node) else { return element(index, of: node.lanes.lowerBound) }
        return sum(index, over: left, tree) + sum(index, over: right, tree)
    }
}
