import Jobs
import PerformanceModel

/// What a job would take on more and more devices of a cluster, beside a wafer: the performance model's figures, all on
/// the modelled clock, for all steps that the job has.
public struct ModelledScaling: Sendable, Encodable {
    /// One size of the cluster.
    public struct Point: Sendable, Encodable {
        /// Devices that share the global batch, and the nodes that they fill.
        public var devices: Int
        public var nodes: Int
        /// The whole job, and the ends of its 90 % interval.
        public var timeModelledSeconds: Double
        public var lowModelledSeconds: Double
        public var highModelledSeconds: Double
        /// Sequences a second in the first phase.
        public var sequencesPerModelledSecond: Double
        /// The time on one device over this one's times the devices: 1 where doubling them halves the time.
        public var scalingEfficiency: Double
        /// The share of the first phase's step in which nothing but the exchange of gradients goes on.
        public var exposedCommunicationShare: Double
        /// What bounds the first phase's step.
        public var boundBy: String
        /// Energy and cost of the whole job; nil where the profile states no power or price.
        public var energyKilowattHours: Double?
        public var costUsDollars: Double?
        /// Whether it lies outside what the model was calibrated on.
        public var isExtrapolated: Bool
    }

    /// The wafer beside which it stands.
    public struct Wafer: Sendable, Encodable {
        public var hardware: String
        public var timeModelledSeconds: Double
        public var lowModelledSeconds: Double
        public var highModelledSeconds: Double
        public var energyKilowattHours: Double?
        public var costUsDollars: Double?
        /// The fewest devices, in whole nodes beyond the first, on which the job takes no longer than on the wafer; nil
        /// where no number that its global batch allows does.
        public var devicesToMatch: Int?
    }

    /// The cluster's profile.
    public var hardware: String
    /// Optimizer steps of all phases.
    public var steps: Int
    /// One device, then twice as many each time, as far as the smallest global batch and whole nodes go.
    public var points: [Point]
    /// The wafer, if one was asked for.
    public var wafer: Wafer?
    /// The most devices up to which each doubling cuts the time by a fifth or more.
    public var worthwhileDevices: Int
    /// The same where the batch grows with the cluster; nil where no run measured how far that helps.
    public var growth: BatchGrowth?

    /// A doubling that saves less than this share of the time is taken not to pay.
    public static let worthwhileSaving = 0.2
    /// The most devices up to which each doubling cuts the time by that share or more.
    static func worthwhile(_ sizes: [(devices: Int, modelledSeconds: Double)]) -> Int {
        let paying = zip(sizes, sizes.dropFirst()).prefix { smaller, larger in
            larger.modelledSeconds <= smaller.modelledSeconds * (1 - worthwhileSaving)
        }
        return paying.last?.1.devices ?? sizes.first?.devices ?? 1
    }

    /// More devices are not looked at.
    static let mostDevices = 4_096

    /// The scaling of `job` on `cluster`; nil where the machine can't do it at all.
    ///
    /// - Parameters:
    ///   - wafer: the wafer to compare with; left out where it can't do the job.
    ///   - vocabularySize: entries of the vocabulary, where they have been counted.
    ///   - noise: the gradient noise scale that a run measured.
    ///   - plans: where the wafer's floor plans are kept and looked up.
    public init?(
        job: Job, cluster: HardwareProfile, wafer: HardwareProfile?, vocabularySize: Int?,
        noise: BatchGrowth.Noise? = nil, plans: PlanMemory = PlanMemory(most: 1)
    ) {
        let sizes = ClusterSizes(job: job, profile: cluster, vocabularySize: vocabularySize)
        let predictions = sizes.doublings.compactMap { devices in sizes.predict(devices).map { (devices, $0) } }
        guard let alone = predictions.first?.1 else { return nil }
        hardware = cluster.name
        steps = job.totalSteps
        points = predictions.compactMap { Point(devices: $0, $1, alone: alone) }
        worthwhileDevices = Self.worthwhile(points.map { ($0.devices, $0.timeModelledSeconds) })
        growth = noise.flatMap {
            BatchGrowth(
                job: job, profile: cluster, vocabularySize: vocabularySize, devices: sizes.growing, noise: $0)
        }
        guard let wafer,
            let prediction = try? JobPrediction(
                job: job, profile: wafer, layout: StepModel.Layout(workers: 1, vocabularySize: vocabularySize),
                plans: plans)
        else { return }
        self.wafer = Wafer(
            hardware: wafer.name, timeModelledSeconds: prediction.time.seconds,
            lowModelledSeconds: prediction.low.seconds, highModelledSeconds: prediction.high.seconds,
            energyKilowattHours: prediction.energyKilowattHours, costUsDollars: prediction.costUSDollars,
            devicesToMatch: sizes.fewest(within: prediction.time.seconds))
    }
}

