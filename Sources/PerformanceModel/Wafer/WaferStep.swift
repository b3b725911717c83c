import Jobs

/// A wafer's step as a modelled step: its parts, what bounds it, and how sure it is.
enum WaferStep {
    /// Half-width of the interval: the sustained share is known from one measurement of another kernel.
    static let intervalFactor = 1.5

    /// The step of `globalBatch` sequences on `machine` by `schedule`.
    static func step(
        _ schedule: WaferSchedule, machine: WaferMachine, profile: String, globalBatch: Int
    ) -> ModelledStep {
        let parts = Parts(schedule)
        let seconds = schedule.seconds
        let flops = schedule.graph.kernels.reduce(0.0) { $0 + 2 * $1.multiplyAdds } * Double(globalBatch)
        return ModelledStep(
            hardware: profile, stack: nil, precision: .fp16, workers: 1, nodes: 1, microBatch: parts.microBatch,
            accumulation: parts.accumulation, globalBatch: globalBatch, step: ModelledSeconds(seconds),
            low: ModelledSeconds(seconds / intervalFactor), high: ModelledSeconds(seconds * intervalFactor),
            compute: ModelledSeconds(parts.compute), waiting: .zero,
            exposedCommunication: ModelledSeconds(parts.exposed), optimizer: ModelledSeconds(parts.update),
            pipelineFill: ModelledSeconds(parts.fill), sequencesPerSecond: Double(globalBatch) / seconds,
            scalingEfficiency: 1, modelFlopsUtilisation: flops / (seconds * machine.peakFlopsPerSecond),
            boundBy: parts.bound,
            extrapolated: ["no training step of this machine has been published: a bound, not a calibrated figure"],
            execution: schedule.execution)
    }

    /// A step's parts; they add up to it.
    private struct Parts {
        var compute: Double
        var exposed: Double
        var update: Double
        /// The filling of the pipeline, and starting the step.
        var fill: Double
        var bound: ModelledStep.Bound
        var microBatch: Int
        var accumulation: Int

        init(_ schedule: WaferSchedule) {
            switch schedule {
            case .pipelined(let plan, let time):
                let streaming = Double(time.samplesOfReplica) * time.interval
                (compute, exposed, update, fill) = (streaming, 0, time.update, time.fill + time.launch)
                (microBatch, accumulation) = (plan.replicas, time.samplesOfReplica)
                bound =
                    if fill > streaming {
                        time.launch > time.fill ? .kernelLaunch : .pipeline
                    } else if time.inputInterval >= time.interval {
                        .inputOutput
                    } else {
                        time.streamInterval >= time.interval ? .network : .matrixRate
                    }
            case .streaming(let plan):
                (compute, exposed, update, fill) = (plan.computeSeconds, plan.exposedSeconds, 0, plan.launch)
                (microBatch, accumulation) = (plan.samplesOfPass, plan.passes)
                bound =
                    if fill > compute + exposed {
                        .kernelLaunch
                    } else {
                        exposed > compute ? .inputOutput : .matrixRate
                    }
            }
        }
    }
}
