import Cluster
import Jobs
import PerformanceModel

/// An emulated cluster whose clock is a number: the workers' own plans and ledgers decide what is sent, the fabric's queues
/// when it arrives, and devices take their schedules' time. No socket, thread or host clock has a part in it.
struct VirtualCluster {
    private struct Frame {
        let step: Int
        let receiver: Int
        let bucket: Int
        let segment: Int
        let node: LaneTree.Node
    }

    private struct Worker {
        var step = 0
        var start = 0.0
        var released = 0
        /// The ledgers of the step, bucket by bucket.
        var ledgers: [[SegmentLedger<Int>]] = []
        /// What came before the step that it is of.
        var parked: [Frame] = []
        /// When the update of the step ends; nil while the sum is not there.
        var end: Double?
        var durations: [Double] = []
    }

    private let cluster: EmulatedCluster
    private let exchange: EmulatedStepReplay.Exchange
    private let tree: LaneTree
    private let shares: LaneShares
    private let plans: [ExchangePlan]
    private var queues: FabricQueues
    private var frames: [Frame] = []
    private var workers: [Worker] = []
    private let steps: Int

    /// Nanoseconds of the queues' clock for each emulated second: as fine as it gets.
    private static let origin = MonotonicInstant(nanoseconds: 1_000_000_000)

    init(_ cluster: EmulatedCluster, _ exchange: EmulatedStepReplay.Exchange, steps: Int) {
        self.cluster = cluster
        self.exchange = exchange
        self.steps = steps
        tree = LaneTree(laneCount: exchange.laneCounts.reduce(0, +))
        shares = LaneShares(tree: tree, lanes: tree.shares(counts: exchange.laneCounts))
        let buckets = GradientBuckets(elementCount: exchange.elements, bucket: Bytes(4 * exchange.bucketElements))
        plans = exchange.laneCounts.indices.map { [shares] in
            ExchangePlan(exchange.algorithm, shares: shares, rank: $0, buckets: buckets)
        }
        queues = FabricQueues(cluster.network.links, dilation: 1)
        workers = exchange.laneCounts.map { _ in Worker() }
        for worker in workers.indices { begin(worker, at: 0) }
    }

    /// The mean over workers of the last step's time.
    mutating func lastStep() -> Double {
        while let (time, worker) = nextOwnEvent() {
            if let next = queues.next.map({ $0.elapsed(since: Self.origin).seconds }), next < time {
                for delivery in queues.advance(to: Self.origin.advanced(by: HostSeconds(next))) {
                    take(frames[delivery.frame], at: delivery.due.elapsed(since: Self.origin).seconds)
                }
            } else if let worker {
                act(worker, at: time)
            } else {
                break
            }
        }
        return workers.map { $0.durations.last ?? .infinity }.reduce(0, +) / Double(workers.count)
    }

    /// When a worker next does something by itself; the end of time where only frames are awaited.
    private func nextOwnEvent() -> (time: Double, worker: Int?)? {
        var first: (time: Double, worker: Int?)?
        for (index, worker) in workers.enumerated() where worker.durations.count < steps {
            let time = worker.end ?? (worker.released < plans[index].buckets.count ? ready(index) : .infinity)
            if time < first?.time ?? .infinity { first = (time, index) }
        }
        let isOver = workers.allSatisfy { $0.durations.count == steps }
        return first ?? (isOver || queues.next == nil ? nil : (.infinity, nil))
    }

    /// When the device has computed the next bucket.
    private func ready(_ index: Int) -> Double {
        let last = plans[index].buckets[workers[index].released].upperBound
        return workers[index].start
            + cluster.schedules[0][index].seconds(untilFinal: Double(last) / Double(exchange.elements))
    }

    private mutating func begin(_ index: Int, at time: Double) {
        workers[index].start = time
        workers[index].released = 0
        workers[index].end = nil
        let plan = plans[index]
        workers[index].ledgers = (0..<plan.buckets.count).map { bucket in
            plan.segments(of: bucket).map { SegmentLedger($0.route, tree: tree) }
        }
        let parked = workers[index].parked
        workers[index].parked = []
        for frame in parked { take(frame, at: time) }
    }

    private mutating func act(_ index: Int, at time: Double) {
        if workers[index].end != nil {
            workers[index].durations.append(time - workers[index].start)
            workers[index].step += 1
            if workers[index].durations.count < steps { begin(index, at: time) }
            return
        }
        let bucket = workers[index].released
        workers[index].released += 1
        for segment in workers[index].ledgers[bucket].indices {
            for node in shares.cover(index) { workers[index].ledgers[bucket][segment].add(node, 0) }
            advance(index, bucket, segment, at: time)
        }
        finishIfSummed(index, at: time)
    }

    private mutating func take(_ frame: Frame, at time: Double) {
        let index = frame.receiver
        guard frame.step == workers[index].step, workers[index].durations.count < steps else {
            workers[index].parked.append(frame)
            return
        }
        workers[index].ledgers[frame.bucket][frame.segment].receive(frame.node, 0)
        advance(index, frame.bucket, frame.segment, at: time)
        finishIfSummed(index, at: time)
    }

    private mutating func advance(_ index: Int, _ bucket: Int, _ segment: Int, at time: Double) {
        let elements = plans[index].segments(of: bucket)[segment].elements.count
        while let action = workers[index].ledgers[bucket][segment].next() {
            switch action {
            case .add(let node): workers[index].ledgers[bucket][segment].add(node, 0)
            case .deliver: break
            case .send(let node, _, let receiver):
                queues.send(
                    frames.count, bytes: Double(elements) * exchange.elementBytes,
                    over: cluster.network.route(from: index, to: receiver),
                    at: Self.origin.advanced(by: HostSeconds(time)))
                frames.append(
                    Frame(
                        step: workers[index].step, receiver: receiver, bucket: bucket, segment: segment, node: node))
            }
        }
    }

    private mutating func finishIfSummed(_ index: Int, at time: Double) {
        guard workers[index].end == nil, workers[index].ledgers.allSatisfy({ $0.allSatisfy(\.isDone) }) else { return }
        workers[index].end = time + cluster.schedules[0][index].updateSeconds
    }
}
