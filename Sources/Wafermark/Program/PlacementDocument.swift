import PerformanceModel

/// A placement as `--json` prints it: what every placement has, and the plan of its kind.
struct PlacementDocument: Encodable {
    var clock = "modelled"
    var job: String
    var hardware: String
    var execution: WaferExecution
    var stepSeconds: Double
    var globalBatch: Int
    var sequencesPerSecond: Double
    var steps: Int
    var timeSeconds: Double
    var replayedSamples: Int
    var replayedSeconds: Double
    var formulaSeconds: Double
    var sparsity: Sparsity?
    var sensitivity: WaferSensitivity?
    private var plan: Plan

    /// What zeros among the weights save.
    struct Sparsity: Encodable {
        var density: Double
        var pattern: WeightSparsity.Pattern
        var multiplyAddShare: Double
        var imbalance: Double
        var denseStepSeconds: Double
        var sparseStepSeconds: Double
        var savedShare: Double
    }

    private enum Plan {
        case pipelined(PipelinedDocument)
        case streaming(StreamingDocument)
    }

    init(_ placement: Placement, job: String, hardware: String, sensitivity: WaferSensitivity?) {
        self.job = job
        self.hardware = hardware
        execution = placement.schedule.execution
        stepSeconds = placement.schedule.seconds
        globalBatch = placement.globalBatch
        sequencesPerSecond = Double(placement.globalBatch) / placement.schedule.seconds
        steps = placement.steps
        timeSeconds = placement.schedule.seconds * Double(placement.steps)
        replayedSamples = placement.replayedSamples
        replayedSeconds = placement.replayedSeconds
        formulaSeconds = placement.formulaSeconds
        sparsity = placement.sparsity.map {
            Sparsity(
                density: $0.density, pattern: $0.pattern, multiplyAddShare: $0.multiplyAddShare,
                imbalance: $0.imbalance, denseStepSeconds: $0.denseStep.seconds,
                sparseStepSeconds: $0.sparseStep.seconds, savedShare: $0.savedShare)
        }
        self.sensitivity = sensitivity
        plan =
            switch placement.schedule {
            case .pipelined(let plan, let time): .pipelined(PipelinedDocument(plan, time))
            case .streaming(let plan): .streaming(StreamingDocument(plan))
            }
    }

    private enum CodingKeys: CodingKey {
        case clock, job, hardware, execution, stepSeconds, globalBatch, sequencesPerSecond, steps, timeSeconds
        case replayedSamples, replayedSeconds, formulaSeconds, sparsity, sensitivity
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(clock, forKey: .clock)
        try container.encode(job, forKey: .job)
        try container.encode(hardware, forKey: .hardware)
        try container.encode(execution, forKey: .execution)
        try container.encode(stepSeconds, forKey: .stepSeconds)
        try container.encode(globalBatch, forKey: .globalBatch)
        try container.encode(sequencesPerSecond, forKey: .sequencesPerSecond)
        try container.encode(steps, forKey: .steps)
        try container.encode(timeSeconds, forKey: .timeSeconds)
        try container.encode(replayedSamples, forKey: .replayedSamples)
        try container.encode(replayedSeconds, forKey: .replayedSeconds)
        try container.encode(formulaSeconds, forKey: .formulaSeconds)
        try container.encodeIfPresent(sparsity, forKey: .sparsity)
        try container.encodeIfPresent(sensitivity, forKey: .sensitivity)
        // The plan's own keys stand beside the common ones.
        switch plan {
        case .pipelined(let document): try document.encode(to: encoder)
        case .streaming(let document): try document.encode(to: encoder)
        }
    }
}

/// What a layer-pipelined placement has besides.
struct PipelinedDocument: Encodable {
    /// A kernel in its place; lengths in cores.
    struct Kernel: Encodable {
        var name: String
        var role: WaferKernel.Role
        var layer: Int?
        var replica: Int
        var x: Int
        var y: Int
        var width: Int
        var height: Int
        var cycles: Double
        var bytesPerCore: Double
        var samplesInFlight: Int
        var imbalance: Double
    }

    var gridColumns: Int
    var gridRows: Int
    var replicas: Int
    var intervalCycles: Double
    var leastIntervalCycles: Double
    var occupiedShare: Double
    var busyShare: Double
    var memoryShare: Double
    var meanWireCores: Double
    var leastMeanWireCores: Double
    var intervalSeconds: Double
    var kernelIntervalSeconds: Double
    var streamIntervalSeconds: Double
    var inputIntervalSeconds: Double
    var pipelineDepth: Double
    var fillSeconds: Double
    var updateSeconds: Double
    var launchSeconds: Double
    var kernels: [Kernel]

    init(_ plan: FloorPlan, _ time: PipelineTime) {
        gridColumns = plan.columns
        gridRows = plan.rows
        replicas = plan.replicas
        intervalCycles = plan.intervalCycles
        leastIntervalCycles = plan.leastIntervalCycles
        occupiedShare = plan.occupiedShare
        busyShare = plan.busyShare
        memoryShare = plan.memoryShare
        meanWireCores = plan.meanWireCores
        leastMeanWireCores = plan.leastMeanWireCores
        intervalSeconds = time.interval
        kernelIntervalSeconds = time.kernelInterval
        streamIntervalSeconds = time.streamInterval
        inputIntervalSeconds = time.inputInterval
        pipelineDepth = time.depth
        fillSeconds = time.fill
        updateSeconds = time.update
        launchSeconds = time.launch
        kernels = plan.rectangles.map { rectangle in
            let kernel = plan.graph.kernels[rectangle.kernel]
            return Kernel(
                name: kernel.name, role: kernel.role, layer: kernel.layer, replica: rectangle.replica, x: rectangle.x,
                y: rectangle.y, width: rectangle.layout.columns, height: rectangle.layout.rows,
                cycles: rectangle.layout.cycles, bytesPerCore: rectangle.layout.bytesPerCore,
                samplesInFlight: rectangle.inFlight, imbalance: rectangle.layout.imbalance)
        }
    }
}

/// What a placement with streamed weights has besides.
struct StreamingDocument: Encodable {
    /// An operator's turn on the whole grid.
    struct Stage: Encodable {
        var name: String
        var isBackward: Bool
        var computeSeconds: Double
        var inSeconds: Double
        var outSeconds: Double
    }

    var gridColumns: Int
    var gridRows: Int
    var featureRows: Int
    var samplesOfPass: Int
    var passes: Int
    var passSeconds: Double
    var computeSeconds: Double
    var exposedSeconds: Double
    var launchSeconds: Double
    var bytesIn: Double
    var bytesOut: Double
    var bytesPerSecond: Double
    var activationBytesPerCore: Double
    var dataBytesPerCore: Double
    var stages: [Stage]

    init(_ plan: StreamingPlan) {
        gridColumns = plan.columns
        gridRows = plan.rows
        featureRows = plan.featureRows
        samplesOfPass = plan.samplesOfPass
        passes = plan.passes
        passSeconds = plan.passSeconds
        computeSeconds = plan.computeSeconds
        exposedSeconds = plan.exposedSeconds
        launchSeconds = plan.launch
        bytesIn = plan.bytesIn
        bytesOut = plan.bytesOut
        bytesPerSecond = plan.bytesPerSecond
        activationBytesPerCore = plan.activationBytesPerCore
        dataBytesPerCore = plan.core.dataBytes
        stages = plan.stages.map {
            Stage(
                name: $0.name, isBackward: $0.isBackward, computeSeconds: $0.computeSeconds, inSeconds: $0.inSeconds,
                outSeconds: $0.outSeconds)
        }
    }
}
