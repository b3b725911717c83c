import Foundation
import Jobs
import Kernels
import Messaging
import Synchronization
import Wire

/// Sums gradients with peer processes over ZeroMQ, by any `CollectiveAlgorithm`. The sum is the same to the bit for every
/// algorithm and any number of workers.
///
/// Buckets travel while the backward pass still fills later ones: `contribute` only wakes the exchange's own thread. What
/// is sent is not copied: a peer of this host reads it out of the trainer's memory where that is shared, and libzmq does
/// otherwise; `finish` waits until they have.
public final class PeerExchange: GradientExchange {
    /// What an exchange sums, and with whom.
    public struct Setup: Sendable {
        /// The run, its membership's epoch, and this worker.
        public var run: RunID
        public var epoch: Int
        public var rank: WorkerRank
        /// All workers in the order of their lanes, this one included.
        public var peers: [Assignment.Peer]
        /// The tree in which lanes are summed.
        public var tree: LaneTree
        /// Who sums what.
        public var algorithm: CollectiveAlgorithm
        /// How sums travel through sockets, and what they are rounded to.
        public var encoding: SumEncoding
        /// The size of a bucket, as f32.
        public var bucket: Bytes
        /// Whether sums bear the instant at which an emulated machine would have had them, rather than that of their sending: then
        /// what the host takes between the two delays nothing that is emulated.
        public var isEmulated: Bool
        /// Told, on the exchange's thread, what whoever looks at the run should know.
        public var notify: @Sendable (String) -> Void
        /// Whether connections of earlier memberships are given up, because something was lost on them.
        public var reconnects: Bool

        /// A setup of the given parts.
        public init(
            run: RunID, epoch: Int, rank: WorkerRank, peers: [Assignment.Peer], tree: LaneTree,
            algorithm: CollectiveAlgorithm, encoding: SumEncoding = .float32, bucket: Bytes, reconnects: Bool = false,
            isEmulated: Bool = false, notify: @escaping @Sendable (String) -> Void = { _ in }
        ) {
            self.run = run
            self.epoch = epoch
            self.rank = rank
            self.peers = peers
            self.tree = tree
            self.algorithm = algorithm
            self.encoding = encoding
            self.bucket = bucket
            self.notify = notify
            self.reconnects = reconnects
            self.isEmulated = isEmulated
        }
    }

    /// The memory that an exchange reads and writes. Where it is shared, peers of this host read it where it is.
    ///
    /// The computing thread, the exchange's, libzmq's and the peers take turns. The first writes an element before it
    /// contributes it and does not touch it again before `finish` has returned; the others touch it only in between. All
    /// changes of turn pass through the mutex of `ExchangeState`.
    public struct Memory: Sendable {
        let partialSums: [(node: LaneTree.Node, elements: FloatBuffer)]
        let gradient: FloatBuffer

        /// - Parameters:
        ///   - partialSums: the cover of this worker's lanes, and the sum over each node. They are only read.
        ///   - gradient: takes the sum over all lanes; memory of its own.
        public init(partialSums: [(node: LaneTree.Node, elements: FloatBuffer)], gradient: FloatBuffer) {
            self.partialSums = partialSums
            self.gradient = gradient
        }
    }

    /// Sums from this size on are lent where peers can read them: below it, the message that returns a loan costs more than
    /// the copy through a socket.
    public static let smallestLoan = Bytes(32 << 10)

    /// Where peers deliver to this worker.
    public let endpoint: Endpoint
    private let state = ExchangeState()
    private let wakeUp: WakeUp
    private let ended = DispatchSemaphore(value: 0)
    private var step = StepNumber(0)
    private var buckets: GradientBuckets?
    private var filled = 0

    /// How long libzmq may take to give memory back once its sockets are closed: it only has to drop it.
    private static let returnDeadline = HostSeconds(10)

    /// Starts the exchange's thread, which listens at `endpoint`. It sums nothing until `join`.
    ///
    /// - Parameter keys: who this worker is to its peers, which then must have keys, too; nil where all are on one host.
    /// - Throws: `MessagingError` where it can't listen there.
    public init(listeningAt endpoint: Endpoint, as keys: CurveKeyPair? = nil, in context: Context) throws {
        wakeUp = try WakeUp()
        let bound = Answer<Result<Endpoint, MessagingError>>()
        let thread = Thread { [state, wakeUp, ended] in
            defer { ended.signal() }
            do throws(MessagingError) {
                let inbox = try Socket(.pull, in: context, options: .gradients)
                bound.give(.success(try inbox.bind(to: endpoint, as: keys)))
                var loop = ExchangeLoop(inbox: inbox, as: keys, in: context, state: state)
                try loop.run(wakeUp: wakeUp)
                state.end(reason: "it was closed")
            } catch {
                bound.give(.failure(error))
                state.end(reason: error.description)
            }
        }
        thread.name = "exchange"
        thread.stackSize = 1 << 20
        thread.start()
        self.endpoint = try bound.wait().get()
    }

