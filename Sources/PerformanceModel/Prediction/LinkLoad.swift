import Jobs

/// What a step of a cluster sends over each of its links, and how much of the link that takes.
public struct LinkLoad: Hashable, Sendable, Codable {
    /// A kind of link.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// Between the devices of a node, as one device sees it: NVLink, NVSwitch or PCIe.
        case withinNode = "within_node"
        /// The network interfaces of a node together.
        case betweenNodes = "between_nodes"
    }

    public var kind: Kind
    /// Such links: one a device, one a node.
    public var links: Int
    /// Bytes that one of them carries in a step, each way.
    public var bytesPerStep: Double
    /// What it carries at most, in bytes a second: the bus bandwidth of a ring all-reduce, which is that of its narrowest
    /// link.
    public var bytesPerSecond: Double
    /// The share of the whole step's time that its bytes take at that rate.
    public var utilisation: Double

    enum CodingKeys: String, CodingKey {
        case kind, links
        case bytesPerStep = "bytes_per_step"
        case bytesPerSecond = "bytes_per_second"
        case utilisation
    }

    /// The links of `setup` in a step under `constants`.
    ///
    /// A ring all-reduce of n ranks sends 2 (n - 1) / n of the gradient over each hop, once a step (`AllReduceTime`); a
    /// double tree carries as much.
    public static func all(_ setup: ClusterSetup, _ constants: StepConstants) -> [LinkLoad] {
        guard setup.ranks > 1 else { return [] }
        let time = AllReduceTime(setup.machine, ranks: setup.ranks, nodes: setup.nodes, busShare: constants.busShare)
        let step = ClusterStep(setup, constants).total
        let n = Double(setup.ranks)
        let bytes = 2 * (n - 1) / n * Double(setup.template.parameterCount) * constants.gradientBytes
        func load(_ kind: Kind, links: Int, _ bytesPerSecond: Double) -> LinkLoad {
            LinkLoad(
                kind: kind, links: links, bytesPerStep: bytes, bytesPerSecond: bytesPerSecond,
                utilisation: bytes / bytesPerSecond / step)
        }
        var loads: [LinkLoad] = []
        if setup.devicesPerNode > 1 { loads.append(load(.withinNode, links: setup.ranks, time.intraBytesPerSecond)) }
        if setup.nodes > 1 { loads.append(load(.betweenNodes, links: setup.nodes, time.interBytesPerSecond)) }
        return loads
    }
}

extension StepModel {
    /// The nodes that phase `index` of `job` fills on the cluster `profile`, the devices of each, and what its steps send
    /// over their links.
    ///
    /// - Throws: as `predict`.
    public static func links(
        job: Job, profile: HardwareProfile, layout: Layout, phase index: Int = 0, calibration: Calibration? = nil
    ) throws(PerformanceModelError) -> (nodes: Int, devicesPerNode: Int, loads: [LinkLoad]) {
        let calibration = try StackCatalogue.calibration(or: calibration)
        let (setup, stack) = try setup(
            job: job, profile: profile, layout: layout, phase: index, calibration: calibration)
        return (
            setup.nodes, setup.devicesPerNode,
            LinkLoad.all(setup, calibration.constants(for: setup, stack: stack))
        )
    }
}
