import Jobs
import Kernels
import Messaging
import Wire

/// The exchange with one set of peers: sends what is ready, adds up what arrives. Confined to the exchange's thread.
final class ExchangeSession {
    /// What becomes of a sum that has come.
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
    private let scratch: ScratchPool
    private let coder: SumCoder
    private let returns: LoanReturns
    private var peerMemory = PeerMemory()
    private var treeSum: TreeSum
    private var step: StepNumber?
    /// When the step began. What peers sent before was not looked at until then.
    private var begun = MonotonicInstant(nanoseconds: 0)
    private var buckets: [[Segment]] = []
    /// Buckets that are filled, and what of the contributions has been used up by them.
    private var contributed = 0
    private var usedContributions = 0
    private var progress = ExchangeState.Progress()

    /// A segment and how far it is.
    private struct Segment {
        let elements: Range<Int>
        var ledger: SegmentLedger<PartialSum>
        /// When its last sum was sent: the next one leaves no sooner.
        var sent = MonotonicInstant(nanoseconds: 0)
    }

    /// Where a sum that has come belongs.
    private struct Place {
        let bucket: Int
        let index: Int
        let node: LaneTree.Node
        let sender: Int
    }

    /// A session that sends through `outboxes`, which are connected to the peers of `setup`. Made on the exchange's thread,
    /// which `wakeUp` wakes.
    init(
        _ setup: PeerExchange.Setup, memory: PeerExchange.Memory, outboxes: Outboxes, wakeUp: WakeUp,
        state: ExchangeState
    ) {
        self.setup = setup
        self.memory = memory
        self.outboxes = outboxes
        self.state = state
        places = Dictionary(uniqueKeysWithValues: setup.peers.enumerated().map { ($1.rank, $0) })
        plan = ExchangePlan(
            setup.algorithm, shares: setup.shares, rank: setup.place,
            buckets: GradientBuckets(elementCount: memory.gradient.count, bucket: setup.bucket))
        scratch = ScratchPool(pieceSize: plan.buckets.bucketSize, isShared: memory.gradient.shared != nil)
        coder = SumCoder(setup.encoding, scratch: scratch)
        returns = LoanReturns(wakeUp: wakeUp)
        treeSum = TreeSum(tree: setup.tree, roundedTo: setup.encoding.rounding)
        outboxes.begin(coder)
    }

    // MARK: - Own gradient

