import Jobs
import Kernels
import Messaging
import Wire

/// The exchange with one set of peers: sends what is ready, adds up what arrives. Confined to the exchange's thread.
final class ExchangeSession {
    /// What becomes of a frame.
    enum Reception: Equatable {
        case taken
        /// It is of a step or membership to come.
        case early
        case refused(reason: String)
    }

    private let setup: PeerExchange.Setup
    private let memory: PeerExchange.Memory
    private let state: ExchangeState
    private let plan: ExchangePlan
    private let outboxes: Outboxes
    /// The place of each worker among the peers: routes know places, frames the workers' own numbers.
    private let places: [WorkerRank: Int]
    private let scratch = ScratchPool()
    private var treeSum: TreeSum
    private var step: StepNumber?
    private var buckets: [[Segment]] = []
    private var contributed = 0
    private var progress = ExchangeState.Progress()

    /// A segment and how far it is.
    private struct Segment {
        let elements: Range<Int>
        var ledger: SegmentLedger<PartialSum>
    }

    /// A session that sends through `outboxes`, which are connected to the peers of `setup`.
    init(_ setup: PeerExchange.Setup, memory: PeerExchange.Memory, outboxes: Outboxes, state: ExchangeState) {
        self.setup = setup
        self.memory = memory
        self.outboxes = outboxes
        self.state = state
        places = Dictionary(uniqueKeysWithValues: setup.peers.enumerated().map { ($1.rank, $0) })
        plan = ExchangePlan(
            setup.algorithm, shares: setup.shares, rank: setup.place,
            buckets: GradientBuckets(elementCount: memory.gradient.count, bucket: setup.bucket))
        treeSum = TreeSum(tree: setup.tree)
    }

    // MARK: - Own gradient

    /// Makes ready for `step`; false where that is the present one.
    func begin(_ step: StepNumber) -> Bool {
        guard self.step != step else { return false }
        self.step = step
        contributed = 0
        progress = ExchangeState.Progress()
        progress.awaited = Array(repeating: 0, count: setup.peers.count)
        buckets = (0..<plan.buckets.count).map { bucket in
            plan.segments(of: bucket).map {
                Segment(elements: $0.elements, ledger: SegmentLedger($0.route, tree: setup.tree))
            }
        }
        for segment in buckets.joined() {
            for sender in segment.ledger.route.awaited.values { progress.awaited[sender] += 1 }
        }
        return true
    }

    /// Takes this worker's own partial sums of all elements before `end`.
    ///
    /// - Throws: `MessagingError` where libzmq fails.
    func contribute(upTo end: Int) throws(MessagingError) {
        let filled = plan.buckets.filled(upTo: end)
        while contributed < filled {
            let bucket = contributed
            contributed += 1
            for index in buckets[bucket].indices {
                let first = buckets[bucket][index].elements.lowerBound
                for (node, elements) in memory.partialSums {
                    guard let start = elements.baseAddress else { continue }
                    buckets[bucket][index].ledger.add(node, PartialSum(UnsafePointer(start + first)))
                }
                try advance(bucket, index)
            }
        }
    }

    // MARK: - Peers' gradients

    /// Takes a frame of a peer, if it has a place in this step.
    ///
    /// - Throws: `MessagingError` where libzmq fails.
    func take(_ header: ExchangeHeader, _ payload: Frame) throws(MessagingError) -> Reception {
        guard header.run == setup.run else {
            return .refused(reason: "\(header.name) is of another run than \(setup.run)")
        }
        guard header.epoch >= setup.epoch else {
            return .refused(reason: "\(header.name) is of epoch \(header.epoch), which is over; this is \(setup.epoch)")
        }
        guard header.epoch == setup.epoch, let step else { return .early }
        guard header.step == step else {
            // A peer may be one step ahead, never more: its next step needs this worker's gradient.
            return header.step == step.next ? .early : .refused(reason: "\(header.name) comes in step \(step)")
        }
        let (bucket, node) = (header.bucket, LaneTree.Node(lanes: header.lanes))
        guard buckets.indices.contains(bucket),
            let index = buckets[bucket].firstIndex(where: { $0.elements == header.elements })
        else { return .refused(reason: "\(header.name) holds elements \(header.elements), which are no segment") }
        guard let sender = places[header.sender], buckets[bucket][index].ledger.isAwaited(node, from: sender) else {
            return .refused(reason: "\(header.name) holds a sum over lanes \(header.lanes) that is not awaited from it")
        }
        guard payload.bytes.count == header.elements.count * MemoryLayout<Float>.stride,
            let start = payload.bytes.baseAddress?.assumingMemoryBound(to: Float.self)
        else {
            return .refused(
                reason:
                    "\(header.name) has \(payload.bytes.count) bytes; \(header.elements.count) numbers were announced")
        }
        buckets[bucket][index].ledger.receive(node, PartialSum(UnsafePointer(start), keptBy: payload))
        progress.awaited[sender] -= 1
        if node != setup.tree.root { progress.lastContribution = .now() }
        try advance(bucket, index)
        return .taken
    }

    // MARK: - Sums

    private func advance(_ bucket: Int, _ index: Int) throws(MessagingError) {
        let elements = buckets[bucket][index].elements
        while let action = buckets[bucket][index].ledger.next() {
            switch action {
            case .add(let node):
                buckets[bucket][index].ledger.add(node, add(node, buckets[bucket][index]))
            case .send(let node, let sum, let receiver):
                try send(node, sum, elements, bucket: bucket, to: receiver)
            case .deliver(let sum):
                guard let gradient = memory.gradient.baseAddress.map({ $0 + elements.lowerBound }),
                    sum.start != UnsafePointer(gradient)
                else { continue }
                Vector.copy(into: gradient, from: sum.start, count: elements.count)
            }
        }
    }

    /// The total is made where it belongs, any other sum in memory of its own.
    private func add(_ node: LaneTree.Node, _ segment: Segment) -> PartialSum {
        let count = segment.elements.count
        let sum: PartialSum
        let target: UnsafeMutablePointer<Float>
        if node == setup.tree.root, let gradient = memory.gradient.baseAddress {
            target = gradient + segment.elements.lowerBound
            sum = PartialSum(UnsafePointer(target))
        } else {
            let memory = scratch.take(count)
            target = memory.elements.pointer
            sum = PartialSum(UnsafePointer(target), keptBy: memory)
        }
        treeSum.write(node, into: target, count: count) { segment.ledger.sum(over: $0)?.start }
        return sum
    }

    private func send(
        _ node: LaneTree.Node, _ sum: PartialSum, _ elements: Range<Int>, bucket: Int, to receiver: Int
    ) throws(MessagingError) {
        guard let step else { return }
        let header = ExchangeHeader(
            run: setup.run, epoch: setup.epoch, step: step, bucket: bucket, sender: setup.rank, elements: elements,
            lanes: node.lanes)
        try outboxes.send(header, sum, to: receiver)
        progress.sent += elements.count * MemoryLayout<Float>.stride
    }

    // MARK: - Telling the computing thread

    /// Says how far the step is.
    func report() {
        guard let step else { return }
        while progress.openBucket < buckets.count, buckets[progress.openBucket].allSatisfy(\.ledger.isDone) {
            progress.openBucket += 1
        }
        progress.isSummed = progress.openBucket == buckets.count
        state.note(step, progress)
    }
}

extension ExchangeHeader {
    /// Names the frame in refusals.
    var name: String { "a frame of worker \(sender), step \(step), bucket \(bucket)" }
}
