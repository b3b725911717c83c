/// The time of a step on a plan: the formula, part by part, in seconds.
public struct PipelineTime: Hashable, Sendable {
    /// Samples that each copy of the network takes in.
    public var samplesOfReplica: Int
    /// Seconds between two samples of a copy: the slowest of the kernels, the streams between them, and the input.
    public var interval: Double
    /// The interval that the kernels alone would allow, the streams, and the input.
    public var kernelInterval: Double
    public var streamInterval: Double
    public var inputInterval: Double
    /// Seconds beyond the samples' intervals: the first sample's way through the empty pipeline, forward and back, and
    /// what samples that meet in a kernel wait for each other until all keep step.
    public var fill: Double
    /// Seconds of the weight update: the fullest core's parameters, the norms over the grid, the sum over the copies.
    public var update: Double

    /// Seconds that starting the step costs.
    public var launch: Double

    /// The step in seconds.
    public var seconds: Double { Double(samplesOfReplica) * interval + fill + update + launch }
    /// Samples that the pipeline holds when it is full.
    public var depth: Double { fill / interval + 1 }

    /// Samples after which a pipeline is full and nothing changes any more: twice its depth, and enough for small ones.
    private static func samplesUntilFull(_ graph: WaferGraph) -> Int {
        max(64, 2 * graph.kernels.count { $0.waitsForWholeSample } + 2)
    }

    /// A step of `samples` samples on `plan`; `inputBytesPerSecond` limits what comes in from outside, and starting it
    /// costs `launch` seconds.
    public init(_ plan: FloorPlan, samples: Int, inputBytesPerSecond: Double = .infinity, launch: Double = 0) {
        self.launch = launch
        let core = plan.core
        samplesOfReplica = (samples + plan.replicas - 1) / plan.replicas
        kernelInterval = plan.intervalCycles / core.hertz
        streamInterval = plan.busiestStreamCycles / core.hertz
        inputInterval = plan.graph.inputBytes * Double(plan.replicas) / inputBytesPerSecond
        interval = max(kernelInterval, streamInterval, inputInterval)
        let first = min(samplesOfReplica, Self.samplesUntilFull(plan.graph))
        fill = max(
            0, (PipelineReplay(plan, samples: first).cycles - Double(first) * plan.intervalCycles) / core.hertz)
        let parameters = plan.rectangles.map(\.layout.parametersPerCore).max() ?? 0
        let arithmetic = parameters * WaferCore.updateOperations / core.operationsPerCycle
        // Norms cross the grid and come back; copies pass blocks of gradients on, once to sum and once to spread.
        let across = 2 * Double(plan.columns + plan.rows)
        let copies = 2 * Double(plan.replicas - 1) * parameters * WaferCore.bytesPerActivation / core.linkBytesPerCycle
        update = (arithmetic + across + copies) / core.hertz
    }
}
