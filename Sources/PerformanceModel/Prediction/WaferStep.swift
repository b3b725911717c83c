import Jobs

/// A bound on a wafer's step under layer-pipelined execution, for as long as nothing has been placed.
///
/// The whole training graph is on the wafer; samples stream through; kernels are sized so that all take about as long.
/// So a step takes as long as its matrix work at the sustained share of the usable grid's peak, plus the time in which
/// the pipeline fills (one sample passes every stage, forward and back), and never less than its input takes to arrive.
/// `Wafer`'s placement replaces this by rectangles with their own rates.
enum WaferStep {
    static func predict(graph: OperatorGraph, machine: WaferMachine, profile: String, globalBatch: Int) -> ModelledStep
    {
        let rate = machine.peakFlopsPerSecond * machine.sustainedShare.value
        let samples = Double(globalBatch) / Double(graph.workload.microBatch)
        let sample = graph.matrixFlops / rate
        let streaming = sample * samples
        // Stages: embeddings, the layers forward and back, the heads; each holds one sample at a time.
        let stages = Double(2 * graph.workload.model.layers + 3)
        let fill = sample * stages
        // 4-byte token, type and mask entries of each position, as a host would send them.
        let input = Double(globalBatch * graph.workload.sequence) * 12 / machine.ioBytesPerSecond
        let compute = max(streaming, input)
        // Every weight has its optimizer state beside it in SRAM: 12 reads and writes of 4 bytes each, on all cores.
        let update = Double(graph.parameterCount) * 48 / (machine.memoryPetabytesPerSecond.value * 1e15)
        let step = compute + fill + update
        return ModelledStep(
            hardware: profile, stack: nil, precision: .fp16, workers: 1, nodes: 1, microBatch: 1,
            accumulation: globalBatch, globalBatch: globalBatch, step: ModelledSeconds(step),
            compute: ModelledSeconds(compute), exposedCommunication: .zero, optimizer: ModelledSeconds(update),
            pipelineFill: ModelledSeconds(fill), sequencesPerSecond: Double(globalBatch) / step,
            boundBy: input > streaming ? .inputOutput : (fill > streaming ? .pipeline : .matrixRate),
            extrapolated: ["no training step of this machine has been published: a bound, not a calibrated figure"])
    }
}
