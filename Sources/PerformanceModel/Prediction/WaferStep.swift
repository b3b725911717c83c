import Jobs

/// A bound on a wafer's step under layer-pipelined execution, for as long as nothing has been placed.
///
/// The whole training graph is on the wafer; samples stream through; kernels are sized so that all take about as long.
/// So a step takes as long as its matrix work at the sustained share of the usable grid's peak, plus the time in which
/// the pipeline fills (one sample passes every stage, forward and back), and never less than its input takes to arrive.
/// `Wafer`'s placement replaces this by rectangles with their own rates.
public enum WaferStep {
    /// Half-width of the interval: the sustained share is known from one measurement of another kernel.
    static let intervalFactor = 1.5

    /// The step of `globalBatch` sequences of `workload` on `machine`; the workload's micro-batch is one sequence.
    public static func predict(
        workload: Workload, machine: WaferMachine, profile: String, globalBatch: Int
    ) -> ModelledStep {
        let template = StepTemplate(workload)
        let rate = machine.peakFlopsPerSecond * machine.sustainedShare.value
        let sample = template.matrixFlops / Double(workload.microBatch) / rate
        let streaming = sample * Double(globalBatch)
        // Stages: embeddings, the layers forward and back, the heads; each holds one sample at a time.
        let fill = sample * Double(2 * workload.model.layers + 3)
        // 4-byte token, type and mask entries of each position, as a host would send them.
        let input = Double(globalBatch * workload.sequence) * 12 / machine.ioBytesPerSecond
        let compute = max(streaming, input)
        // Every weight has its optimizer state beside it in SRAM.
        let update = template.update.fusedElements * 4 / (machine.memoryPetabytesPerSecond.value * 1e15)
        let step = compute + fill + update
        return ModelledStep(
            hardware: profile, stack: nil, precision: .fp16, workers: 1, nodes: 1, microBatch: 1,
            accumulation: globalBatch, globalBatch: globalBatch, step: ModelledSeconds(step),
            low: ModelledSeconds(step / intervalFactor), high: ModelledSeconds(step * intervalFactor),
            compute: ModelledSeconds(compute), waiting: .zero, exposedCommunication: .zero,
            optimizer: ModelledSeconds(update), pipelineFill: ModelledSeconds(fill),
            sequencesPerSecond: Double(globalBatch) / step, scalingEfficiency: 1,
            modelFlopsUtilisation: sample * rate * Double(globalBatch) / (step * machine.peakFlopsPerSecond),
            boundBy: input > streaming ? .inputOutput : (fill > streaming ? .pipeline : .matrixRate),
            extrapolated: ["no training step of this machine has been published: a bound, not a calibrated figure"])
    }
}
