import Cluster
import Jobs
import Testing

@Suite("Gradient buckets")
struct GradientBucketTests {
    @Test(
        "buckets and their segments cover every element once", arguments: [0, 1, 15, 16, 17, 1_000, 65_537], [1, 3, 8])
    func cover(_ elements: Int, _ parts: Int) {
        for bytes in [0, 4, 100, 4_096, 1 << 20, Int.max] {
            let buckets = GradientBuckets(elementCount: elements, bucket: Bytes(bytes))
            let ranges = (0..<buckets.count).flatMap { buckets.segments(of: $0, parts: parts) }
            #expect(ranges.flatMap { Array($0) } == Array(0..<elements))
            #expect(ranges.allSatisfy { $0.isEmpty || $0.lowerBound % GradientBuckets.grain == 0 })
        }
    }

    @Test("a bucket is filled once its last element is")
    func filled() {
        let buckets = GradientBuckets(elementCount: 100, bucket: Bytes(128))
        #expect([0, 31, 32, 95, 96, 99, 100].map { buckets.filled(upTo: $0) } == [0, 0, 1, 2, 3, 3, 4])
    }

    @Test("a sum in blocks has the bits of the plain sum, and leaves its parts alone", arguments: [1, 2_048, 5_000])
    func treeSum(_ count: Int) {
        let tree = LaneTree(laneCount: 13)
        let plain = PlainSum(tree: tree, count: count, step: 0)
        let nodes = tree.shares(workerCount: 5).flatMap { tree.cover(of: $0) }
        let parts = nodes.map { node -> UnsafeMutableBufferPointer<Float> in
            let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
            _ = memory.update(from: plain.sum(over: node))
            return memory
        }
        defer { for part in parts { part.deallocate() } }
        var total = [Float](repeating: .nan, count: count)
        var sum = TreeSum(tree: tree)
        total.withUnsafeMutableBufferPointer { total in
            guard let start = total.baseAddress else { return }
            sum.write(tree.root, into: start, count: count) { node in
                nodes.firstIndex(of: node).flatMap { parts[$0].baseAddress.map { UnsafePointer($0) } }
            }
        }
        #expect(total.bits == plain.sum(over: tree.root).bits)
        for (node, part) in zip(nodes, parts) { #expect(Array(part).bits == plain.sum(over: node).bits) }
    }
}
