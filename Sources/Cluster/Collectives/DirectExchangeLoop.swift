import CZeroMQ
import Jobs
import Kernels
import Messaging
import Wire

/// The exchange's own thread: sends what is ready, sums what arrives, and tells the computing thread when all is there.
struct DirectExchangeLoop: ~Copyable {
    private let setup: DirectExchange.Setup
    private let memory: DirectExchange.Memory
    private let state: ExchangeState
    private let buckets: GradientBuckets
    private let covers: [[LaneTree.Node]]
    private var outboxes: [OutboxSlot]
    private var step: StepNumber?
    private var progress: StepProgress
    /// Frames of the next step, from peers that are ahead.
    private var early: [(ExchangeHeader, Frame)] = []

    private final class OutboxSlot {
        let socket: Socket
        init(_ socket: consuming Socket) { self.socket = socket }
    }

    /// What is done of one step.
    private struct StepProgress {
        var sentBuckets = 0
        var sums: [SegmentSum]
        /// Received frames whose memory the sums use.
        var held: [[Frame]]
        var joined: [Bool]
        var totalsMissing: [Set<Int>]
        var firstOpen = 0
        var lastContribution: MonotonicInstant?
        var sent = 0

        func isDone(_ bucket: Int) -> Bool { joined[bucket] && totalsMissing[bucket].isEmpty }
    }

    /// A loop that connects to every peer.
    init(
        _ setup: DirectExchange.Setup, memory: DirectExchange.Memory, in context: Context, state: ExchangeState
    ) throws(MessagingError) {
        self.setup = setup
        self.memory = memory
        self.state = state
        buckets = GradientBuckets(
            elementCount: memory.gradient.count, bucket: setup.bucket, workerCount: setup.peers.count)
        covers = setup.peers.map { setup.tree.cover(of: $0.lanes) }
        outboxes = []
        for peer in setup.peers {
            var options = Socket.Options()
            options.highWaterMark = 0
            options.largestFrame = -1
            let socket = try Socket(.push, in: context, options: options)
            if peer.rank != setup.rank { try socket.connect(to: try Endpoint(peer.endpoint)) }
            outboxes.append(OutboxSlot(socket))
        }
        progress = Self.fresh(setup, buckets, covers)
    }

    private static func fresh(
        _ setup: DirectExchange.Setup, _ buckets: GradientBuckets, _ covers: [[LaneTree.Node]]
    ) -> StepProgress {
        let nodes = covers.flatMap { $0 }
        let own = setup.rank.index
        let sums = buckets.buckets.indices.map { bucket in
            SegmentSum(tree: setup.tree, nodes: nodes, count: buckets.segment(of: bucket, rank: own).count)
        }
        let totals = buckets.buckets.indices.map { bucket in
            Set(setup.peers.indices.filter { $0 != own && !buckets.segment(of: bucket, rank: $0).isEmpty })
        }
        return StepProgress(
            sums: sums, held: Array(repeating: [], count: sums.count),
            joined: Array(repeating: false, count: sums.count),
            totalsMissing: totals)
    }

    /// Runs until the exchange is closed.
    mutating func run(inbox: borrowing Socket, wakeUp: WakeUp) throws(MessagingError) {
        var items = [inbox.pollItem, wakeUp.pollItem]
        while !state.isClosing {
            guard zmq_poll(&items, 2, -1) >= 0 || zmq_errno() == EINTR else {
                throw .call("zmq_poll", reason: "errno \(zmq_errno())")
            }
            wakeUp.clear()
            do throws(ExchangeError) {
                try advance()
                try receive(from: inbox)
            } catch {
                throw .call("exchange", reason: error.description)
            }
        }
    }

    // MARK: - Sending

    private mutating func advance() throws(ExchangeError) {
        guard let (current, ready) = state.contribution else { return }
        if step != current {
            step = current
            progress = Self.fresh(setup, buckets, covers)
            let waiting = early
            early = []
            for (header, payload) in waiting { try take(header, payload) }
        }
        while progress.sentBuckets < buckets.buckets.count,
            buckets.buckets[progress.sentBuckets].upperBound <= ready
        {
            try contribute(progress.sentBuckets, step: current)
            progress.sentBuckets += 1
        }
        report()
    }

    private mutating func contribute(_ bucket: Int, step: StepNumber) throws(ExchangeError) {
        for (peer, outbox) in outboxes.enumerated() {
            let segment = buckets.segment(of: bucket, rank: peer)
            if segment.isEmpty { continue }
            for (node, elements) in memory.partialSums {
                if peer == setup.rank.index {
                    guard let start = elements.baseAddress else { continue }
                    _ = progress.sums[bucket].add(node, start + segment.lowerBound)
                } else {
                    try send(.partialSum, elements, segment, node.lanes, bucket: bucket, step: step, to: outbox)
                }
            }
        }
        try joinIfComplete(bucket, step: step)
    }