    deinit { close() }

    /// Connects to the peers and makes ready to sum. What peers that joined earlier have sent meanwhile is not lost.
    ///
    /// - Throws: `ExchangeError.setup` where the setup contradicts itself or the memory.
    public func join(_ setup: Setup, memory: Memory) throws {
        try setup.check(memory)
        try leave()
        buckets = GradientBuckets(elementCount: memory.gradient.count, bucket: setup.bucket)
        state.give(.join(setup, memory))
        wakeUp.signal()
    }

    /// Forgets the peers, and returns once nothing uses the memory any more: before the lanes, and so the memory, change.
    ///
    /// - Throws: `ExchangeError.ended`.
    public func leave() throws {
        state.give(.idle)
        wakeUp.signal()
        try state.waitUntilIdle(deadline: Self.returnDeadline)
    }

    /// Ends the exchange's thread and its sockets; nothing uses the memory any more. What peers have not taken yet is dropped,
    /// so all of them must have finished their last step.
    public func close() {
        state.give(.close)
        wakeUp.signal()
        ended.wait()
        ended.signal()
        try? state.waitUntilIdle(deadline: Self.returnDeadline)
    }

    /// What threads other than the computing one may do with this exchange.
    public var monitor: ExchangeMonitor { ExchangeMonitor(state) }

    public func begin(_ step: StepNumber, at instant: MonotonicInstant) throws {
        self.step = step
        filled = 0
        state.begin(step, at: instant)
        wakeUp.signal()
    }

    public func contribute(_ range: Range<Int>, at instant: MonotonicInstant) throws {
        guard let buckets else { throw ExchangeError.setup(reason: "it has not joined its peers") }
        if state.isInterrupted { throw ExchangeError.interrupted }
        let now = buckets.filled(upTo: range.upperBound)
        guard now > filled else { return }
        filled = now
        state.contribute(ExchangeState.Contribution(end: range.upperBound, instant: instant))
        wakeUp.signal()
    }

    public func finish(within deadline: HostSeconds) throws -> ExchangeResult {
        let start = MonotonicInstant.now()
        let (progress, refusals) = try state.waitUntilSummed(step: step, deadline: deadline)
        let waiting = progress.lastContribution.map { max(.zero, $0.elapsed(since: start)) } ?? .zero
        return ExchangeResult(
            waiting: waiting, sent: Bytes(progress.sent), uncompressed: Bytes(progress.uncompressed),
            refusals: refusals, lateness: progress.lateness, completed: progress.completed)
    }
}

extension PeerExchange.Setup {
    /// This worker's place among the peers.
    var place: Int { peers.firstIndex { $0.rank == rank } ?? 0 }

    /// The workers' shares of the lanes.
    var shares: LaneShares { LaneShares(tree: tree, lanes: peers.map(\.lanes)) }

    fileprivate func check(_ memory: PeerExchange.Memory) throws {
        guard Set(peers.map(\.rank)).count == peers.count, peers.contains(where: { $0.rank == rank }) else {
            throw ExchangeError.setup(
                reason: "the peers are workers \(peers.map(\.rank)) and this one is \(rank); "
                    + "it must be one of them, and none may be there twice")
        }
        var lane = 0
        for peer in peers {
            guard peer.lanes.lowerBound == lane, !peer.lanes.isEmpty else {
                throw ExchangeError.setup(
                    reason: "worker \(peer.rank) owns lanes \(peer.lanes); at least one is needed, from \(lane) on")
            }
            lane = peer.lanes.upperBound
        }
        guard lane == tree.laneCount else {
            throw ExchangeError.setup(reason: "the workers own \(lane) of \(tree.laneCount) lanes")
        }
        let count = memory.gradient.count
        guard memory.partialSums.map(\.node) == tree.cover(of: peers[place].lanes),
            memory.partialSums.allSatisfy({ $0.elements.count == count })
        else {
            throw ExchangeError.setup(
                reason: "the memory is not one sum of \(count) elements for each node over lanes "
                    + "\(peers[place].lanes)")
        }
    }
}

/// A value that one thread gives once, and another waits for.
private final class Answer<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let semaphore = DispatchSemaphore(value: 0)

    /// Gives the value; only the first call counts.
    func give(_ new: Value) {
        value.withLock { $0 = $0 ?? new }
        semaphore.signal()
    }

    /// Waits for the value, which the other thread gives on every path.
    func wait() -> Value {
        while true {
            semaphore.wait()
            if let value = value.withLock({ $0 }) { return value }
        }
    }
}
