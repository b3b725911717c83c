import Cluster
import Foundation
import Jobs
import Kernels
import Messaging
import Wire

/// Memory of one worker as a trainer has it: a sum for each node of its cover, and the gradient.
final class WorkerMemory: @unchecked Sendable {
    // Used by one thread at a time: the worker's own, or the test's before and after.
    let cover: [LaneTree.Node]
    private let sums: [FloatBuffer]
    private let total: FloatBuffer

    init(cover: [LaneTree.Node], count: Int, isShared: Bool) {
        self.cover = cover
        sums = cover.map { _ in FloatBuffer(count: count, isShared: isShared) }
        total = FloatBuffer(count: count, isShared: isShared)
        overwrite()
    }

    var gradient: UnsafeMutableBufferPointer<Float> { total.buffer }

    var memory: PeerExchange.Memory {
        PeerExchange.Memory(partialSums: zip(cover, sums).map { ($0, $1) }, gradient: total)
    }

    /// Writes this worker's share of `sums`.
    func fill(_ sums: [LaneTree.Node: [Float]]) {
        for (node, memory) in zip(cover, self.sums) { _ = memory.buffer.update(from: sums[node] ?? []) }
    }

    /// Makes all memory useless, as an optimizer and the next backward pass do.
    func overwrite() {
        for sum in sums { sum.buffer.update(repeating: .nan) }
        gradient.update(repeating: .nan)
    }
}

/// Exchanges of several workers in one process.
final class ExchangeGroup: Sendable {
    let folder: TemporaryFolder
    let run: RunID
    let context: Context
    let tree: LaneTree

    init(lanes: Int) throws {
        folder = try TemporaryFolder()
        run = RunID.random()
        context = try Context()
        tree = LaneTree(laneCount: lanes)
    }

    func endpoint(_ rank: Int) throws -> Endpoint { try Endpoint("ipc://\(folder.path)/\(rank)") }

    func peers(_ shares: [Range<Int>]) throws -> [Assignment.Peer] {
        try shares.enumerated().map { rank, lanes in
            Assignment.Peer(rank: WorkerRank(rank), endpoint: try endpoint(rank).text, lanes: lanes)
        }
    }

    func setup(
        _ rank: Int, _ shares: [Range<Int>], algorithm: CollectiveAlgorithm = .direct,
        encoding: SumEncoding = .float32, bucket: Bytes = Bytes(1 << 20),
        epoch: Int = 0, notify: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> PeerExchange.Setup {
        PeerExchange.Setup(
            run: run, epoch: epoch, rank: WorkerRank(rank), peers: try peers(shares), tree: tree, algorithm: algorithm,
            encoding: encoding, bucket: bucket, notify: notify)
    }

    /// The memory of the worker that owns `lanes`.
    func memory(_ lanes: Range<Int>, count: Int, isShared: Bool = false) -> WorkerMemory {
        WorkerMemory(cover: tree.cover(of: lanes), count: count, isShared: isShared)
    }
}

/// Where workers wait for each other before they close: what a closed exchange has not sent is dropped, as in a run, whose
/// last step ends with an evaluation that needs every worker.
struct Rendezvous: Sendable {
    private let arrivals = DispatchGroup()

    init(of count: Int) { for _ in 0..<count { arrivals.enter() } }

    /// Waits until all have come, but not without end: one that failed never comes.
    func wait() {
        arrivals.leave()
        _ = arrivals.wait(timeout: .now() + 30)
    }
}

/// Runs `body` for each worker on a thread of its own and returns what they gave. Bodies bound their own waits.
///
/// All threads are started before anything is awaited: a task for each would have to find a place on the cooperative pool
/// first, which other tests may fill for minutes, while those already started wait for the rest.
func onThreads<Value: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Value) async throws -> [Value]
{
    let (results, ended) = AsyncStream.makeStream(of: (Int, Result<Value, any Error>).self)
    for index in 0..<count {
        Thread.detachNewThread { ended.yield((index, Result { try body(index) })) }
    }
    var outcomes: [Int: Result<Value, any Error>] = [:]
    for await (index, outcome) in results.prefix(count) { outcomes[index] = outcome }
    return try (0..<count).compactMap { try outcomes[$0]?.get() }
}

/// A worker whose frames a test makes itself. It listens where it is expected to, but never reads.
final class HandMadePeer {
    private let outbox: Socket
    private let inbox: Socket

    init(_ rank: Int, sendingTo endpoint: Endpoint, in group: ExchangeGroup) throws {
        inbox = try Socket(.pull, in: group.context, options: .gradients)
        _ = try inbox.bind(to: group.endpoint(rank))
        outbox = try Socket(.push, in: group.context)
        try outbox.connect(to: endpoint)
    }

    /// Reads messages until there were `count`, for at most `seconds`; the answer is how many came.
    func receive(_ count: Int, within seconds: Double) throws -> Int {
        let end = DispatchTime.now() + seconds
        var received = 0
        while received < count, DispatchTime.now() < end {
            if try inbox.receive() != nil { received += 1 } else { usleep(1_000) }
        }
        return received
    }

    /// The next message, if one comes within `seconds`.
    func message(within seconds: Double) throws -> [[UInt8]]? {
        let end = DispatchTime.now() + seconds
        while DispatchTime.now() < end {
            if let frames = try inbox.receive() { return frames }
            usleep(1_000)
        }
        return nil
    }

    /// Sends a message of `frames`.
    func send(_ frames: [[UInt8]]) throws {
        guard outbox.send(frames) else { throw MessagingError.call("send", reason: "the exchange takes no frames") }
    }
}

/// A folder of the system's, removed at its end. Its path is short enough for sockets.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = "/tmp/wm-\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
