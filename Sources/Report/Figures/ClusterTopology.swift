import Jobs
import PerformanceModel
import Runs

/// What a cluster run's steps sent over links: measured between its workers on this host, and modelled on the machine that
/// it stands for.
public struct ClusterTopology: Sendable, Encodable {
    /// What one worker sends to another.
    public struct Link: Sendable, Encodable {
        public var from: Int
        public var to: Int
        /// The mean over steps. Of a worker with several peers the record has the sum, which is shared among them as its
        /// algorithm does.
        public var bytesPerStep: Double
    }

    /// The host's own transport.
    public struct Transfers: Sendable, Encodable {
        public var algorithm: CollectiveAlgorithm
        public var transport: Transport?
        public var links: [Link]
        /// All links together: bytes of a step, and bytes a second of the mean step.
        public var bytesPerStep: Double
        public var bytesPerHostSecond: Double
        /// What all processes together can carry, as calibrated; and the share of it that the run used, averaged over whole
        /// steps. Nil where the host is not calibrated, or the run was on another.
        public var calibratedBytesPerHostSecond: Double?
        public var utilisation: Double?
    }

    /// The machine that the run stands for.
    public struct Modelled: Sendable, Encodable {
        public var hardware: String
        public var nodes: Int
        public var devicesPerNode: Int
        public var networkInterfacesPerNode: Int
        /// In the first phase.
        public var links: [ModelledLink]
    }

    /// A kind of link of the machine.
    public struct ModelledLink: Sendable, Encodable {
        public var kind: LinkLoad.Kind
        public var links: Int
        public var bytesPerStep: Double
        public var bytesPerModelledSecond: Double
        public var utilisation: Double
    }

    /// The run.
    public var runId: String
    public var workers: Int
    /// Nil where no step is on record.
    public var measured: Transfers?
    /// Nil where it stands for no machine.
    public var modelled: Modelled?

    /// The links of `record`; nil where it is no cluster of several workers, or nothing is known of its links.
    init?(_ record: RunRecord, profile: HardwareProfile?, host: HostMachine?) {
        guard record.run.backend == .cluster, record.run.workers > 1 else { return nil }
        runId = record.run.id.text
        workers = record.run.workers
        measured = Transfers(record, host: host)
        modelled = profile.flatMap { Modelled(record, profile: $0) }
        if measured == nil, modelled == nil { return nil }
    }
}

extension ClusterTopology.Transfers {
    fileprivate init?(_ record: RunRecord, host: HostMachine?) {
        let workers = WorkerParts.all(of: record.workerSteps)
        let step = mean(record.steps.map(\.duration.seconds)) ?? 0
        guard workers.count > 1, step > 0 else { return nil }
        algorithm = record.run.exchange?.algorithm ?? .direct
        transport = record.run.exchange?.transport
        let routes = GradientRoutes(record.run).shares(
            laneCounts: workers.map { Int(($0.lanesPerStep ?? 0).rounded()) })
        links = zip(workers, routes).flatMap { worker, shares in
            shares.map {
                ClusterTopology.Link(
                    from: worker.rank, to: workers[$0.to].rank, bytesPerStep: worker.sentBytesPerStep * $0.share)
            }
        }
        bytesPerStep = workers.reduce(0) { $0 + $1.sentBytesPerStep }
        bytesPerHostSecond = bytesPerStep / step
        guard let host, host.isMachine(of: record.run) else { return }
        let calibrated = host.linkBytesPerSecond(by: record.run.exchange?.transport ?? .ipc)
        calibratedBytesPerHostSecond = calibrated
        utilisation = bytesPerHostSecond / calibrated
    }
}

extension ClusterTopology.Modelled {
    fileprivate init?(_ record: RunRecord, profile: HardwareProfile) {
        guard let machine = profile.cluster,
            let links = try? StepModel.links(
                job: record.run.job, profile: profile,
                layout: StepModel.Layout(
                    workers: record.run.workers, vocabularySize: record.run.corpus?.vocabularySize))
        else { return nil }
        hardware = profile.name
        nodes = links.nodes
        devicesPerNode = links.devicesPerNode
        networkInterfacesPerNode = Int(machine.networkInterfaces.value)
        self.links = links.loads.map {
            ClusterTopology.ModelledLink(
                kind: $0.kind, links: $0.links, bytesPerStep: $0.bytesPerStep,
                bytesPerModelledSecond: $0.bytesPerSecond, utilisation: $0.utilisation)
        }
    }
}
