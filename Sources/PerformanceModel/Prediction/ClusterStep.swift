import Jobs

/// A step of a data-parallel cluster: roofline operators, one all-reduce of the whole gradient, the optimizer.
enum ClusterStep {
    // Shares of the stated rates that mixed-precision training reached on V100 (published rows of 2019 to 2021).
    private static let matrixShare = 0.6
    private static let memoryShare = 0.8
    private static let launchSeconds = 4e-6

    static func predict(
        graph: OperatorGraph, machine: ClusterMachine, profile: String, workers: Int, accumulation: Int,
        globalBatch: Int, precision: Precision
    ) throws(PerformanceModelError) -> ModelledStep {
        guard let peak = machine.peakFlopsPerSecond(precision) else {
            throw .unsupported("\(machine.deviceName) of '\(profile)' has no \(precision.rawValue)")
        }
        let bandwidth = machine.memoryGigabytesPerSecond.value * 1e9 * memoryShare
        var (matrix, memory, launch) = (0.0, 0.0, 0.0)
        for next in graph.operators {
            if case .matrixProduct = next.work {
                matrix += max(next.flops / (peak * matrixShare), next.bytes(precision) / bandwidth)
            } else {
                memory += next.bytes(precision) / bandwidth
            }
            launch += Double(next.fusedKernels) * launchSeconds
        }
        let compute = (matrix + memory + launch) * Double(accumulation)
        let optimizer = graph.update.reduce(0) { $0 + $1.bytes(precision) } / bandwidth
        let nodes = (workers + machine.devicesPerNode - 1) / machine.devicesPerNode
        let bytes = Double(graph.parameterCount * precision.bytesPerElement)
        let bus = nodes > 1 ? machine.interNodeBusGigabytesPerSecond : machine.intraNodeBusGigabytesPerSecond
        let exchange = workers > 1 ? 2 * bytes * Double(workers - 1) / Double(workers) / (bus.value * 1e9) : 0
        let step = compute + exchange + optimizer
        let parts: [(ModelledStep.Bound, Double)] = [
            (.matrixRate, matrix * Double(accumulation)), (.memoryBandwidth, memory * Double(accumulation)),
            (.kernelLaunch, launch * Double(accumulation)), (.network, exchange), (.optimizer, optimizer),
        ]
        return ModelledStep(
            hardware: profile, stack: machine.defaultStack, precision: precision, workers: workers, nodes: nodes,
            microBatch: graph.workload.microBatch, accumulation: accumulation, globalBatch: globalBatch,
            step: ModelledSeconds(step), compute: ModelledSeconds(compute),
            exposedCommunication: ModelledSeconds(exchange), optimizer: ModelledSeconds(optimizer),
            pipelineFill: .zero, sequencesPerSecond: Double(globalBatch) / step,
            boundBy: parts.max { $0.1 < $1.1 }?.0 ?? .matrixRate, extrapolated: [])
    }
}
