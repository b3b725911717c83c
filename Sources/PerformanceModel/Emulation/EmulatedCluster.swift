import Jobs

/// The machine that a cluster's workers stand for in an emulated run: each worker's device, phase by phase, and the network
/// between them. Computed once; workers and the fabric are told their parts and know no model.
public struct EmulatedCluster: Hashable, Sendable, Codable {
    /// The profile's name.
    public var hardware: String
    /// The devices' schedules: `schedules[phase][worker]`.
    public var schedules: [[DeviceSchedule]]
    /// The links.
    public var network: EmulatedNetwork
    /// Bytes of the emulated machine for each byte that a worker sends.
    public var byteScale: Double
    /// The coefficient of variation of a device's time from step to step.
    public var jitter: Double
    /// The step at which each node that is to fail does.
    public var nodeFailures: [Int: StepNumber] = [:]

    /// The cluster of the given parts.
    public init(
        hardware: String, schedules: [[DeviceSchedule]], network: EmulatedNetwork, byteScale: Double = 1,
        jitter: Double = 0
    ) {
        self.hardware = hardware
        self.schedules = schedules
        self.network = network
        self.byteScale = byteScale
        self.jitter = jitter
    }

    /// The cluster of `profile` on which workers with `laneCounts` lanes each train `job`; where those are not the job's in
    /// number, each has its share of the global batch.
    ///
    /// Operators are in FP16 where the device has matrix units for it, as predictions are unless told otherwise; gradients
    /// have the bytes that the job's own exchange sends.
    ///
    /// - Parameter vocabularySize: entries of the job's vocabulary.
    /// - Throws: `PerformanceModelError` where the machine can't do it.
    public init(
        job: Job, vocabularySize: Int, laneCounts: [Int], profile: HardwareProfile, settings: EmulationSettings,
        calibration: Calibration? = nil
    ) throws(PerformanceModelError) {
        let calibration = try StackCatalogue.calibration(or: calibration)
        guard let machine = profile.cluster else {
            throw PerformanceModelError.unsupported("'\(profile.name)' is a wafer: no cluster can stand for it")
        }
        let workers = laneCounts.count
        let laneTotal = laneCounts.reduce(0, +)
        let devices = min(settings.devicesPerNode ?? machine.devicesPerNode, workers)
        let nodes = (workers + devices - 1) / devices
        let model = settings.standsFor.flatMap(ModelShape.named) ?? job.model
        let vocabulary = settings.standsFor == nil ? vocabularySize : StepModel.assumedVocabularySize
        let stack = try calibration.stack(machine.defaultStack)
        var scale = 1.0
        var busShare = 1.0
        schedules = []
        for phase in job.phases {
            func workload(_ model: ModelShape, _ vocabulary: Int, _ microBatch: Int) -> Workload {
                Workload(
                    model: model, vocabularySize: vocabulary, sequence: phase.sequence,
                    maskedPositions: phase.maskedPositions, microBatch: microBatch,
                    nextSentence: job.examples.nextSentence, optimizer: job.optimizer.kind)
            }
            var devicesOfPhase: [DeviceSchedule] = []
            for lanes in laneCounts {
                let share = lanes * phase.globalBatch / laneTotal
                guard share > 0 else {
                    throw PerformanceModelError.unsupported(
                        "\(workers) devices can't share a global batch of \(phase.globalBatch) sequences: each needs one"
                    )
                }
                let microBatch = min(phase.microBatch, share)
                let setup = try ClusterSetup(
                    profile: profile, workload: workload(model, vocabulary, microBatch), precision: .fp16,
                    nodes: nodes, devicesPerNode: devices, accumulation: (share + microBatch - 1) / microBatch,
                    globalBatch: phase.globalBatch)
                let constants = calibration.constants(for: setup, stack: stack)
                busShare = constants.busShare
                devicesOfPhase.append(DeviceSchedule(setup, constants))
            }
            schedules.append(devicesOfPhase)
            scale =
                Double(StepTemplate(workload(model, vocabulary, 1)).parameterCount)
                / Double(StepTemplate(workload(job.model, vocabularySize, 1)).parameterCount)
        }
        hardware = profile.name
        byteScale = scale
        let interfaces = Int(machine.networkInterfaces.value)
        let lineRate = machine.networkGigabitsPerSecond.value / 8 * 1e9
        network = EmulatedNetwork(
            workers: workers, devicesPerNode: devices,
            deviceBytesPerSecond: machine.intraNodeBusGigabytesPerSecond.value * 1e9,
            deviceLatencySeconds: machine.intraNodeLatencyMicroseconds.value * 1e-6, interfaces: interfaces,
            interfaceBytesPerSecond: min(
                lineRate, machine.interNodeBusGigabytesPerSecond.value * busShare * 1e9 / Double(interfaces)),
            interfaceLatencySeconds: machine.interNodeLatencyMicroseconds.value * 1e-6,
            oversubscription: settings.oversubscription)
        network.seed = job.seed
        jitter = 0
        apply(settings.faults)
    }

    /// What a worker's buckets are for those of the emulated machine to be of `bucket` bytes.
    public func realBucket(of bucket: Bytes) -> Bytes {
        let range = ExchangeSettings.bucketRange
        return Bytes(min(max(Int(Double(bucket.count) / byteScale), range.lowerBound), range.upperBound))
    }

    /// Throws where `settings` concern nodes or devices that `workers` workers on `machine` don't have.
    ///
    /// - Throws: `EmulationSettings.Violation`.
    public static func check(
        _ settings: EmulationSettings, workers: Int, machine: ClusterMachine
    ) throws(EmulationSettings.Violation) {
        let asked = settings.devicesPerNode ?? machine.devicesPerNode
        guard asked <= machine.devicesPerNode else {
            throw EmulationSettings.Violation(
                description: "\(asked) devices of a node; a node of this machine has \(machine.devicesPerNode)")
        }
        let devices = min(asked, workers)
        let nodes = (workers + devices - 1) / devices
        for fault in settings.faults {
            let node: Int
            switch fault {
            case .slowNetworkInterface(let index, _), .failedNode(let index, _): node = index
            case .loss(let index, _): node = index ?? 0
            case .slowWorker, .slowDeviceLink, .jitter: continue
            }
            // Without a second node no frame leaves the first, and nobody is left where that fails.
            guard nodes > 1, node < nodes else {
                throw EmulationSettings.Violation(
                    description: fault.text + ": \(workers) workers fill \(nodes) node\(nodes == 1 ? "" : "s"); "
                        + "two are needed, and this one among them: give --devices-per-node or more workers")
            }
        }
    }

    /// What concerns a worker or node that is not there, because others were lost, has no effect.
    private mutating func apply(_ faults: [EmulatedFault]) {
        for fault in faults {
            switch fault {
            case .slowWorker(let place, let factor):
                for phase in schedules.indices where schedules[phase].indices.contains(place) {
                    schedules[phase][place] = schedules[phase][place].slowed(by: factor)
                }
            case .slowDeviceLink(let place, let factor):
                if network.places.indices.contains(place) { network.slowDevice(place, by: factor) }
            case .slowNetworkInterface(let node, let factor):
                network.slowInterfaces(ofNode: node, by: factor)
            case .loss(let node, let share):
                network.lose(
                    EmulatedNetwork.Loss(
                        share: share, timeoutSeconds: EmulatedFault.retransmissionTimeoutSeconds), atNode: node)
            case .jitter(let share): jitter = max(jitter, share)
            case .failedNode(let node, let step): nodeFailures[node] = step
            }
        }
    }
}
