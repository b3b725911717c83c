import Foundation
import Jobs
import Runs

/// The figures of one run: every duration is host time, and says so in its name; times of day are the wall clock's.
///
/// The names are those of the JSON document, in camel case. A figure that is not known (yet) is nil and has no key there.
public struct RunFigures: Sendable, Encodable {
    /// The run's id.
    public var runId: String
    /// What it is called beside the others.
    public var label: String
    /// `cluster` or `wafer`.
    public var backend: Backend
    /// Worker processes; 1 on the wafer.
    public var workers: Int
    /// The hardware profile's name, if one was chosen.
    public var hardware: String?
    /// Where it stands: `finished`, `failed` …
    public var state: String
    /// Why it failed, if it did.
    public var failure: String?
    public var submitted: Date
    public var started: Date?
    public var ended: Date?
    /// The machine it ran on.
    public var machine: MachineFigures?
    /// What its text amounted to.
    public var corpus: CorpusFigures?

    /// Optimizer steps made, and asked for.
    public var stepsMade: Int
    public var stepsPlanned: Int
    /// From the start of the first step to the end of the last, evaluations included.
    public var trainingHostSeconds: Double?
    /// From the start of the first step until the target was met.
    public var timeToTargetHostSeconds: Double?
    /// Steps made when the target was met.
    public var stepsToTarget: Int?
    /// Sequences, and real tokens, of all steps over the steps' time; evaluations are not in it.
    public var sequencesPerHostSecond: Double?
    public var tokensPerHostSecond: Double?
    /// The spread of a step's time.
    public var stepMedianHostSeconds: Double?
    public var stepP05HostSeconds: Double?
    public var stepP95HostSeconds: Double?
    /// Sum over the steps.
    public var stepsHostSeconds: Double?
    /// Training time that belongs to no step: evaluations, checkpoints.
    public var betweenStepsHostSeconds: Double?
    /// Training loss (MLM plus next sentence) of the first and of the last step, in nats.
    public var firstLossNats: Double?
    public var finalLossNats: Double?
    /// The last evaluation on held-out text.
    public var finalHeldOutMlmAccuracy: Double?
    public var finalHeldOutMlmLossNats: Double?
    public var finalHeldOutNspAccuracy: Double?
    /// What always guessing the most frequent token would get right on held-out text.
    public var baselineMlmAccuracy: Double?
    /// SHA-256 of all weights.
    public var weightsDigest: String?
    /// The folder of the final model, in Hugging Face's form.
    public var modelDirectory: String?

    /// Where a step's time goes: the mean over steps and workers.
    public var stepParts: StepParts?
    /// The same, worker by worker.
    public var workerParts: [WorkerParts]
    /// Quality on held-out text.
    public var evaluations: [EvaluationFigures]
    /// Steps, thinned where there are many.
    public var series: StepSeries
    /// What happened.
    public var events: [EventFigures]
}

/// Where a step's time goes, in host seconds a step. The parts add up to `totalHostSeconds`.
public struct StepParts: Sendable, Encodable {
    /// Reading examples.
    public var inputHostSeconds: Double
    /// Forward and backward passes, and summing own lanes.
    public var computeHostSeconds: Double
    /// Exchanging gradients while nothing else was left to do.
    public var exposedCommunicationHostSeconds: Double
    /// Waiting for a peer that had not finished its own backward pass.
    public var waitingHostSeconds: Double
    /// Clipping and applying the gradient.
    public var optimizerHostSeconds: Double
    /// What remains of the step: starting it, reporting it, and waiting for the slowest to end it.
    public var otherHostSeconds: Double
    /// The sum.
    public var totalHostSeconds: Double
    /// The share of the sum that each part takes, by its name.
    public var shares: [String: Double]

    /// Each part and its seconds.
    public var all: [(part: StepPart, seconds: Double)] {
        StepPart.allCases.map { ($0, seconds(of: $0)) }
    }

    /// The seconds of `part`.
    public func seconds(of part: StepPart) -> Double {
        switch part {
        case .compute: computeHostSeconds
        case .exposedCommunication: exposedCommunicationHostSeconds
        case .waiting: waitingHostSeconds
        case .input: inputHostSeconds
        case .optimizer: optimizerHostSeconds
        case .other: otherHostSeconds
        }
    }
}

/// A part of a step's time.
public enum StepPart: String, Hashable, Sendable, CaseIterable {
    case compute
    case exposedCommunication = "exposed_communication"
    case waiting
    case input
    case optimizer
    case other

    /// The part's key in `step_parts`.
    public var key: String { rawValue + "_host_seconds" }

    /// The part as readers know it.
    public var title: String {
        switch self {
        case .compute: "Compute"
        case .exposedCommunication: "Exposed communication"
        case .waiting: "Waiting"
        case .input: "Input"
        case .optimizer: "Optimizer"
        case .other: "Other"
        }
    }

    /// What belongs to it.
    public var meaning: String {
        switch self {
        case .compute: "forward and backward passes, and summing the worker's own lanes"
        case .exposedCommunication: "exchanging gradients while nothing else was left to do"
        case .waiting: "waiting for a worker that was still computing"
        case .input: "reading examples"
        case .optimizer: "clipping and applying the gradient"
        case .other: "starting and reporting the step, and waiting for the slowest worker to end it"
        }
    }
}

/// Where one worker's time goes.
public struct WorkerParts: Sendable, Encodable {
    /// The worker.
    public var rank: Int
    /// Steps that it reported.
    public var steps: Int
    /// The mean over its steps.
    public var stepParts: StepParts
    /// Gradient bytes sent to peers: the mean over its steps.
    public var sentBytesPerStep: Double
}

/// One evaluation on held-out text.
public struct EvaluationFigures: Sendable, Encodable {
    public var stepsMade: Int
    /// Since the start of the first step, at the end of the evaluation.
    public var elapsedHostSeconds: Double
    public var mlmAccuracy: Double?
    public var mlmLossNats: Double?
    public var nspAccuracy: Double?
    public var baselineMlmAccuracy: Double?
    public var maskedTokens: Int
}

/// Steps side by side, one array a quantity. Where there are more than 2,000, only every `everySteps`th is here;
/// the CSV of steps has them all.
public struct StepSeries: Sendable, Encodable {
    public var everySteps: Int
    public var step: [Int]
    /// At the end of the step, since the start of the first.
    public var elapsedHostSeconds: [Double]
    public var stepHostSeconds: [Double]
    /// Null where the loss was no finite number.
    public var lossNats: [Double?]
    public var mlmAccuracy: [Double?]
}

/// Something that happened to a run.
public struct EventFigures: Sendable, Encodable {
    public var time: Date
    /// Wall-clock time since the run was started (or submitted, where it never started).
    public var sinceStartWallSeconds: Double
    public var kind: String
    public var message: String
    public var rank: Int?
    public var step: Int?
}

/// A machine's facts.
public struct MachineFigures: Hashable, Sendable, Encodable {
    public var processor: String
    public var cores: Int
    public var instructionSet: String
    public var memoryBytes: Int
    public var operatingSystem: String
    public var onednnVersion: String
    public var zeromqVersion: String
    public var wafermarkVersion: String
}

/// A text's facts.
public struct CorpusFigures: Hashable, Sendable, Encodable {
    public var isSynthetic: Bool
    public var trainingDocuments: Int
    public var heldOutDocuments: Int
    public var trainingTokens: Int
    public var vocabularySize: Int
    public var digest: String
}
