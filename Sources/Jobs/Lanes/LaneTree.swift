/// The fixed binary tree in which lane gradients are summed, whoever computes them: this is what makes the sum the same
/// to the bit on any number of workers.
///
/// The tree over lanes `a..<b` splits at the largest power of two below the count, as in a binary heap's leaves: the left
/// part is complete. A worker that owns `range` sums the maximal subtrees inside it (its *cover*) and sends one partial
/// sum for each; whoever reduces joins partial sums of adjacent subtrees until the root is left.
public struct LaneTree: Sendable, Hashable {
    /// The number of lanes.
    public let laneCount: Int

    /// A tree over `laneCount` lanes, at least one.
    public init(laneCount: Int) {
        precondition(laneCount > 0, "a job has at least one lane")
        self.laneCount = laneCount
    }

    /// A subtree, named by the lanes below it.
    public struct Node: Hashable, Sendable, Comparable {
        /// The lanes below this node.
        public let lanes: Range<Int>
        /// Names the node over `lanes`.
        public init(lanes: Range<Int>) { self.lanes = lanes }
        public static func < (left: Node, right: Node) -> Bool {
            (left.lanes.lowerBound, left.lanes.count) < (right.lanes.lowerBound, right.lanes.count)
        }
    }

    /// The node above all lanes.
    public var root: Node { Node(lanes: 0..<laneCount) }

    /// The two nodes whose sum is `node`, left first; nil for a single lane.
    public func children(of node: Node) -> (left: Node, right: Node)? {
        let count = node.lanes.count
        guard count > 1 else { return nil }
        var half = 1
        while half * 2 < count { half *= 2 }
        let middle = node.lanes.lowerBound + half
        return (Node(lanes: node.lanes.lowerBound..<middle), Node(lanes: middle..<node.lanes.upperBound))
    }

    /// The fewest nodes of the tree that together hold exactly the lanes of `range`, in order.
    public func cover(of range: Range<Int>) -> [Node] {
        cover(of: range.clamped(to: 0..<laneCount), below: root)
    }

    private func cover(of range: Range<Int>, below node: Node) -> [Node] {
        let part = range.clamped(to: node.lanes)
        if part.isEmpty { return [] }
        if part == node.lanes { return [node] }
        guard let (left, right) = children(of: node) else { return [] }
        return cover(of: part, below: left) + cover(of: part, below: right)
    }

    /// Equal contiguous shares of the lanes for `workerCount` workers; the first ones own one more where it doesn't divide.
    public func shares(workerCount: Int) -> [Range<Int>] {
        precondition(
            workerCount > 0 && workerCount <= laneCount, "\(workerCount) workers can't share \(laneCount) lanes")
        let (base, extra) = laneCount.quotientAndRemainder(dividingBy: workerCount)
        var start = 0
        return (0..<workerCount).map { rank in
            let end = start + base + (rank < extra ? 1 : 0)
            defer { start = end }
            return start..<end
        }
    }

    /// Contiguous shares of `counts` lanes, which together are all of them.
    public func shares(counts: [Int]) -> [Range<Int>] {
        precondition(
            counts.allSatisfy { $0 > 0 } && counts.reduce(0, +) == laneCount, "\(counts) are not \(laneCount) lanes")
        var start = 0
        return counts.map { count in
            defer { start += count }
            return start..<start + count
        }
    }

    /// The additions that join the partial sums of `nodes` (which together hold every lane once) into the root, in the
    /// order in which they must be made: each adds the right node's sum into the left node's.
    public func joins(of nodes: [Node]) -> [(into: Node, from: Node, sum: Node)] {
        var joins: [(into: Node, from: Node, sum: Node)] = []
        let present = Set(nodes)
        func visit(_ node: Node) {
            if present.contains(node) { return }
            guard let (left, right) = children(of: node) else { return }
            visit(left)
            visit(right)
            joins.append((into: left, from: right, sum: node))
        }
        visit(root)
        return joins
    }
}