    private mutating func send(
        _ kind: ExchangeHeader.Kind, _ elements: UnsafeMutableBufferPointer<Float>, _ segment: Range<Int>,
        _ lanes: Range<Int>, bucket: Int, step: StepNumber, to outbox: OutboxSlot
    ) throws(ExchangeError) {
        let header = ExchangeHeader(
            run: setup.run, epoch: setup.epoch, step: step, bucket: bucket, sender: setup.rank, kind: kind,
            elements: segment, lanes: lanes)
        let bytes = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: elements[segment]))
        state.lend()
        let frame: Frame
        do {
            frame = try Frame(borrowing: bytes) { [state] in state.takeBack() }
        } catch {
            state.takeBack()
            throw .ended(reason: error.description)
        }
        guard outbox.socket.send(header: header.encoded(), payload: frame) else {
            throw .ended(reason: "a peer takes no frames")
        }
        progress.sent += bytes.count
    }

    private mutating func joinIfComplete(_ bucket: Int, step: StepNumber) throws(ExchangeError) {
        let segment = buckets.segment(of: bucket, rank: setup.rank.index)
        guard progress.sums[bucket].isComplete || segment.isEmpty, !progress.joined[bucket] else { return }
        progress.joined[bucket] = true
        if !segment.isEmpty, let gradient = memory.gradient.baseAddress {
            progress.sums[bucket].join(into: gradient + segment.lowerBound)
            progress.held[bucket] = []
            for (peer, outbox) in outboxes.enumerated() where peer != setup.rank.index {
                try send(.total, memory.gradient, segment, 0..<0, bucket: bucket, step: step, to: outbox)
            }
        }
    }

    // MARK: - Receiving

    private mutating func receive(from inbox: borrowing Socket) throws(ExchangeError) {
        while true {
            let frames: (header: Frame, payload: Frame?)?
            do {
                frames = try inbox.receivePair()
            } catch {
                throw .ended(reason: error.description)
            }
            guard let (headerFrame, payload) = frames else { break }
            let header: ExchangeHeader
            do {
                header = try ExchangeHeader(decoding: UnsafeRawBufferPointer(headerFrame.bytes))
            } catch {
                throw .frame(step: step ?? StepNumber(0), reason: error.description)
            }
            guard let payload else { throw refusal(header, "it came without its numbers") }
            try take(header, payload)
        }
        report()
    }

    private mutating func take(_ header: ExchangeHeader, _ payload: Frame) throws(ExchangeError) {
        guard header.run == setup.run, header.epoch == setup.epoch else {
            throw refusal(
                header,
                "it belongs to run \(header.run), epoch \(header.epoch); this is \(setup.run), epoch \(setup.epoch)")
        }
        guard let step, header.step == step else {
            // A peer may be one step ahead, never more: its next step needs this worker's gradient.
            guard header.step == (step?.next ?? header.step) else {
                throw refusal(header, "it is of step \(header.step)")
            }
            early.append((header, payload))
            return
        }
        guard setup.peers.indices.contains(header.sender.index), header.sender != setup.rank,
            buckets.buckets.indices.contains(header.bucket)
        else { throw refusal(header, "there is no such sender or bucket") }
        let owner = header.kind == .total ? header.sender.index : setup.rank.index
        guard header.elements == buckets.segment(of: header.bucket, rank: owner),
            payload.bytes.count == header.elements.count * MemoryLayout<Float>.stride,
            let start = payload.bytes.baseAddress?.assumingMemoryBound(to: Float.self)
        else { throw refusal(header, "\(payload.bytes.count) bytes for elements \(header.elements)") }
        switch header.kind {
        case .introduction: return
        case .partialSum:
            let node = LaneTree.Node(lanes: header.lanes)
            guard covers[header.sender.index].contains(node), progress.sums[header.bucket].add(node, start) else {
                throw refusal(header, "the sum over lanes \(header.lanes) is not awaited from it")
            }
            progress.held[header.bucket].append(payload)
            progress.lastContribution = .now()
            try joinIfComplete(header.bucket, step: step)
        case .total:
            guard progress.totalsMissing[header.bucket].remove(header.sender.index) != nil,
                let gradient = memory.gradient.baseAddress
            else { throw refusal(header, "its total is not awaited") }
            Vector.copy(into: gradient + header.elements.lowerBound, from: start, count: header.elements.count)
        }
    }

    private func refusal(_ header: ExchangeHeader, _ reason: String) -> ExchangeError {
        .frame(
            step: step ?? header.step, reason: "a frame of worker \(header.sender), bucket \(header.bucket): \(reason)")
    }

    // MARK: - Telling the computing thread

    private mutating func report() {
        guard let step else { return }
        while progress.firstOpen < buckets.buckets.count, progress.isDone(progress.firstOpen) {
            progress.firstOpen += 1
        }
        let bucket = progress.firstOpen
        let isSummed = bucket == buckets.buckets.count
        state.note(
            step, lastContribution: progress.lastContribution, sent: progress.sent,
            awaited: isSummed ? [] : missing(of: bucket), bucket: bucket, isSummed: isSummed)
    }

    /// The ranks from which something of bucket `bucket` is missing.
    private func missing(of bucket: Int) -> [Int] {
        let partial = progress.joined[bucket] ? [] : progress.sums[bucket].missing
        let late = setup.peers.indices.filter { peer in covers[peer].contains { partial.contains($0) } }
        return Set(late).union(progress.totalsMissing[bucket]).sorted()
    }
}
