#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The time of an all-reduce among `ranks` devices on `nodes` nodes, as NCCL's own tuning computes it.
///
/// time = latency + bytes moved / bus bandwidth. Ring: 2 (n - 1) / n of the message passes every link, over
/// 2 (n - 1) hops of which 2 (N - 1) cross the network. Tree: up and down again, log2 N network hops. Hierarchical:
/// reduce-scatter within the node, all-reduce between nodes, all-gather within the node.
/// Source: NVIDIA/nccl v2.8.3 src/graph/tuning.cc.
public struct AllReduceTime: Hashable, Sendable {
    /// How ranks exchange.
    public enum Algorithm: String, Hashable, Sendable, Codable, CaseIterable {
        case ring
        case tree
        case hierarchical
    }

    /// Devices that take part.
    public var ranks: Int
    /// Nodes that they are on.
    public var nodes: Int
    /// Bus bandwidth within a node, in bytes a second.
    public var intraBytesPerSecond: Double
    /// Bus bandwidth over several nodes, in bytes a second: what all interfaces of a node carry together.
    public var interBytesPerSecond: Double
    /// Latency of a hop within a node, in seconds.
    public var intraHopSeconds: Double
    /// Latency of a hop between nodes, in seconds.
    public var interHopSeconds: Double

    /// Latency that starting a collective costs, in seconds: ring 8.4 us with the Simple protocol.
    public static let baseSeconds = 8.4e-6
    /// A tree's hop over the network against a ring's: 28 us against 9.6 us.
    public static let treeHopFactor = 28 / 9.6
    /// The bandwidth of NCCL's double tree against a ring's.
    public static let treeBandwidthShare = 0.92

    /// An all-reduce of the given parts.
    public init(
        ranks: Int, nodes: Int, intraBytesPerSecond: Double, interBytesPerSecond: Double, intraHopSeconds: Double,
        interHopSeconds: Double
    ) {
        self.ranks = ranks
        self.nodes = nodes
        self.intraBytesPerSecond = intraBytesPerSecond
        self.interBytesPerSecond = interBytesPerSecond
        self.intraHopSeconds = intraHopSeconds
        self.interHopSeconds = interHopSeconds
    }

    /// An all-reduce over the links of `machine`, whose network gives `busShare` of what the profile states.
    public init(_ machine: ClusterMachine, ranks: Int, nodes: Int, busShare: Double) {
        self.init(
            ranks: ranks, nodes: nodes,
            intraBytesPerSecond: machine.intraNodeBusGigabytesPerSecond.value * 1e9,
            interBytesPerSecond: min(
                machine.interNodeBusGigabytesPerSecond.value * busShare,
                machine.networkInterfaces.value * machine.networkGigabitsPerSecond.value / 8) * 1e9,
            intraHopSeconds: machine.intraNodeLatencyMicroseconds.value * 1e-6,
            interHopSeconds: machine.interNodeLatencyMicroseconds.value * 1e-6)
    }

    /// Seconds of an all-reduce of `bytes` by `algorithm`; 0 for a single rank.
    public func seconds(_ bytes: Double, by algorithm: Algorithm) -> Double {
        guard ranks > 1 else { return 0 }
        let (n, m) = (Double(ranks), Double(nodes))
        let bus = nodes > 1 ? min(intraBytesPerSecond, interBytesPerSecond) : intraBytesPerSecond
        let moved = 2 * (n - 1) / n * bytes
        switch algorithm {
        case .ring:
            let hops = (2 * (n - 1) - 2 * (m - 1)) * intraHopSeconds + 2 * (m - 1) * interHopSeconds
            return Self.baseSeconds + hops + moved / bus
        case .tree:
            let depth = nodes > 1 ? log2(m) : 0
            let hops = 2 * ((n / m - 1) * intraHopSeconds + depth * Self.treeHopFactor * interHopSeconds)
            return Self.baseSeconds + hops + 2 * bytes / (bus * Self.treeBandwidthShare)
        case .hierarchical:
            let local = n / m
            let inside = 2 * (local - 1) * intraHopSeconds + 2 * (local - 1) / local * bytes / intraBytesPerSecond
            let between =
                nodes > 1 ? 2 * (m - 1) * interHopSeconds + 2 * (m - 1) / m * bytes / interBytesPerSecond : 0
            return 2 * Self.baseSeconds + inside + between
        }
    }

    /// Seconds by the algorithm that NCCL would choose: the faster of ring and tree.
    public func seconds(_ bytes: Double) -> Double {
        min(seconds(bytes, by: .ring), seconds(bytes, by: .tree))
    }

    /// The algorithm that NCCL would choose for `bytes`.
    public func chosenAlgorithm(_ bytes: Double) -> Algorithm {
        seconds(bytes, by: .tree) < seconds(bytes, by: .ring) ? .tree : .ring
    }
}
