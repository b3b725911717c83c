import Cluster
import Jobs
import PerformanceModel
import Testing

@Suite("Gradient exchange: routes")
struct ExchangeRouteTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var algorithm: CollectiveAlgorithm
        var workers: Int
        var lanes: Int
        var testDescription: String { "\(algorithm), \(workers) workers, \(lanes) lanes" }

        var shares: LaneShares {
            let tree = LaneTree(laneCount: lanes)
            return LaneShares(tree: tree, lanes: tree.shares(workerCount: workers))
        }

        /// The routes of all ranks, for each segment of a large and of a small bucket, and of many buckets.
        var routes: [[SegmentRoute]] {
            [(1 << 20, 4 << 20), (20, 4 << 20), (20 << 13, 1 << 15)].flatMap { elements, bucket in
                let buckets = GradientBuckets(elementCount: elements, bucket: Bytes(bucket))
                let plans = (0..<workers).map { ExchangePlan(algorithm, shares: shares, rank: $0, buckets: buckets) }
                return (0..<min(buckets.count, workers + 1)).flatMap { bucket in
                    let segments = plans.map { $0.segments(of: bucket) }
                    return segments[0].indices.map { index in segments.map { $0[index].route } }
                }
            }
        }
    }

    static let cases = CollectiveAlgorithm.allCases.flatMap { algorithm in
        (1...9).flatMap { workers in
            [workers, workers + 3, 16, 21].map { Case(algorithm: algorithm, workers: workers, lanes: $0) }
        }
    }

    @Test("what one worker sends, another awaits, and nothing else", arguments: cases)
    func match(_ sample: Case) {
        for routes in sample.routes {
            for (rank, route) in routes.enumerated() {
                for peer in routes.indices where peer != rank {
                    let sent = route.shipments.filter { $0.receiver == peer }.map(\.node)
                    let awaited = routes[peer].awaited.filter { $0.value == rank }.map(\.key)
                    #expect(sent.sorted() == awaited.sorted(), "from \(rank) to \(peer)")
                }
                #expect(!route.shipments.contains { $0.receiver == rank })
            }
        }
    }

    @Test("with lanes in powers of two as much travels as textbooks say", arguments: [2, 4, 8])
    func carried(workers: Int) {
        // Each gradient once to where it is summed and the total once to each other, or a gradient to each of two.
        let total = 2 * Double(workers - 1)
        for algorithm in CollectiveAlgorithm.allCases {
            let carried = HostExchange(algorithm, lanes: 2 * workers, workers: workers).carried
            // A ring carries sums that the lane tree can't join yet.
            let most = algorithm == .ring ? total * Double(2 * (workers.bitWidth - workers.leadingZeroBitCount)) : total
            #expect(carried >= total - 1e-9 && carried <= most + 1e-9, "\(algorithm): \(carried)")
        }
    }

    /// Explores random interleavings: whatever the order in which frames arrive, all workers end, none awaits anything,
    /// and all have the same expression of additions. Seeds make a failure happen again.
    @Test("in whatever order frames arrive, all end with the lane tree's sum", arguments: cases)
    func interleavings(_ sample: Case) throws {
        let shares = sample.shares
        let expected = expression(shares.tree.root, shares.tree)
        for routes in sample.routes {
            for seed in UInt64(0)..<8 {
                var random = SplitMix(state: seed)
                var ledgers = routes.map { SegmentLedger<String>($0, tree: shares.tree) }
                var delivered = Array(repeating: "", count: routes.count)
                var flying: [(node: LaneTree.Node, sum: String, sender: Int, receiver: Int)] = []
                var silent = Array(routes.indices)
                while !flying.isEmpty || !silent.isEmpty {
                    let choice = Int.random(in: 0..<flying.count + silent.count, using: &random)
                    let rank: Int
                    if choice < flying.count {
                        let frame = flying.remove(at: choice)
                        rank = frame.receiver
                        try #require(ledgers[rank].isAwaited(frame.node, from: frame.sender))
                        ledgers[rank].receive(frame.node, frame.sum)
                        #expect(!ledgers[rank].isAwaited(frame.node, from: frame.sender))
                    } else {
                        rank = silent.remove(at: choice - flying.count)
                        for node in shares.cover(rank) { ledgers[rank].add(node, expression(node, shares.tree)) }
                    }
                    while let action = ledgers[rank].next() {
                        switch action {
                        case .add(let node): ledgers[rank].add(node, try joined(node, shares.tree, ledgers[rank]))
                        case .send(let node, let sum, let receiver): flying.append((node, sum, rank, receiver))
                        case .deliver(let sum): delivered[rank] = sum
                        }
                    }
                }
                let areDone = ledgers.allSatisfy { $0.isDone }
                #expect(areDone)
                #expect(delivered.allSatisfy { $0 == expected })
            }
        }
    }

    /// The bytes that the busiest worker sends, in units of the gradient, for eight workers with a lane each.
    static let costs: [(algorithm: CollectiveAlgorithm, most: Double)] = [
        (.direct, 2.0 * 7 / 8), (.star, 7), (.tree, 3),
        // At most 2 log2 n sums a hop in the first round, one in the second.
        (.ring, 2.0 * 3 * 7 / 8 + 7.0 / 8),
    ]

    @Test("an algorithm costs what its documentation says", arguments: costs)
    func cost(_ algorithm: CollectiveAlgorithm, _ most: Double) {
        let shares = Case(algorithm: algorithm, workers: 8, lanes: 8).shares
        let busiest =
            (0..<8).map { rank in
                let plan = ExchangePlan(
                    algorithm, shares: shares, rank: rank,
                    buckets: GradientBuckets(elementCount: 1 << 20, bucket: Bytes(4 << 20)))
                return plan.segments(of: 0).reduce(0) { $0 + $1.elements.count * $1.route.shipments.count }
            }.max() ?? 0
        let gradients = Double(busiest) / Double(1 << 20)
        if algorithm == .ring { #expect(gradients <= most) } else { #expect(gradients == most) }
    }

    @Test("with many buckets every worker sums as many as any other", arguments: [3, 4, 7])
    func turns(workers: Int) {
        let shares = Case(algorithm: .direct, workers: workers, lanes: 8).shares
        let buckets = GradientBuckets(elementCount: 4 * workers << 18, bucket: Bytes(1 << 20))
        for rank in 0..<workers {
            let plan = ExchangePlan(.direct, shares: shares, rank: rank, buckets: buckets)
            let sums = (0..<buckets.count).filter { bucket in
                plan.segments(of: bucket).contains { $0.route.awaited.count > 1 }
            }
            #expect(sums.count == 4)
        }
    }

    private func expression(_ node: LaneTree.Node, _ tree: LaneTree) -> String {
        guard let (left, right) = tree.children(of: node) else { return "\(node.lanes.lowerBound)" }
        return "(\(expression(left, tree))+\(expression(right, tree)))"
    }

    private func joined(_ node: LaneTree.Node, _ tree: LaneTree, _ ledger: SegmentLedger<String>) throws -> String {
        if let sum = ledger.sum(over: node) { return sum }
        let (left, right) = try #require(tree.children(of: node))
        return "(\(try joined(left, tree, ledger))+\(try joined(right, tree, ledger)))"
    }
}

/// SplitMix64 (Steele et al. 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
