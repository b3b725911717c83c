import Jobs

/// A step's time on the modelled clock, with its 90 % interval and where it goes.
public struct ModelledStep: Hashable, Sendable, Codable {
    /// The profile's name.
    public var hardware: String
    /// The software stack's name; nil on a wafer.
    public var stack: String?
    /// The matrix products' format.
    public var precision: Precision
    /// Ranks that share the global batch.
    public var workers: Int
    /// The nodes that the ranks fill.
    public var nodes: Int
    /// Sequences that a rank computes at once.
    public var microBatch: Int
    /// Micro-batches of a rank before it updates.
    public var accumulation: Int
    /// Sequences of the step.
    public var globalBatch: Int
    /// The step in all; the parts below add up to it.
    public var step: ModelledSeconds
    /// The ends of the step's 90 % interval.
    public var low: ModelledSeconds
    /// The ends of the step's 90 % interval.
    public var high: ModelledSeconds
    /// Forward and backward passes of a typical rank, its host's work included.
    public var compute: ModelledSeconds
    /// Waiting for the slowest rank.
    public var waiting: ModelledSeconds
    /// Gradient exchange that nothing hides; on a wafer, waiting for streamed weights and gradients.
    public var exposedCommunication: ModelledSeconds
    /// The optimizer.
    public var optimizer: ModelledSeconds
    /// A pipeline's fill and drain, and starting the step (wafer).
    public var pipelineFill: ModelledSeconds
    /// Sequences a second.
    public var sequencesPerSecond: Double
    /// Throughput against that of one rank with the same micro-batch and accumulation, times the ranks.
    public var scalingEfficiency: Double
    /// Share of the devices' stated matrix rate that the step's matrix products use.
    public var modelFlopsUtilisation: Double
    /// What a faster step would need first.
    public var boundBy: Bound
    /// Why the figure lies outside what was calibrated; empty where it doesn't.
    public var extrapolated: [String]
    /// How the network runs on a wafer; nil on other machines.
    public var execution: WaferExecution?

    /// The resource that takes the largest part.
    public enum Bound: String, Hashable, Sendable, Codable, CaseIterable {
        /// The rate of matrix products.
        case matrixRate = "matrix_rate"
        /// Element-wise traffic to and from memory.
        case memoryBandwidth = "memory_bandwidth"
        /// Starting kernels, and the host's work.
        case kernelLaunch = "kernel_launch"
        /// Gradient exchange.
        case network
        /// The update of weights.
        case optimizer
        /// Getting examples into the machine.
        case inputOutput = "input_output"
        /// Filling and draining a pipeline.
        case pipeline
    }

    enum CodingKeys: String, CodingKey {
        case hardware, stack, precision, workers, nodes
        case microBatch = "micro_batch"
        case accumulation
        case globalBatch = "global_batch"
        case step = "step_seconds"
        case low = "low_seconds"
        case high = "high_seconds"
        case compute = "compute_seconds"
        case waiting = "waiting_seconds"
        case exposedCommunication = "exposed_communication_seconds"
        case optimizer = "optimizer_seconds"
        case pipelineFill = "pipeline_fill_seconds"
        case sequencesPerSecond = "sequences_per_second"
        case scalingEfficiency = "scaling_efficiency"
        case modelFlopsUtilisation = "model_flops_utilisation"
        case boundBy = "bound_by"
        case extrapolated, execution
    }
}

extension ModelledStep {
    /// The step of `setup` with `stack`'s constants of `calibration`.
    public init(_ setup: ClusterSetup, stack: SoftwareStack, calibration: Calibration) {
        let constants = calibration.constants(for: setup, stack: stack)
        let step = ClusterStep(setup, constants)
        var alone = setup
        (alone.nodes, alone.devicesPerNode) = (1, 1)
        let single = ClusterStep(alone, constants)
        let parts: [(Bound, Double)] = [
            (.matrixRate, step.compute.matrix), (.memoryBandwidth, step.compute.memory),
            (.kernelLaunch, step.compute.launch + step.host), (.network, step.exposed), (.optimizer, step.update),
        ]
        let extrapolated = calibration.extrapolations(for: setup, stack: stack)
        let factor = calibration.shared.interval.factor(
            ranks: setup.ranks, nodes: setup.nodes, isExtrapolated: !extrapolated.isEmpty,
            isUnknownStack: stack.efficiency[setup.precision] == nil)
        let peak = setup.machine.peakFlopsPerSecond(setup.precision) ?? .infinity
        let flops = setup.template.matrixFlops * Double(setup.accumulation)
        self.init(
            hardware: setup.hardware, stack: stack.name, precision: setup.precision, workers: setup.ranks,
            nodes: setup.nodes, microBatch: setup.template.workload.microBatch, accumulation: setup.accumulation,
            globalBatch: setup.globalBatch, step: ModelledSeconds(step.total),
            low: ModelledSeconds(step.total / factor), high: ModelledSeconds(step.total * factor),
            compute: ModelledSeconds(step.compute.total + step.host), waiting: ModelledSeconds(step.waiting),
            exposedCommunication: ModelledSeconds(step.exposed), optimizer: ModelledSeconds(step.update),
            pipelineFill: .zero, sequencesPerSecond: Double(setup.globalBatch) / step.total,
            scalingEfficiency: single.total / step.total, modelFlopsUtilisation: flops / (step.total * peak),
            boundBy: parts.max { $0.1 < $1.1 }?.0 ?? .matrixRate, extrapolated: extrapolated)
    }
}

extension SharedConstants.Interval {
    /// The factor from a predicted time to the far end of its 90 % interval; its inverse leads to the near end.
    func factor(ranks: Int, nodes: Int, isExtrapolated: Bool, isUnknownStack: Bool) -> Double {
        let known = nodes > 1 ? severalNodesPercent : (ranks > 1 ? oneNodePercent : oneDevicePercent)
        let percent = isUnknownStack ? unknownStackPercent : known
        return 1 + percent / 100 * (isExtrapolated ? extrapolatedFactor : 1)
    }
}
