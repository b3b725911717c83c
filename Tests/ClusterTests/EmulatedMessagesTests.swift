import Cluster
import Jobs
import PerformanceModel
import Testing

@Suite("What the replay of an emulation takes to be sent")
struct EmulatedMessagesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var algorithm: CollectiveAlgorithm
        var workers: Int
        var lanes: Int
        var elements: Int
        var bucket: Int
        var testDescription: String {
            "\(algorithm), \(workers) workers, \(lanes) lanes, \(elements) elements in buckets of \(bucket)"
        }
    }

    static let cases: [Case] = CollectiveAlgorithm.allCases.flatMap { algorithm in
        [(1, 4), (2, 8), (3, 11), (4, 8), (5, 16), (8, 8), (8, 16), (16, 16)].flatMap { workers, lanes in
            [(1_000, 1_024), (100_003, 8_192), (400_000, 4_096), (100_000, 100_000)].map {
                Case(algorithm: algorithm, workers: workers, lanes: lanes, elements: $0, bucket: $1)
            }
        }
    }

    private struct Sum: Hashable {
        var sender: Int
        var receiver: Int
        var elements: Int
    }

    @Test("it is what the workers' plan sends", arguments: cases)
    func sameMessages(_ sample: Case) {
        let tree = LaneTree(laneCount: sample.lanes)
        let shares = LaneShares(tree: tree, lanes: tree.shares(workerCount: sample.workers))
        let buckets = GradientBuckets(elementCount: sample.elements, bucket: Bytes(4 * sample.bucket))
        var planned: [Sum: Int] = [:]
        for rank in 0..<sample.workers where sample.workers > 1 {
            let plan = ExchangePlan(sample.algorithm, shares: shares, rank: rank, buckets: buckets)
            for segment in (0..<buckets.count).flatMap({ plan.segments(of: $0) }) {
                for shipment in segment.route.shipments {
                    planned[
                        Sum(sender: rank, receiver: shipment.receiver, elements: segment.elements.count), default: 0
                    ] += 1
                }
            }
        }
        let messages = GradientMessages(
            sample.algorithm, tree: tree, shares: shares.lanes, elements: sample.elements,
            bucketElements: buckets.bucketSize)
        var replayed: [Sum: Int] = [:]
        for message in messages.messages {
            replayed[
                Sum(sender: message.sender, receiver: message.receiver, elements: message.elements), default: 0
            ] += 1
        }
        #expect(planned == replayed)
    }

    @Test("nothing waits for itself, so everything is sent in the end", arguments: cases)
    func noCycles(_ sample: Case) {
        let tree = LaneTree(laneCount: sample.lanes)
        let messages = GradientMessages(
            sample.algorithm, tree: tree, shares: tree.shares(workerCount: sample.workers),
            elements: sample.elements, bucketElements: sample.bucket
        ).messages
        for (index, message) in messages.enumerated() {
            for need in message.needs {
                switch need {
                case .begun(let worker), .own(let worker, _): #expect(worker == message.sender)
                case .arrival(let other), .sending(let other): #expect(other < index)
                }
            }
        }
    }
}
