import Foundation
import Jobs
import Messaging
import Synchronization
import Wire

/// Reduce-scatter and all-gather straight between all pairs of workers. Each bucket is cut into one segment for each
/// worker; every worker sends its partial sums of a segment to that segment's owner, who joins them in the order of the
/// lane tree and sends the total to all. The sum is therefore the same to the bit for any number of workers.
///
/// Buckets travel while the backward pass still fills later ones: `contribute` only wakes the exchange's own thread.
public final class DirectExchange: GradientExchange {
    /// What an exchange sums, and with whom.
    public struct Setup: Sendable {
        /// The run, its membership's epoch, and this worker.
        public var run: RunID
        public var epoch: Int
        public var rank: WorkerRank
        /// All workers in the order of ranks, this one included.
        public var peers: [Assignment.Peer]
        /// The tree in which lanes are summed.
        public var tree: LaneTree
        /// The size of a bucket.
        public var bucket: Bytes

        /// A setup of the given parts.
        public init(
            run: RunID, epoch: Int, rank: WorkerRank, peers: [Assignment.Peer], tree: LaneTree, bucket: Bytes
        ) {
            self.run = run
            self.epoch = epoch
            self.rank = rank
            self.peers = peers
            self.tree = tree
            self.bucket = bucket
        }
    }

    /// The memory that an exchange reads and writes. It belongs to the trainer, which outlives the exchange.
    public struct Memory: @unchecked Sendable {
        // Sendable: the computing thread and the exchange's thread take turns. The former writes an element before it
        // contributes it and does not touch it again before `finish` has returned; the latter touches it only in between.
        // Both changes of turn pass through the mutex of `ExchangeState`.
        let partialSums: [(node: LaneTree.Node, elements: UnsafeMutableBufferPointer<Float>)]
        let gradient: UnsafeMutableBufferPointer<Float>

        /// - Parameters:
        ///   - partialSums: the cover of this worker's lanes, and the sum over each node.
        ///   - gradient: takes the sum over all lanes; memory of its own.
        public init(
            partialSums: [(node: LaneTree.Node, elements: UnsafeMutableBufferPointer<Float>)],
            gradient: UnsafeMutableBufferPointer<Float>
        ) {
            self.partialSums = partialSums
            self.gradient = gradient
        }
    }

    /// Where peers deliver to this worker.
    public let endpoint: Endpoint
    private let state = ExchangeState()
    private let wakeUp: WakeUp
    private let assigned: Once<(Setup, Memory)>
    private let ended = DispatchSemaphore(value: 0)
    private var step = StepNumber(0)
    /// How long frames of the step before may keep the next one from its memory.
    private var deadline = HostSeconds(30)

    /// Starts the exchange's thread, which listens at `endpoint`. It sums nothing until `join`.
    ///
    /// - Throws: `MessagingError` where it can't listen there.
    public init(listeningAt endpoint: Endpoint, in context: Context) throws {
        wakeUp = try WakeUp()
        let assigned = Once<(Setup, Memory)>()
        let bound = Once<Result<Endpoint, MessagingError>>()
        let thread = Thread { [state, wakeUp, ended] in
            defer { ended.signal() }
            do throws(MessagingError) {
                var options = Socket.Options()
                options.highWaterMark = 0
                options.largestFrame = -1
                let inbox = try Socket(.pull, in: context, options: options)
                bound.set(.success(try inbox.bind(to: endpoint)))
                guard let (setup, memory) = assigned.wait() else { return }
                var loop = try DirectExchangeLoop(setup, memory: memory, in: context, state: state)
                try loop.run(inbox: inbox, wakeUp: wakeUp)
                state.end(reason: "it was closed")
            } catch {
                bound.set(.failure(error))
                state.end(reason: error.description)
            }
        }
        thread.name = "exchange"
        thread.stackSize = 1 << 20
        thread.start()
        self.assigned = assigned
        guard let result = bound.wait() else { throw ExchangeError.ended(reason: "its thread did not start") }
        self.endpoint = try result.get()
    }

    /// Connects to the peers and makes ready to sum.
    public func join(_ setup: Setup, memory: Memory) { assigned.set((setup, memory)) }

    deinit { close() }

    /// Ends the exchange's thread and its sockets.
    public func close() {
        assigned.set(nil)
        state.close()
        wakeUp.signal()
        ended.wait()
        ended.signal()
    }

    public func begin(_ step: StepNumber) throws {
        try state.waitUntilReturned(step: step, deadline: deadline)
        self.step = step
        state.begin(step)
        wakeUp.signal()
    }

    public func contribute(_ range: Range<Int>) throws {
        state.contribute(upTo: range.upperBound)
        wakeUp.signal()
    }

    public func finish(within deadline: HostSeconds) throws -> ExchangeResult {
        self.deadline = deadline
        let start = MonotonicInstant.now()
        let (lastContribution, sent) = try state.waitUntilSummed(step: step, deadline: deadline)
        let waiting = lastContribution.map { max(.zero, $0.elapsed(since: start)) } ?? .zero
        return ExchangeResult(waiting: waiting, sent: Bytes(sent))
    }
}

/// A value that one thread sets once and another waits for.
private final class Once<Value: Sendable>: Sendable {
    private let value = Mutex<(isSet: Bool, value: Value?)>((false, nil))
    private let semaphore = DispatchSemaphore(value: 0)

    /// Sets the value, or nil for none; only the first call counts.
    func set(_ new: Value?) {
        let isFirst = value.withLock { current in
            guard !current.isSet else { return false }
            current = (true, new)
            return true
        }
        if isFirst { semaphore.signal() }
    }

    /// Waits for the value.
    func wait() -> Value? {
        semaphore.wait()
        return value.withLock { $0.value }
    }
}
