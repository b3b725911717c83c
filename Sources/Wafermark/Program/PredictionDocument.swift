import Jobs
import PerformanceModel

/// A prediction as `--json` prints it: the job's whole time, then each phase's step.
struct PredictionDocument: Encodable {
    /// One phase.
    struct Phase: Encodable {
        var sequence: Int
        var steps: Double
        var step: ModelledStep
    }

    var clock = ModelledSeconds.clock
    var job: String
    var hardware: String
    var stack: String?
    var precision: Precision
    var nodes: Int
    var gpusPerNode: Int
    var workers: Int
    /// Everything that follows is over all phases.
    var timeSeconds: Double
    var lowSeconds: Double
    var highSeconds: Double
    var steps: Double
    /// The mean step.
    var stepSeconds: Double
    var sequencesPerSecond: Double
    var scalingEfficiency: Double
    var boundBy: ModelledStep.Bound?
    /// The mean step's parts; they add up to it.
    var breakdown: Breakdown
    var energyKilowattHours: Double?
    var costUSDollars: Double?
    var extrapolated: Bool
    var extrapolatedReasons: [String]
    var phases: [Phase]
    /// What a wafer's time rests on, varied.
    var sensitivity: WaferSensitivity?

    /// A step's parts.
    struct Breakdown: Encodable {
        var computeSeconds: Double
        var waitingSeconds: Double
        var exposedCommunicationSeconds: Double
        var optimizerSeconds: Double
        var pipelineFillSeconds: Double
    }

    /// The document of `prediction`, which is of `job`.
    init(_ prediction: JobPrediction, of job: Job, sensitivity: WaferSensitivity? = nil) {
        self.sensitivity = sensitivity
        let first = prediction.phases.first?.step
        let longest = prediction.phases.max { $0.steps * $0.step.step.seconds < $1.steps * $1.step.step.seconds }
        let count = prediction.phases.reduce(0) { $0 + $1.steps }
        func total(_ part: (ModelledStep) -> Double) -> Double {
            prediction.phases.reduce(0) { $0 + $1.steps * part($1.step) }
        }
        self.job = job.name
        hardware = first?.hardware ?? ""
        stack = first?.stack
        precision = first?.precision ?? .fp32
        nodes = first?.nodes ?? 1
        workers = first?.workers ?? 1
        gpusPerNode = workers / max(1, nodes)
        timeSeconds = prediction.time.seconds
        lowSeconds = prediction.low.seconds
        highSeconds = prediction.high.seconds
        steps = count
        stepSeconds = prediction.time.seconds / count
        sequencesPerSecond = total { Double($0.globalBatch) } / prediction.time.seconds
        scalingEfficiency = total { $0.scalingEfficiency * $0.step.seconds } / prediction.time.seconds
        boundBy = longest?.step.boundBy
        breakdown = Breakdown(
            computeSeconds: total { $0.compute.seconds } / count, waitingSeconds: total { $0.waiting.seconds } / count,
            exposedCommunicationSeconds: total { $0.exposedCommunication.seconds } / count,
            optimizerSeconds: total { $0.optimizer.seconds } / count,
            pipelineFillSeconds: total { $0.pipelineFill.seconds } / count)
        energyKilowattHours = prediction.energyKilowattHours
        costUSDollars = prediction.costUSDollars
        extrapolated = !prediction.extrapolated.isEmpty
        extrapolatedReasons = prediction.extrapolated
        phases = prediction.phases.map { Phase(sequence: $0.sequence, steps: $0.steps, step: $0.step) }
    }
}

extension PredictionDocument {
    enum CodingKeys: String, CodingKey {
        case clock, job, hardware, stack, precision, nodes, gpusPerNode, workers, timeSeconds, lowSeconds, highSeconds
        case steps, stepSeconds, sequencesPerSecond, scalingEfficiency, boundBy, breakdown, energyKilowattHours
        // The encoder's snake case would break the abbreviation apart.
        case costUSDollars = "costUsDollars"
        case extrapolated, extrapolatedReasons, phases, sensitivity
    }
}
