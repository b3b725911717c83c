import Jobs

/// A phase of a job on a wafer: how it runs, the step's time by the formula, and by the replay of single samples or passes.
public struct Placement: Sendable {
    /// The floor plan, or the stages of streamed weights.
    public let schedule: WaferSchedule
    /// Sequences of a step.
    public let globalBatch: Int
    /// Optimizer steps of the phase.
    public let steps: Int
    /// Samples that the replay sent through, and the seconds that it took; the formula's for as many samples.
    public let replayedSamples: Int
    public let replayedSeconds: Double
    public let formulaSeconds: Double
    /// What zeros among the weights save; nil where there are none.
    public let sparsity: SparsityEffect?

    /// Samples beyond which a replay of a pipeline tells nothing new, and passes of streamed weights.
    private static let (mostSamples, mostPasses) = (1024, 4)

    /// The placement of phase `index` of `job` on the wafer `profile` as `layout` says.
    ///
    /// - Throws: as `WaferSchedule`.
    public init(
        job: Job, profile: HardwareProfile, phase index: Int,
        layout: StepModel.Layout = StepModel.Layout(workers: 1)
    ) throws(PerformanceModelError) {
        let phase = try StepModel.phase(index, of: job)
        schedule = try WaferSchedule(job: job, profile: profile, layout: layout, phase: index)
        globalBatch = phase.globalBatch
        steps = phase.steps
        switch schedule {
        case .pipelined(let plan, let time):
            replayedSamples = min(time.samplesOfReplica, Self.mostSamples)
            replayedSeconds = PipelineReplay(plan, samples: replayedSamples).cycles / plan.core.hertz
            formulaSeconds = Double(replayedSamples) * time.kernelInterval + time.fill
        case .streaming(let plan):
            let passes = min(plan.passes, Self.mostPasses)
            replayedSamples = min(phase.globalBatch, passes * plan.samplesOfPass)
            replayedSeconds = StreamingReplay(plan, passes: passes).seconds
            formulaSeconds = Double(passes) * plan.passSeconds
        }
        if let zeros = try layout.weightSparsity(of: job) {
            var dense = layout
            dense.sparsity = nil
            sparsity = SparsityEffect(
                without: try WaferSchedule(job: job.dense, profile: profile, layout: dense, phase: index),
                with: schedule, sparsity: zeros)
        } else {
            sparsity = nil
        }
    }
}
