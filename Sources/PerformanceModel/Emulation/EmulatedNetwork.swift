/// The links of an emulated cluster, and where its workers are on them.
///
/// Within a node a device sends through its own links to the other devices and receives through its own. Between nodes a
/// frame leaves by one of its node's network interfaces, which the node's devices share evenly, passes the network's core,
/// and enters by one of the receiver's. Links are full-duplex: each direction is a link of its own.
public struct EmulatedNetwork: Hashable, Sendable, Codable {
    /// One direction of a link.
    public struct Link: Hashable, Sendable, Codable {
        /// What it is called in reports: `worker3.out`, `node0.nic1.in`, `core`.
        public var name: String
        /// Bytes a second.
        public var bytesPerSecond: Double
        /// Seconds from a byte's leaving it to its arrival at the next link, or at the receiver.
        public var latencySeconds: Double
        /// What it loses; nil for a link that loses nothing.
        public var loss: Loss?

        /// A link of the given parts.
        public init(name: String, bytesPerSecond: Double, latencySeconds: Double, loss: Loss? = nil) {
            self.loss = loss
            self.name = name
            self.bytesPerSecond = bytesPerSecond
            self.latencySeconds = latencySeconds
        }
    }

    /// Where a worker is: its node, and the indices of its links.
    public struct Place: Hashable, Sendable, Codable {
        public var node: Int
        public var deviceOut: Int
        public var deviceIn: Int
        public var interfaceOut: Int
        public var interfaceIn: Int
    }

    /// All links.
    public private(set) var links: [Link]
    /// The workers' places, in the order of their lanes.
    public private(set) var places: [Place]
    /// Decides which frames are lost where some are, and how devices waver.
    public var seed: UInt64 = 0
    /// The index of the network's core; nil for one that never queues.
    public private(set) var core: Int?

    /// The links that a frame from worker `sender` to worker `receiver` passes, in order.
    public func route(from sender: Int, to receiver: Int) -> [Int] {
        let (from, to) = (places[sender], places[receiver])
        if from.node == to.node { return [from.deviceOut, to.deviceIn] }
        return [from.interfaceOut] + (core.map { [$0] } ?? []) + [to.interfaceIn]
    }

    /// The network of `workers` devices, `devicesPerNode` of each node, over links of the given rates and latencies.
    ///
    /// - Parameters:
    ///   - interfaces: network interfaces of a node, each carrying `interfaceBytesPerSecond` each way.
    ///   - oversubscription: what all nodes may send together over what the core carries.
    public init(
        workers: Int, devicesPerNode: Int, deviceBytesPerSecond: Double, deviceLatencySeconds: Double, interfaces: Int,
        interfaceBytesPerSecond: Double, interfaceLatencySeconds: Double, oversubscription: Double = 1
    ) {
        let nodes = (workers + devicesPerNode - 1) / devicesPerNode
        links = []
        places = []
        for worker in 0..<workers {
            links.append(
                Link(
                    name: "worker\(worker).out", bytesPerSecond: deviceBytesPerSecond,
                    latencySeconds: deviceLatencySeconds))
            links.append(Link(name: "worker\(worker).in", bytesPerSecond: deviceBytesPerSecond, latencySeconds: 0))
        }
        let first = links.count
        for node in 0..<nodes where nodes > 1 {
            for interface in 0..<interfaces {
                links.append(
                    Link(
                        name: "node\(node).nic\(interface).out", bytesPerSecond: interfaceBytesPerSecond,
                        latencySeconds: interfaceLatencySeconds))
                links.append(
                    Link(
                        name: "node\(node).nic\(interface).in", bytesPerSecond: interfaceBytesPerSecond,
                        latencySeconds: 0))
            }
        }
        for worker in 0..<workers {
            let node = worker / devicesPerNode
            let interface = worker % devicesPerNode * interfaces / devicesPerNode
            let nic = first + 2 * (node * interfaces + min(interface, interfaces - 1))
            places.append(
                Place(
                    node: node, deviceOut: 2 * worker, deviceIn: 2 * worker + 1, interfaceOut: nic,
                    interfaceIn: nic + 1))
        }
        guard oversubscription > 1, nodes > 1 else { return }
        core = links.count
        links.append(
            Link(
                name: "core",
                bytesPerSecond: Double(nodes * interfaces) * interfaceBytesPerSecond / oversubscription,
                latencySeconds: 0))
    }

    /// Makes the interfaces of `node` lose frames, in both directions; with nil, those of every node what they send, so that
    /// a frame may be lost once on its way.
    package mutating func lose(_ loss: Loss, atNode node: Int?) {
        for link in links.indices where links[link].name.contains(".nic") {
            let isOfNode = node.map { links[link].name.hasPrefix("node\($0).") } ?? links[link].name.hasSuffix(".out")
            if isOfNode { links[link].loss = loss }
        }
    }

    /// Makes both directions of a device's own links carry `factor` times less.
    mutating func slowDevice(_ worker: Int, by factor: Double) {
        for link in [places[worker].deviceOut, places[worker].deviceIn] { links[link].bytesPerSecond /= factor }
    }

    /// Makes the network interfaces of `node` carry `factor` times less.
    mutating func slowInterfaces(ofNode node: Int, by factor: Double) {
        for link in links.indices where links[link].name.hasPrefix("node\(node).") {
            links[link].bytesPerSecond /= factor
        }
    }
}
