import Jobs

/// How far one segment is in one step: which sums are there, what must be added, sent and delivered next. A pure state
/// machine: it knows the order of things, not what a sum is made of nor how it travels.
package struct SegmentLedger<Sum> {
    /// What is to be done next.
    package enum Action {
        /// Make the sum over the node from the parts that are there, and `add` it.
        case add(LaneTree.Node)
        /// Send the sum.
        case send(LaneTree.Node, Sum, receiver: Int)
        /// This is the sum over all lanes.
        case deliver(Sum)
    }

    /// What travels.
    package let route: SegmentRoute
    private let tree: LaneTree
    private var sums: [LaneTree.Node: Sum] = [:]
    private var arrived: Set<LaneTree.Node> = []
    private var sent = 0
    private var isDelivered = false

    /// Nothing is there yet of a segment that takes `route`.
    package init(_ route: SegmentRoute, tree: LaneTree) {
        self.route = route
        self.tree = tree
    }

    /// Whether all is sent and delivered.
    package var isDone: Bool { isDelivered && sent == route.shipments.count }

    /// The sum over `node`, where it is there.
    package func sum(over node: LaneTree.Node) -> Sum? { sums[node] }

    /// Whether a sum over `node` from `rank` is awaited now.
    package func isAwaited(_ node: LaneTree.Node, from rank: Int) -> Bool {
        route.awaited[node] == rank && !arrived.contains(node)
    }

    /// Takes an awaited sum from a peer.
    package mutating func receive(_ node: LaneTree.Node, _ sum: Sum) {
        arrived.insert(node)
        add(node, sum)
    }

    /// Takes a sum over own lanes, or one that was made as asked.
    package mutating func add(_ node: LaneTree.Node, _ sum: Sum) { sums[node] = sum }

    /// What is to be done next; nil while something must arrive first, and once all is done.
    package mutating func next() -> Action? {
        // Shipments of a node that can't be made yet hold up none behind them for another: on every route the order is
        // that in which they become possible.
        if sent < route.shipments.count {
            let shipment = route.shipments[sent]
            if let sum = sums[shipment.node] {
                sent += 1
                return .send(shipment.node, sum, receiver: shipment.receiver)
            }
            if isPossible(shipment.node) { return .add(shipment.node) }
        }
        if !isDelivered {
            if let sum = sums[tree.root] {
                isDelivered = true
                return .deliver(sum)
            }
            if isPossible(tree.root) { return .add(tree.root) }
        }
        if isDone { sums = [:] }
        return nil
    }

    private func isPossible(_ node: LaneTree.Node) -> Bool {
        if sums[node] != nil { return true }
        guard let (left, right) = tree.children(of: node) else { return false }
        return isPossible(left) && isPossible(right)
    }
}