extension ModelledScaling.Point {
    fileprivate init?(devices: Int, _ prediction: JobPrediction, alone: JobPrediction) {
        guard let first = prediction.phases.first?.step, first.step.seconds > 0, prediction.time.seconds > 0 else {
            return nil
        }
        self.init(
            devices: devices, nodes: first.nodes, timeModelledSeconds: prediction.time.seconds,
            lowModelledSeconds: prediction.low.seconds, highModelledSeconds: prediction.high.seconds,
            sequencesPerModelledSecond: first.sequencesPerSecond,
            scalingEfficiency: alone.time.seconds / (prediction.time.seconds * Double(devices)),
            exposedCommunicationShare: first.exposedCommunication.seconds / first.step.seconds,
            boundBy: first.boundBy.rawValue, energyKilowattHours: prediction.energyKilowattHours,
            costUsDollars: prediction.costUSDollars, isExtrapolated: !prediction.extrapolated.isEmpty)
    }
}

/// The sizes that a cluster can have for a job: parts of a node, then whole nodes.
private struct ClusterSizes {
    let job: Job
    let profile: HardwareProfile
    let vocabularySize: Int?

    private var devicesPerNode: Int { max(1, profile.cluster?.devicesPerNode ?? 1) }
    private var most: Int { min(ModelledScaling.mostDevices, job.phases.map(\.globalBatch).min() ?? 1) }

    /// 1, 2, 4 … devices of one node, then 1, 2, 4 … nodes: as many as the global batch has sequences.
    var doublings: [Int] { doublings(most: most) }
    /// The same, as many as are looked at: where the batch grows with them.
    var growing: [Int] { doublings(most: ModelledScaling.mostDevices) }

    private func doublings(most: Int) -> [Int] {
        let inNode = sequence(first: 1) { $0 * 2 }.prefix { $0 < devicesPerNode }
        let nodes = sequence(first: devicesPerNode) { $0 * 2 }.prefix { $0 <= most }
        return inNode.filter { $0 <= most } + nodes
    }

    func predict(_ devices: Int) -> JobPrediction? {
        try? JobPrediction(
            job: job, profile: profile, layout: StepModel.Layout(workers: devices, vocabularySize: vocabularySize))
    }

    /// The fewest devices that take at most `seconds`, by halving the stretch between two doublings.
    func fewest(within seconds: Double) -> Int? {
        func isWithin(_ devices: Int) -> Bool { (predict(devices)?.time.seconds ?? .infinity) <= seconds }
        let sizes = doublings
        guard let index = sizes.firstIndex(where: isWithin) else { return nil }
        guard index > 0 else { return sizes[index] }
        let unit = sizes[index] > devicesPerNode ? devicesPerNode : 1
        var (tooFew, enough) = (sizes[index - 1] / unit, sizes[index] / unit)
        while enough - tooFew > 1 {
            let middle = (tooFew + enough) / 2
            if isWithin(middle * unit) { enough = middle } else { tooFew = middle }
        }
        return enough * unit
    }
}
