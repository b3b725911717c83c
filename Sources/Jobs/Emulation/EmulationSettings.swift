/// How a cluster's workers stand for a hardware profile's devices: what the user of an emulated run chooses.
///
/// Values are valid: whoever makes one from outside calls `check`.
public struct EmulationSettings: Hashable, Sendable, Codable {
    /// The factor by which devices and links are slowed; nil to measure what the host needs.
    public var dilation: Double?
    /// What is wrong with the emulated machine.
    public var faults: [EmulatedFault]
    /// The size of network whose device time and bytes the job's own network stands for, by name; nil for itself.
    public var standsFor: String?
    /// Devices used of each node; nil fills nodes one by one.
    public var devicesPerNode: Int?
    /// The traffic that nodes may send together, over what the core of the network carries; 1 for a core that never
    /// queues.
    public var oversubscription: Double
    /// Devices beside those of the workers for which there is no process: what they send is sizes and times alone. Nil for
    /// none.
    public var virtualWorkers: Int?

    /// How many devices can be virtual.
    public static let virtualRange = 1...4_095
    /// Factors by which devices can be slowed: below one the host would have to be faster than the machine.
    public static let dilationRange = 0.01...1e6
    /// Factors of oversubscription.
    public static let oversubscriptionRange = 1.0...1_000

    /// Buckets of a network that is stood for: PyTorch's `DistributedDataParallel` sends 25 MiB at a time by default.
    public static let standInBucket = Bytes.mebibytes(25)

    /// Settings of the given parts.
    public init(
        dilation: Double? = nil, faults: [EmulatedFault] = [], standsFor: String? = nil, devicesPerNode: Int? = nil,
        oversubscription: Double = 1, virtualWorkers: Int? = nil
    ) {
        self.dilation = dilation
        self.faults = faults
        self.standsFor = standsFor
        self.devicesPerNode = devicesPerNode
        self.oversubscription = oversubscription
        self.virtualWorkers = virtualWorkers
    }

    /// The devices of an emulated machine of which `workers` are processes, the first ones.
    public func devices(workers: Int) -> Int { workers + (virtualWorkers ?? 0) }

    /// The share of the global batch that each device's time is that of, in lanes: those that the workers have where all devices
    /// are workers; otherwise even shares, of as many lanes as there are devices where the job has fewer.
    public func deviceLanes(ofWorkers counts: [Int], jobLanes: Int) -> [Int] {
        guard virtualWorkers != nil else { return counts }
        let devices = devices(workers: counts.count)
        return LaneTree(laneCount: max(jobLanes, devices)).shares(workerCount: devices).map(\.count)
    }

    /// A setting that is none.
    public struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
        /// Which one, what it is, and what is allowed.
        public let description: String

        /// A violation in words.
        public init(description: String) { self.description = description }
    }

    /// Throws where a setting is out of its range or concerns a worker that there isn't.
    ///
    /// - Throws: `Violation`.
    public func check(workers: Int) throws(Violation) {
        if let dilation, !Self.dilationRange.contains(dilation) {
            throw Violation(description: "a dilation of \(dilation); allowed are auto and 0.01 to 1000000")
        }
        guard Self.oversubscriptionRange.contains(oversubscription) else {
            throw Violation(description: "an oversubscription of \(oversubscription); allowed are 1 to 1000")
        }
        if let standsFor, ModelShape.named(standsFor) == nil {
            let names = ModelShape.named.map(\.name).joined(separator: ", ")
            throw Violation(description: "a network of size '\(standsFor)'; allowed are \(names)")
        }
        if let virtualWorkers, !Self.virtualRange.contains(virtualWorkers) {
            throw Violation(
                description: "\(virtualWorkers) virtual workers; allowed are 1 to \(Self.virtualRange.upperBound)")
        }
        let devices = devices(workers: workers)
        if let devicesPerNode {
            guard devicesPerNode > 0, devices % min(devicesPerNode, devices) == 0 else {
                throw Violation(
                    description: "\(devices) workers don't fill nodes of \(devicesPerNode) devices; give a divisor")
            }
        }
        for fault in faults {
            try fault.check(workers: devices)
            if case .failedNode = fault, virtualWorkers != nil {
                throw Violation(
                    description: "\(fault.text) beside virtual workers: only a worker that is a process can be lost")
            }
        }
    }
}