    /// Makes ready for `step`, which began at `instant`; false where that is the present one.
    func begin(_ step: StepNumber, at instant: MonotonicInstant) -> Bool {
        guard self.step != step else { return false }
        self.step = step
        begun = instant
        contributed = 0
        usedContributions = 0
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

    /// Takes this worker's own partial sums of all elements that `contributions`, the step's so far, have made final.
    ///
    /// - Throws: `MessagingError` where libzmq fails.
    func contribute(_ contributions: [ExchangeState.Contribution]) throws(MessagingError) {
        let filled = plan.buckets.filled(upTo: contributions.last?.end ?? 0)
        while contributed < filled {
            let bucket = contributed
            contributed += 1
            while contributions[usedContributions].end < plan.buckets[bucket].upperBound { usedContributions += 1 }
            let instant = contributions[usedContributions].instant
            for index in buckets[bucket].indices {
                let first = buckets[bucket][index].elements.lowerBound
                for (node, elements) in memory.partialSums {
                    var sum = PartialSum(in: elements, from: first)
                    sum.instant = instant
                    buckets[bucket][index].ledger.add(node, sum)
                }
                try advance(bucket, index)
            }
        }
    }

    // MARK: - Peers' gradients

    /// Takes a peer's sum, if it has a place in this step.
    ///
    /// - Throws: `MessagingError` where libzmq fails.
    func take(_ arrival: ExchangeArrival) throws(MessagingError) -> Reception {
        let place: Place
        switch find(arrival.header) {
        case .success(let found): place = found
        case .failure(.early): return .early
        case .failure(.none(let reason)): return .refused(reason: reason)
        }
        var sum: PartialSum
        switch read(arrival, at: place) {
        case .success(let numbers): sum = numbers
        case .failure(.unreadable): return .taken
        case .failure(.wrong(let reason)): return .refused(reason: reason)
        }
        sum.instant = max(begun, min(arrival.header.instant, arrival.instant))
        buckets[place.bucket][place.index].ledger.receive(place.node, sum)
        progress.awaited[place.sender] -= 1
        progress.lateness = max(progress.lateness, arrival.lateness)
        if place.node != setup.tree.root { progress.lastContribution = arrival.instant }
        try advance(place.bucket, place.index)
        return .taken
    }

    private enum Misfit: Error {
        case early
        case none(reason: String)
    }

    private func find(_ header: ExchangeHeader) -> Result<Place, Misfit> {
        guard header.run == setup.run else {
            return .failure(.none(reason: "\(header.name) is of another run than \(setup.run)"))
        }
        guard header.epoch >= setup.epoch else {
            return .failure(
                .none(reason: "\(header.name) is of epoch \(header.epoch), which is over; this is \(setup.epoch)"))
        }
        guard header.epoch == setup.epoch, let step else { return .failure(.early) }
        guard header.step == step else {
            // A peer may be one step ahead, never more: its next step needs this worker's gradient.
            return .failure(header.step == step.next ? .early : .none(reason: "\(header.name) comes in step \(step)"))
        }
        let (bucket, node) = (header.bucket, LaneTree.Node(lanes: header.lanes))
        guard buckets.indices.contains(bucket),
            let index = buckets[bucket].firstIndex(where: { $0.elements == header.elements })
        else {
            return .failure(
                .none(reason: "\(header.name) holds elements \(header.elements), which are no segment"))
        }
        guard let sender = places[header.sender], buckets[bucket][index].ledger.isAwaited(node, from: sender) else {
            return .failure(
                .none(reason: "\(header.name) holds a sum over lanes \(header.lanes) that is not awaited from it"))
        }
        return .success(Place(bucket: bucket, index: index, node: node, sender: sender))
    }

    private enum Unread: Error {
        /// The sender is told to send the numbers.
        case unreadable
        case wrong(reason: String)
    }

    /// The sum that has arrived. A total goes into the gradient at once, and on to others from there: so whoever sent it has
    /// it back early.
    private func read(_ arrival: ExchangeArrival, at place: Place) -> Result<PartialSum, Unread> {
        let elements = arrival.header.elements
        let total = memory.gradient.pointer + elements.lowerBound
        let isTotal = place.node == setup.tree.root
        switch arrival.content {
        case .numbers(let frame):
            let sum: PartialSum?
            if isTotal {
                let isRead = coder.decode(frame, count: elements.count, into: total)
                sum = isRead ? PartialSum(in: memory.gradient, from: elements.lowerBound) : nil
            } else {
                sum = coder.decode(frame, count: elements.count)
            }
            return sum.map(Result.success)
                ?? .failure(
                    .wrong(
                        reason: "\(arrival.header.name) has \(frame.bytes.count) bytes; \(elements.count) numbers were "
                            + "announced"))
        case .loan(let number, let lent):
            return borrow(number, lent, arrival.header, from: place.sender).map { sum in
                guard isTotal else { return sum }
                Vector.copy(into: total, from: sum.start, count: elements.count)
                return PartialSum(in: memory.gradient, from: elements.lowerBound)
            }
        }
    }

    /// The sum that the peer at place `sender` lends at `place` of its memory, as f32.
    private func borrow(
        _ number: UInt64, _ place: MemoryPlace, _ header: ExchangeHeader, from sender: Int
    ) -> Result<PartialSum, Unread> {
        let view: SharedMemoryView
        do throws(SharedMemoryError) {
            view = try peerMemory.view(of: place.sharedMemory)
        } catch {
            returns.refuse(number, to: sender, reason: error.description)
            return .failure(.unreadable)
        }
        let count = header.elements.count
        guard let start = view.numbers(from: place.firstByte, count: count) else {
            return .failure(
                .wrong(
                    reason:
                        "\(header.name) lends \(count) numbers from byte \(place.firstByte) of \(place.memory.count)"
                ))
        }
        let loan = BorrowedSum(number, of: sender, in: view, returns: returns)
        return .success(PartialSum(at: start, of: loan, place: place))
    }

    // MARK: - Loans

    /// Takes back what a peer has read; the reason where it has nothing to return.
    ///
    /// - Throws: `MessagingError` where libzmq fails.
    func takeBack(_ returned: LoansReturned) throws(MessagingError) -> String? {
        // Loans of an earlier membership have ended with it.
        guard returned.run != setup.run || returned.epoch == setup.epoch else { return nil }
        guard returned.run == setup.run, let reader = places[returned.sender] else {
            return "worker \(returned.sender) of run \(returned.run) returns loans, and is no peer"
        }
        if try outboxes.takeBack(returned, from: reader) {
            setup.notify(
                "worker \(returned.sender) can't read the memory of worker \(setup.rank) (\(returned.reason)): "
                    + "gradients are sent to it through its socket instead")
        }
        return nil
    }

    /// Returns to peers what has been read.
    ///
    /// - Throws: `MessagingError` where libzmq fails.
    func returnLoans() throws(MessagingError) {
        try outboxes.giveBack(returns, run: setup.run, epoch: setup.epoch, sender: setup.rank)
    }

    // MARK: - Sums

    private func advance(_ bucket: Int, _ index: Int) throws(MessagingError) {
        let elements = buckets[bucket][index].elements
        while let action = buckets[bucket][index].ledger.next() {
            switch action {
            case .add(let node):
                buckets[bucket][index].ledger.add(node, add(node, buckets[bucket][index]))
            case .send(let node, let sum, let receiver):
                buckets[bucket][index].sent = max(buckets[bucket][index].sent, sum.instant)
                try send(
                    node, sum, elements, bucket: bucket, to: receiver, at: buckets[bucket][index].sent)
            case .deliver(let sum):
                if setup.isEmulated { progress.completed = max(progress.completed ?? sum.instant, sum.instant) }
                let gradient = memory.gradient.pointer + elements.lowerBound
                guard sum.start != UnsafePointer(gradient) else { continue }
                Vector.copy(into: gradient, from: sum.start, count: elements.count)
            }
        }
    }

    /// The total is made where it belongs, any other sum in memory of its own.
    private func add(_ node: LaneTree.Node, _ segment: Segment) -> PartialSum {
        var sum: PartialSum
        let target: UnsafeMutablePointer<Float>
        if node == setup.tree.root {
            target = memory.gradient.pointer + segment.elements.lowerBound
            sum = PartialSum(in: memory.gradient, from: segment.elements.lowerBound)
        } else {
            let piece = scratch.take()
            target = piece.pointer
            sum = PartialSum(in: piece)
        }
        treeSum.write(node, into: target, count: segment.elements.count) { node in
            guard let part = segment.ledger.sum(over: node) else { return nil }
            sum.instant = max(sum.instant, part.instant)
            return part.start
        }
        return sum
    }

    private func send(
        _ node: LaneTree.Node, _ sum: PartialSum, _ elements: Range<Int>, bucket: Int, to receiver: Int,
        at instant: MonotonicInstant
    ) throws(MessagingError) {
        guard let step else { return }
        let header = ExchangeHeader(
            run: setup.run, epoch: setup.epoch, step: step, bucket: bucket, sender: setup.rank, elements: elements,
            lanes: node.lanes, instant: setup.isEmulated ? instant : MonotonicInstant(nanoseconds: 0))
        let bytes = elements.count * MemoryLayout<Float>.stride
        let isLent = bytes >= PeerExchange.smallestLoan.count ? try outboxes.lend(header, sum, to: receiver) : false
        // What a peer reads in this worker's memory, it reads as f32.
        progress.sent += isLent ? bytes : try outboxes.send(header, sum, to: receiver)
        progress.uncompressed += bytes
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
