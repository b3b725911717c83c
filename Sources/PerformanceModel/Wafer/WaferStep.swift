import Jobs

/// A wafer's step under layer-pipelined execution: the whole training graph lies on the wafer at once and samples stream
/// through it, so a step takes its samples times the slowest kernel, the filling of the pipeline, and the update.
public enum WaferStep {
    /// Half-width of the interval: the sustained share is known from one measurement of another kernel.
    static let intervalFactor = 1.5

    /// The step of `globalBatch` sequences of `workload` on `machine`, and the plan that it runs on.
    ///
    /// - Throws: `PerformanceModelError.unsupported` where the network doesn't fit the wafer.
    public static func predict(
        workload: Workload, machine: WaferMachine, profile: String, globalBatch: Int
    ) throws(PerformanceModelError) -> (step: ModelledStep, plan: FloorPlan?) {
        let plan = try FloorPlanner(workload, machine: machine).plan(globalBatch: globalBatch)
        let time = PipelineTime(plan, samples: globalBatch, inputBytesPerSecond: machine.ioBytesPerSecond)
        let streaming = Double(time.samplesOfReplica) * time.interval
        let flops = plan.graph.kernels.reduce(0.0) { $0 + 2 * $1.multiplyAdds } * Double(globalBatch)
        let bound: ModelledStep.Bound =
            if time.fill > streaming {
                .pipeline
            } else if time.inputInterval >= time.interval {
                .inputOutput
            } else {
                time.streamInterval >= time.interval ? .network : .matrixRate
            }
        let step = ModelledStep(
            hardware: profile, stack: nil, precision: .fp16, workers: 1, nodes: 1, microBatch: 1,
            accumulation: globalBatch, globalBatch: globalBatch, step: ModelledSeconds(time.seconds),
            low: ModelledSeconds(time.seconds / intervalFactor), high: ModelledSeconds(time.seconds * intervalFactor),
            compute: ModelledSeconds(streaming), waiting: .zero, exposedCommunication: .zero,
            optimizer: ModelledSeconds(time.update), pipelineFill: ModelledSeconds(time.fill),
            sequencesPerSecond: Double(globalBatch) / time.seconds, scalingEfficiency: 1,
            modelFlopsUtilisation: flops / (time.seconds * machine.peakFlopsPerSecond), boundBy: bound,
            extrapolated: ["no training step of this machine has been published: a bound, not a calibrated figure"])
        return (step, plan)
    }
}
