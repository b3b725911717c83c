import PerformanceModel

/// A placement as `--json` prints it.
struct PlacementDocument: Encodable {
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
    }

    var clock = "modelled"
    var job: String
    var hardware: String
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
    var stepSeconds: Double
    var globalBatch: Int
    var sequencesPerSecond: Double
    var steps: Int
    var timeSeconds: Double
    var replayedSamples: Int
    var replayedSeconds: Double
    var formulaSeconds: Double
    var kernels: [Kernel]

    init(_ placement: Placement, job: String, hardware: String) {
        let (plan, time) = (placement.plan, placement.time)
        self.job = job
        self.hardware = hardware
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
        stepSeconds = time.seconds
        globalBatch = placement.globalBatch
        sequencesPerSecond = Double(placement.globalBatch) / time.seconds
        steps = placement.steps
        timeSeconds = time.seconds * Double(placement.steps)
        replayedSamples = placement.replayedSamples
        replayedSeconds = placement.replayedSeconds
        formulaSeconds = placement.formulaSeconds
        kernels = plan.rectangles.map { rectangle in
            let kernel = plan.graph.kernels[rectangle.kernel]
            return Kernel(
                name: kernel.name, role: kernel.role, layer: kernel.layer, replica: rectangle.replica, x: rectangle.x,
                y: rectangle.y, width: rectangle.layout.columns, height: rectangle.layout.rows,
                cycles: rectangle.layout.cycles, bytesPerCore: rectangle.layout.bytesPerCore,
                samplesInFlight: rectangle.inFlight)
        }
    }
}
