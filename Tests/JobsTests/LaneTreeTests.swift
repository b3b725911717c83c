import Jobs
import Testing

@Suite("The lane tree")
struct LaneTreeTests {
    @Test("is joined from any workers' covers by the same additions as from single lanes", arguments: 1...17)
    func joins(lanes: Int) throws {
        let tree = LaneTree(laneCount: lanes)
        func sum(_ node: LaneTree.Node) -> String {
            guard let (left, right) = tree.children(of: node) else { return "\(node.lanes.lowerBound)" }
            return "(" + sum(left) + "+" + sum(right) + ")"
        }
        for workers in 1...lanes {
            let covers = tree.shares(workerCount: workers).flatMap { tree.cover(of: $0) }
            var sums = Dictionary(uniqueKeysWithValues: covers.map { ($0, sum($0)) })
            for join in tree.joins(of: covers) {
                let left = try #require(sums[join.into])
                let right = try #require(sums[join.from])
                sums[join.sum] = "(" + left + "+" + right + ")"
            }
            #expect(sums[tree.root] == sum(tree.root))
        }
    }

    @Test("gives every lane to one worker, in order")
    func shares() {
        for lanes in 1...20 {
            for workers in 1...lanes {
                let shares = LaneTree(laneCount: lanes).shares(workerCount: workers)
                #expect(shares.flatMap { Array($0) } == Array(0..<lanes))
                #expect(shares.allSatisfy { !$0.isEmpty })
            }
        }
    }
}
