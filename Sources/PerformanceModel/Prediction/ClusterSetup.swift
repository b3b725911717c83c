import Jobs

/// One configuration of a data-parallel cluster, with everything computed that no fitted constant changes.
public struct ClusterSetup: Sendable {
    /// The profile's name.
    public var hardware: String
    /// The machine.
    public var machine: ClusterMachine
    /// The step's blocks.
    public var template: StepTemplate
    /// The matrix products' format.
    public var precision: Precision
    /// Nodes, and devices used of each.
    public var nodes: Int
    /// Devices used of each node.
    public var devicesPerNode: Int
    /// Micro-batches of a step on each device.
    public var accumulation: Int
    /// Sequences of a step; fewer than devices x micro-batch x accumulation where they don't divide.
    public var globalBatch: Int

    var embeddingsForward: BlockCost
    var layerForward: BlockCost
    var heads: BlockCost
    var layerBackward: BlockCost
    var embeddingsBackward: BlockCost
    /// Seconds of the optimizer's traffic with every operation a kernel of its own.
    var updateSeconds: Double
    var memoryBytesPerSecond: Double

    /// Nodes, sequences of a micro-batch and micro-batches of a step that a prediction takes: their product with the
    /// devices of a node stays within 64 bits.
    public static let (nodeRange, microBatchRange, accumulationRange) = (1...65_536, 1...65_536, 1...1_048_576)

    /// Devices in all.
    public var ranks: Int { nodes * devicesPerNode }

    /// The configuration of the given parts.
    ///
    /// - Throws: `unsupported` where the device lacks the format or a count makes no sense.
    public init(
        profile: HardwareProfile, workload: Workload, precision: Precision, nodes: Int, devicesPerNode: Int,
        accumulation: Int, globalBatch: Int? = nil
    ) throws(PerformanceModelError) {
        guard case .cluster(let machine) = profile.machine else {
            throw .unsupported("'\(profile.name)' is a wafer: it has no devices to share a batch among")
        }
        guard let device = DeviceRates(machine, precision) else {
            throw .unsupported("\(machine.deviceName) of '\(profile.name)' has no \(precision.rawValue)")
        }
        guard Self.nodeRange.contains(nodes), Self.accumulationRange.contains(accumulation),
            Self.microBatchRange.contains(workload.microBatch), (1...machine.devicesPerNode).contains(devicesPerNode)
        else {
            throw .unsupported(
                "\(nodes) nodes x \(devicesPerNode) devices x \(workload.microBatch) sequences x \(accumulation) "
                    + "micro-batches on '\(profile.name)'; allowed: 1 to \(Self.nodeRange.upperBound) nodes, 1 to "
                    + "\(machine.devicesPerNode) devices, 1 to \(Self.microBatchRange.upperBound) sequences, 1 to "
                    + "\(Self.accumulationRange.upperBound) micro-batches")
        }
        let template = StepTemplate(workload)
        self.hardware = profile.name
        self.machine = machine
        self.template = template
        self.precision = precision
        self.nodes = nodes
        self.devicesPerNode = devicesPerNode
        self.accumulation = accumulation
        self.globalBatch = globalBatch ?? nodes * devicesPerNode * workload.microBatch * accumulation
        embeddingsForward = BlockCost([template.embeddingsForward], on: device)
        layerForward = BlockCost(template.layerForward, on: device)
        heads = BlockCost(template.heads, on: device)
        layerBackward = BlockCost(template.layerBackward, on: device)
        embeddingsBackward = BlockCost([template.embeddingsBackward], on: device)
        updateSeconds = template.update.unfusedElements * 4 / device.memoryBytesPerSecond
        memoryBytesPerSecond = device.memoryBytesPerSecond
    }

    /// Kernels that a micro-batch's forward and backward pass start.
    public var kernels: Double {
        embeddingsForward.kernels + heads.kernels + embeddingsBackward.kernels
            + Double(template.workload.model.layers) * (layerForward.kernels + layerBackward.kernels)
    }

    /// Tokens of a micro-batch.
    public var tokens: Int { template.workload.microBatch * template.workload.sequence }
}

/// The constants of one prediction, in base units: a stack's, the shared ones and the hardware's.
public struct StepConstants: Hashable, Sendable {
    /// Share of the stated matrix rate, the hardware's sustained speed included.
    public var matrixShare: Double
    /// Element-wise and optimizer traffic, as shares of the unfused one.
    public var traffic: Double
    /// Optimizer traffic, likewise.
    public var updateTraffic: Double
    /// A kernel's cost besides its work, in seconds.
    public var launchSeconds: Double
    /// Negotiation of a bucketed exchange, in seconds a tensor and doubling of the devices.
    public var negotiationSeconds: Double
    /// A collective's speed while the device computes.
    public var overlappedExchangeRate: Double
    /// Host time of a kernel besides its launch where devices share a host, in seconds.
    public var hostSecondsPerKernel: Double
    /// The coefficient of variation of device speeds.
    public var deviceSpeedSpread: Double
    /// The share of the stated network bus bandwidth.
    public var busShare: Double
    /// Bytes of an element of the gradient that micro-batches are summed in.
    public var accumulatorBytes: Double
    /// Whether buckets are exchanged during the backward pass; their size and an element's bytes.
    public var exchange: SoftwareStack.Exchange
    /// The size at which a bucket is sent, in bytes; 0 sends everything as one.
    public var bucketBytes: Double
    /// Bytes of an exchanged gradient element.
    public var gradientBytes: Double
}
