import Jobs

/// A phase of a job on a wafer: its floor plan, the step's time by the formula, and by the replay of single samples.
public struct Placement: Sendable {
    /// Where the kernels lie.
    public let plan: FloorPlan
    /// The step by the formula.
    public let time: PipelineTime
    /// Sequences of a step.
    public let globalBatch: Int
    /// Optimizer steps of the phase.
    public let steps: Int
    /// Samples that the replay sent through, and the seconds that it took; the formula's for as many samples.
    public let replayedSamples: Int
    public let replayedSeconds: Double
    public let formulaSeconds: Double

    /// Samples beyond which a replay tells nothing new.
    private static let mostReplayed = 1024

    /// The placement of phase `index` of `job` on the wafer `profile`.
    ///
    /// - Parameter replicas: copies of the network; as many as pay where nil.
    /// - Throws: `PerformanceModelError.unsupported` where the profile is no wafer, there is no such phase, or the network
    ///   doesn't fit.
    public init(
        job: Job, profile: HardwareProfile, phase index: Int, replicas: Int? = nil
    ) throws(PerformanceModelError) {
        guard let machine = profile.wafer else {
            throw .unsupported("'\(profile.name)' is a cluster; networks are placed on wafers, such as cs1")
        }
        let phase = try StepModel.phase(index, of: job)
        let workload = StepModel.workload(
            of: phase, in: job, StepModel.Layout(workers: 1))
        let planner = FloorPlanner(workload, machine: machine)
        if let replicas {
            guard 1...phase.globalBatch ~= replicas else {
                throw .unsupported(
                    "found \(replicas) copies of the network; allowed: 1 to \(phase.globalBatch), the global batch")
            }
            guard let plan = planner.plan(replicas: replicas) else {
                throw .unsupported("\(replicas) copies of the network don't fit the wafer; try fewer")
            }
            self.plan = plan
        } else {
            plan = try planner.plan(globalBatch: phase.globalBatch)
        }
        time = PipelineTime(plan, samples: phase.globalBatch, inputBytesPerSecond: machine.ioBytesPerSecond)
        globalBatch = phase.globalBatch
        steps = phase.steps
        replayedSamples = min(time.samplesOfReplica, Self.mostReplayed)
        replayedSeconds = PipelineReplay(plan, samples: replayedSamples).cycles / plan.core.hertz
        formulaSeconds = Double(replayedSamples) * time.kernelInterval + time.fill
    }
}
