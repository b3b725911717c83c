import Cluster
import Jobs
import Testing

@Suite("Gradient exchange: sums")
struct ExchangeSumTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var algorithm: CollectiveAlgorithm
        var workers: Int
        var lanes: Int
        var elements: Int
        var bucket: Int
        var steps: Int
        var isShared = false

        var testDescription: String {
            "\(algorithm), \(workers) workers, \(lanes) lanes, \(elements) elements, buckets of \(bucket) bytes"
                + (isShared ? ", shared" : "")
        }
    }

    private static let smallGradients: [(elements: Int, bucket: Int)] = [
        (1, 4), (5, 4), (5, 1 << 20), (1_000, 4), (1_000, 1_024),
    ]

    static let smallCases: [Case] = CollectiveAlgorithm.allCases.flatMap { algorithm in
        [1, 2, 3, 4, 5, 8].flatMap { workers in
            smallGradients.map { gradient in
                Case(
                    algorithm: algorithm, workers: workers, lanes: workers == 3 ? 11 : 8,
                    elements: gradient.elements, bucket: gradient.bucket,
                    steps: gradient.elements > 4 * gradient.bucket ? 3 : 20)
            }
        }
    }

    static let largeCases: [Case] = CollectiveAlgorithm.allCases.flatMap { algorithm in
        [1, 2, 3, 4, 5, 8].flatMap { workers in
            [false, true].map { isShared in
                Case(
                    algorithm: algorithm, workers: workers, lanes: 8, elements: 1_000_003, bucket: workers << 18,
                    steps: 3, isShared: isShared)
            }
        }
    }

    @Test("every worker gets the lane tree's sum to the bit, step after step", arguments: smallCases)
    func small(_ sample: Case) async throws { try await run(sample) }

    @Test("so it is with gradients of many buckets", arguments: largeCases)
    func large(_ sample: Case) async throws { try await run(sample) }

    /// Every worker overwrites all of its memory as soon as `finish` has returned.
    private func run(_ sample: Case) async throws {
        let group = try ExchangeGroup(lanes: sample.lanes)
        let shares = group.tree.shares(workerCount: sample.workers)
        let nodes = shares.flatMap { group.tree.cover(of: $0) }
        let (parts, totals) = reference(sample, group.tree, nodes)
        let end = Rendezvous(of: sample.workers)
        let wrong = try await onThreads(sample.workers) { rank in
            let exchange = try PeerExchange(listeningAt: group.endpoint(rank), in: group.context)
            defer { exchange.close() }
            let memory = group.memory(shares[rank], count: sample.elements, isShared: sample.isShared)
            try exchange.join(
                group.setup(rank, shares, algorithm: sample.algorithm, bucket: Bytes(sample.bucket)),
                memory: memory.memory)
            var wrong: [Int] = []
            for step in 0..<sample.steps {
                memory.fill(parts[step % parts.count])
                try exchange.begin(StepNumber(step))
                let half = sample.elements / 2
                if half > 0 { try exchange.contribute(0..<half) }
                try exchange.contribute(half..<sample.elements)
                _ = try exchange.finish(within: HostSeconds(20))
                if Array(memory.gradient).bits != totals[step % parts.count].bits { wrong.append(step) }
                memory.overwrite()
            }
            end.wait()
            return wrong
        }
        let isRight = wrong.allSatisfy { $0.isEmpty }
        #expect(isRight, "steps with another sum, by worker: \(wrong)")
    }

    private func reference(
        _ sample: Case, _ tree: LaneTree, _ nodes: [LaneTree.Node]
    ) -> (parts: [[LaneTree.Node: [Float]]], totals: [[Float]]) {
        let sums = (0..<2).map { PlainSum(tree: tree, count: sample.elements, step: $0) }
        return (
            sums.map { sum in Dictionary(uniqueKeysWithValues: nodes.map { ($0, sum.sum(over: $0)) }) },
            sums.map { $0.sum(over: tree.root) }
        )
    }
}
