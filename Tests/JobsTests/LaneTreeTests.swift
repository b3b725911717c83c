import Jobs
import Testing

@Suite("The lane tree")
struct LaneTreeTests {
    /// Numbers whose sum depends on the order of the additions.
    private static func leaves(_ count: Int) -> [Float] {
        (0..<count).map { Float(sign: $0 % 2 == 0 ? .plus : .minus, exponent: ($0 * 7) % 23, significand: 1.2345678) }
    }

    private static func sum(_ leaves: [Float], below node: LaneTree.Node, in tree: LaneTree) -> Float {
        guard let (left, right) = tree.children(of: node) else { return leaves[node.lanes.lowerBound] }
        return sum(leaves, below: left, in: tree) + sum(leaves, below: right, in: tree)
    }

    @Test("the sum has the same bits however many workers share the lanes", arguments: 1...17)
    func sumIsIndependentOfWorkers(laneCount: Int) {
        let tree = LaneTree(laneCount: laneCount)
        let leaves = Self.leaves(laneCount)
        let whole = Self.sum(leaves, below: tree.root, in: tree)
        for workerCount in 1...laneCount {
            let nodes = tree.shares(workerCount: workerCount).flatMap { tree.cover(of: $0) }
            var partial = Dictionary(
                uniqueKeysWithValues: nodes.map { ($0.lanes.lowerBound, Self.sum(leaves, below: $0, in: tree)) })
            for join in tree.joins(of: nodes) {
                guard let into = partial[join.into.lanes.lowerBound], let from = partial[join.from.lanes.lowerBound]
                else {
                    Issue.record("a join names a sum that is not there")
                    return
                }
                partial[join.into.lanes.lowerBound] = into + from
            }
            #expect(partial[0]?.bitPattern == whole.bitPattern, "\(workerCount) workers")
        }
    }

    @Test("a cover holds exactly the lanes of its range, in order", arguments: 1...12)
    func coverIsExact(laneCount: Int) {
        let tree = LaneTree(laneCount: laneCount)
        for start in 0..<laneCount {
            for end in (start + 1)...laneCount {
                #expect(tree.cover(of: start..<end).flatMap { Array($0.lanes) } == Array(start..<end))
            }
        }
    }

    @Test("all lanes are covered by the root alone", arguments: 1...12)
    func rootCoversAll(laneCount: Int) {
        let tree = LaneTree(laneCount: laneCount)
        #expect(tree.cover(of: 0..<laneCount) == [tree.root])
        #expect(tree.joins(of: [tree.root]).isEmpty)
    }

    @Test("shares are contiguous, as equal as can be, and leave no lane out")
    func sharesAreEqual() {
        #expect(LaneTree(laneCount: 8).shares(workerCount: 3) == [0..<3, 3..<6, 6..<8])
        #expect(LaneTree(laneCount: 4).shares(workerCount: 4) == [0..<1, 1..<2, 2..<3, 3..<4])
        #expect(LaneTree(laneCount: 5).shares(workerCount: 1) == [0..<5])
    }
}
