import Jobs

/// How a phase runs on a wafer, and how long a step of it takes: on a floor plan, or with weights streamed.
public enum WaferSchedule: Hashable, Sendable {
    case pipelined(FloorPlan, PipelineTime)
    case streaming(StreamingPlan)

    /// The schedule of phase `index` of `job` on the wafer `profile`.
    ///
    /// - Parameter plans: where floor plans are kept and looked up.
    /// - Throws: `PerformanceModelError.unsupported` where the profile is no wafer, there is no such phase, or the network
    ///   doesn't fit.
    public init(
        job: Job, profile: HardwareProfile, layout: StepModel.Layout, phase index: Int,
        plans: PlanMemory = PlanMemory(most: 1)
    ) throws(PerformanceModelError) {
        guard let machine = profile.wafer else {
            throw .unsupported("'\(profile.name)' is a cluster; networks are placed on wafers, such as cs1")
        }
        let phase = try StepModel.phase(index, of: job)
        let graph = WaferGraph(
            StepModel.workload(of: phase, in: job, layout), sparsity: try layout.weightSparsity(of: job))
        try self.init(
            graph, machine: machine, core: WaferCore(machine), globalBatch: phase.globalBatch,
            execution: layout.execution, replicas: layout.replicas, plans: plans)
    }

    /// The schedule of steps of `globalBatch` samples: layer-pipelined where nothing else is asked for and the network
    /// fits, else with weights streamed, where the machine can.
    init(
        _ graph: WaferGraph, machine: WaferMachine, core: WaferCore, globalBatch: Int,
        execution: WaferExecution? = nil, replicas: Int? = nil, plans: PlanMemory = PlanMemory(most: 1)
    ) throws(PerformanceModelError) {
        switch execution {
        case .streaming:
            guard replicas ?? 1 == 1 else {
                throw .unsupported(
                    "found \(replicas ?? 1) copies of the network with streamed weights; allowed: 1, since every layer has "
                        + "the whole wafer")
            }
            self = .streaming(try StreamingPlan(graph, machine: machine, core: core, globalBatch: globalBatch))
        case .pipelined:
            self = try Self.pipelined(graph, machine, core, globalBatch, replicas, plans)
        case nil:
            do {
                self = try Self.pipelined(graph, machine, core, globalBatch, replicas, plans)
            } catch {
                guard machine.weightStore != nil, replicas == nil else { throw error }
                self = .streaming(try StreamingPlan(graph, machine: machine, core: core, globalBatch: globalBatch))
            }
        }
    }

    private static func pipelined(
        _ graph: WaferGraph, _ machine: WaferMachine, _ core: WaferCore, _ globalBatch: Int, _ replicas: Int?,
        _ plans: PlanMemory
    ) throws(PerformanceModelError) -> WaferSchedule {
        let plan = try plans.plan(graph, machine: machine, core: core, globalBatch: globalBatch, replicas: replicas)
        return .pipelined(
            plan,
            PipelineTime(
                plan, samples: globalBatch, inputBytesPerSecond: machine.ioBytesPerSecond,
                launch: machine.launchSeconds))
    }

    /// How it runs.
    public var execution: WaferExecution {
        switch self {
        case .pipelined: .pipelined
        case .streaming: .streaming
        }
    }

    /// Seconds of a step.
    public var seconds: Double {
        switch self {
        case .pipelined(_, let time): time.seconds
        case .streaming(let plan): plan.seconds
        }
    }

    /// The network.
    public var graph: WaferGraph {
        switch self {
        case .pipelined(let plan, _): plan.graph
        case .streaming(let plan): plan.graph
        }
    }

    /// Where the kernels lie, if each has its own place.
    public var floorPlan: FloorPlan? {
        if case .pipelined(let plan, _) = self { plan } else { nil }
    }

    /// Non-zero weights of the fullest core over the mean, in the kernel where this is most.
    var worstImbalance: Double {
        switch self {
        case .pipelined(let plan, _): plan.rectangles.map(\.layout.imbalance).max() ?? 1
        case .streaming(let plan): plan.worstImbalance
        }
    }
}

extension StreamingPlan {
    /// Non-zero weights of the fullest row of cores over the mean, in the kernel where this is most.
    fileprivate var worstImbalance: Double {
        graph.kernels.map { kernel in
            guard case .dense(_, let inputs, let outputs) = kernel.work, kernel.density < 1 else { return 1 }
            let weights = (Double(inputs) / Double(featureRows)).rounded(.up) * Double(outputs)
            return NonZeroLoad.expectedMost(
                ofWeights: weights, density: kernel.density, pattern: kernel.pattern, cores: featureRows)
                / (weights * kernel.density)
        }.max() ?? 1
    }
}
