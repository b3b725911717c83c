import Jobs
import Kernels

/// Gathers the partial sums of one segment and joins them in the order of the lane tree.
struct SegmentSum {
    private let tree: LaneTree
    private let nodes: [LaneTree.Node]
    private let count: Int
    private var parts: [Int: UnsafeMutablePointer<Float>] = [:]

    /// A sum of `count` elements whose parts are to be `nodes`, which hold every lane once.
    init(tree: LaneTree, nodes: [LaneTree.Node], count: Int) {
        self.tree = tree
        self.nodes = nodes
        self.count = count
    }

    /// The parts that are still missing.
    var missing: [LaneTree.Node] { nodes.filter { parts[$0.lanes.lowerBound] == nil } }
    /// Whether all parts are there.
    var isComplete: Bool { parts.count == nodes.count }

    /// Adds the sum over `node`. Its memory is written to by `join` and must live until then.
    ///
    /// - Returns: false where the node is not one of the parts, or was given before.
    mutating func add(_ node: LaneTree.Node, _ elements: UnsafeMutablePointer<Float>) -> Bool {
        guard nodes.contains(node), parts[node.lanes.lowerBound] == nil else { return false }
        parts[node.lanes.lowerBound] = elements
        return true
    }

    /// Joins the parts and writes the sum over all lanes to `total`.
    func join(into total: UnsafeMutablePointer<Float>) {
        for (into, from, _) in tree.joins(of: nodes) {
            guard let left = parts[into.lanes.lowerBound], let right = parts[from.lanes.lowerBound] else { continue }
            Vector.add(into: left, from: right, count: count)
        }
        if let root = parts[tree.root.lanes.lowerBound], root != total {
            Vector.copy(into: total, from: root, count: count)
        }
    }
}
