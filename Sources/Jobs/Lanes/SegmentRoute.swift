/// What one worker does with one segment of a bucket: which sums it awaits from whom, and which it sends to whom as soon as
/// it can make them from its own lanes' and the awaited ones. Every worker ends with the sum over all lanes.
///
/// All algorithms are nothing but such routes, so that one machine carries out all of them, and a frame that no route
/// awaits is refused whatever the algorithm.
package struct SegmentRoute: Hashable, Sendable {
    /// A sum on its way to a peer.
    package struct Shipment: Hashable, Sendable {
        /// The sum over this node of the lane tree.
        package let node: LaneTree.Node
        /// The rank that takes it.
        package let receiver: Int
    }

    /// The rank that sends each awaited sum.
    package private(set) var awaited: [LaneTree.Node: Int] = [:]
    /// What is sent, in the order in which it matters.
    package private(set) var shipments: [Shipment] = []

    /// A route on which nothing travels.
    init() {}

    mutating func expect(_ nodes: [LaneTree.Node], from rank: Int) {
        for node in nodes { awaited[node] = rank }
    }

    mutating func send(_ nodes: [LaneTree.Node], to rank: Int) {
        for node in nodes { shipments.append(Shipment(node: node, receiver: rank)) }
    }
}
