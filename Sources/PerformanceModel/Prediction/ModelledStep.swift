import Jobs

/// A step's time on the modelled clock, and where it goes.
public struct ModelledStep: Hashable, Sendable, Codable {
    /// The profile's name.
    public var hardware: String
    /// The software stack's name; nil on a wafer.
    public var stack: String?
    /// The matrix products' format.
    public var precision: Precision
    /// Ranks that share the global batch, and the nodes that they fill.
    public var workers: Int
    public var nodes: Int
    /// Sequences that a rank computes at once, and how often before it updates.
    public var microBatch: Int
    public var accumulation: Int
    /// Sequences of the step.
    public var globalBatch: Int
    /// The step in all; the parts below add up to it.
    public var step: ModelledSeconds
    /// Forward and backward passes.
    public var compute: ModelledSeconds
    /// Gradient exchange that nothing hides.
    public var exposedCommunication: ModelledSeconds
    /// The optimizer.
    public var optimizer: ModelledSeconds
    /// A pipeline's fill and drain (wafer).
    public var pipelineFill: ModelledSeconds
    /// Sequences a second.
    public var sequencesPerSecond: Double
    /// What a faster step would need first.
    public var boundBy: Bound
    /// Why the figure lies outside what was calibrated; empty where it doesn't.
    public var extrapolated: [String]

    /// The resource that takes the largest part.
    public enum Bound: String, Hashable, Sendable, Codable, CaseIterable {
        case matrixRate = "matrix_rate"
        case memoryBandwidth = "memory_bandwidth"
        case kernelLaunch = "kernel_launch"
        case network
        case optimizer
        case inputOutput = "input_output"
        case pipeline
    }

    enum CodingKeys: String, CodingKey {
        case hardware, stack, precision, workers, nodes
        case microBatch = "micro_batch"
        case accumulation
        case globalBatch = "global_batch"
        case step = "step_seconds"
        case compute = "compute_seconds"
        case exposedCommunication = "exposed_communication_seconds"
        case optimizer = "optimizer_seconds"
        case pipelineFill = "pipeline_fill_seconds"
        case sequencesPerSecond = "sequences_per_second"
        case boundBy = "bound_by"
        case extrapolated
    }
}
