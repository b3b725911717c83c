import Cluster
import Jobs
import Kernels
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
        var encoding = SumEncoding.float32

        var testDescription: String {
            "\(algorithm), \(workers) workers, \(lanes) lanes, \(elements) elements, buckets of \(bucket) bytes"
                + (isShared ? ", shared" : "") + (encoding == .float32 ? "" : ", \(encoding)")
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

    /// With lanes' numbers up to 1024, the sum over eight lanes fits fp16 at this scale.
    private static let encodings: [SumEncoding] = [.half(.bfloat16), .half(.float16(scale: 4)), .nonZeros]

    static let compressedCases: [Case] = CollectiveAlgorithm.allCases.flatMap { algorithm in
        encodings.flatMap { encoding in
            [(2, false), (3, true), (4, false), (5, false), (8, false)].map { workers, isShared in
                Case(
                    algorithm: algorithm, workers: workers, lanes: workers == 3 ? 11 : 8, elements: 100_003,
                    bucket: workers << 14, steps: 3, isShared: isShared, encoding: encoding)
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

    @Test("so it is with sums that are rounded, or whose zeros don't travel", arguments: compressedCases)
    func compressed(_ sample: Case) async throws { try await run(sample) }

    @Test(
        "what travels through sockets is counted, and what it would have been as f32", arguments: encodings + [.float32]
    )
    func bytes(encoding: SumEncoding) async throws {
        let sample = Case(
            algorithm: .direct, workers: 4, lanes: 8, elements: 300_001, bucket: 1 << 18, steps: 2, encoding: encoding)
        let results = try await run(sample)
        for result in results {
            // Each worker's one sum goes to the owners of three quarters, and its quarter's total to three peers; buckets
            // are dealt whole, so that a worker may own up to one more than another.
            let whole = 1.5 * 4 * Double(sample.elements)
            #expect(abs(Double(result.uncompressed.count) / whole - 1) < 0.15, "\(result)")
            let share = Double(result.sent.count) / Double(result.uncompressed.count)
            switch encoding {
            case .float32: #expect(share == 1)
            case .half: #expect(share == 0.5)
            // Bits for all, and of two lanes' 1/16 each, or of eight lanes'.
            case .nonZeros: #expect(0.14...0.5 ~= share, "\(share)")
            }
        }
    }

    /// Every worker overwrites all of its memory as soon as `finish` has returned.
    @discardableResult
    private func run(_ sample: Case) async throws -> [ExchangeResult] {
        let group = try ExchangeGroup(lanes: sample.lanes)
        let shares = group.tree.shares(workerCount: sample.workers)
        let nodes = shares.flatMap { group.tree.cover(of: $0) }
        let (parts, totals) = reference(sample, group.tree, nodes)
        let end = Rendezvous(of: sample.workers)
        let outcomes = try await onThreads(sample.workers) { rank in
            let exchange = try PeerExchange(listeningAt: group.endpoint(rank), in: group.context)
            defer { exchange.close() }
            let memory = group.memory(shares[rank], count: sample.elements, isShared: sample.isShared)
            try exchange.join(
                group.setup(
                    rank, shares, algorithm: sample.algorithm, encoding: sample.encoding, bucket: Bytes(sample.bucket)),
                memory: memory.memory)
            var wrong: [Int] = []
            var result: ExchangeResult?
            for step in 0..<sample.steps {
                memory.fill(parts[step % parts.count])
                try exchange.begin(StepNumber(step))
                let half = sample.elements / 2
                if half > 0 { try exchange.contribute(0..<half) }
                try exchange.contribute(half..<sample.elements)
                result = try exchange.finish(within: HostSeconds(60))
                if Array(memory.gradient).bits != totals[step % parts.count].bits { wrong.append(step) }
                memory.overwrite()
            }
            end.wait()
            return (wrong, result)
        }
        let wrong = outcomes.map(\.0)
        let isRight = wrong.allSatisfy { $0.isEmpty }
        #expect(isRight, "steps with another sum, by worker: \(wrong)")
        return outcomes.compactMap(\.1)
    }

    private func reference(
        _ sample: Case, _ tree: LaneTree, _ nodes: [LaneTree.Node]
    ) -> (parts: [[LaneTree.Node: [Float]]], totals: [[Float]]) {
        let sums = (0..<2).map { PlainSum(tree: tree, count: sample.elements, step: $0, encoding: sample.encoding) }
        return (
            sums.map { sum in Dictionary(uniqueKeysWithValues: nodes.map { ($0, sum.sum(over: $0)) }) },
            sums.map { $0.sum(over: tree.root) }
        )
    }
}
