import Foundation
import Jobs
import Runs

/// The figures of one run: every duration is host time, and says so in its name; times of day are the wall clock's.
///
/// The names are those of the JSON document, in camel case. A figure that is not known is nil and has no key there.
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
    /// How workers summed gradients, and how these travelled; nil on the wafer.
    public var algorithm: CollectiveAlgorithm?
    /// How gradients travelled between workers.
    public var transport: Transport?
    /// Where it stands: `finished`, `failed` …
    public var state: String
    /// Why it failed, if it did.
    public var failure: String?
    /// When it was submitted, by the wall clock.
    public var submitted: Date
    /// When its processes were started, by the wall clock.
    public var started: Date?
    /// When it reached a final state, by the wall clock.
    public var ended: Date?
    /// The machine it ran on.
    public var machine: MachineFigures?
    /// What its text amounted to.
    public var corpus: CorpusFigures?

    /// Optimizer steps made, and asked for.
    public var stepsMade: Int
    /// Optimizer steps asked for.
    public var stepsPlanned: Int
    /// From the start of the first step to the end of the last, evaluations included.
    public var trainingHostSeconds: Double?
    /// From the start of the first step until the target was met.
    public var timeToTargetHostSeconds: Double?
    /// Steps made when the target was met.
    public var stepsToTarget: Int?
    /// Sequences, and real tokens, of all steps over the steps' time; evaluations are not in it.
    public var sequencesPerHostSecond: Double?
    /// Real tokens of all steps over the steps' time.
    public var tokensPerHostSecond: Double?
    /// The spread of a step's time.
    public var stepMedianHostSeconds: Double?
    /// The 5th percentile of a step's time.
    public var stepP05HostSeconds: Double?
    /// The 95th percentile of a step's time.
    public var stepP95HostSeconds: Double?
    /// Sum over the steps.
    public var stepsHostSeconds: Double?
    /// Training time that belongs to no step: evaluations, checkpoints.
    public var betweenStepsHostSeconds: Double?
    /// Training loss (MLM plus next sentence) of the first and of the last step, in nats.
    public var firstLossNats: Double?
    /// Training loss of the last step.
    public var finalLossNats: Double?
    /// The last evaluation on held-out text.
    public var finalHeldOutMlmAccuracy: Double?
    /// MLM loss at the last evaluation.
    public var finalHeldOutMlmLossNats: Double?
    /// NSP accuracy at the last evaluation.
    public var finalHeldOutNspAccuracy: Double?
    /// What always guessing the most frequent token would get right on held-out text.
    public var baselineMlmAccuracy: Double?
    /// The simple gradient noise scale at the last evaluation that has one, in sequences: about the largest global batch
    /// that is worth its examples.
    public var gradientNoiseScaleSequences: Double?
    /// SHA-256 of all weights.
    public var weightsDigest: String?
    /// The folder of the final model, in Hugging Face's form.
    public var modelDirectory: String?
    /// Training examples used, and whole passes through all of them.
    public var examplesUsed: Int?
    /// Whole passes through the training examples.
    public var wholePasses: Int?
    /// The sum of a hash of each example that was used, in hexadecimal.
    public var examplesChecksum: String?
    /// What that sum must be where each was used exactly once a pass.
    public var examplesChecksumDue: String?

    /// How its gradients were compressed; nil where they were exchanged as they are.
    public var compression: CompressionFigures?
    /// How it went on the emulated machine; nil for a native run.
    public var emulation: EmulationFigures?
    /// What its zeros amounted to; nil for a dense network.
    public var sparsity: SparsityFigures?
    /// What ReLU's zeros amounted to; nil where none were counted.
    public var activationZeros: ActivationZeroFigures?
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
        case .waiting: "waiting for a worker that was still computing, and for the commit of the step"
        case .input: "reading examples"
        case .optimizer: "clipping and applying the gradient"
        case .other: "calls between the parts, and threads that were not scheduled"
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
    /// The lanes that it computed: the mean over its steps; nil where that is not known.
    public var lanesPerStep: Double?
    /// Its own work on one lane, reading and computing: the median over its steps. This and what follows is nil where it
    /// had no others beside it.
    public var ownWorkPerLaneHostSeconds: Double?
    /// How many times as long as the others, by their medians.
    public var ownWorkRatio: Double?
    /// By how many of the usual deviations of a step that differs from the others (the modified z-score of Iglewicz and
    /// Hoaglin 1993); above 3.5 it is a straggler.
    public var stragglerZScore: Double?

    /// Whether it was surely, and notably, slower than the others over the whole run.
    public var isStraggler: Bool {
        (stragglerZScore ?? 0) > WorkerPace.outlier && (ownWorkRatio ?? 1) > WorkerPace.notable
    }
}

/// One evaluation on held-out text.
public struct EvaluationFigures: Sendable, Encodable {
    /// Steps made before it.
    public var stepsMade: Int
    /// Since the start of the first step, at the end of the evaluation.
    public var elapsedHostSeconds: Double
    /// Share of masked tokens predicted right.
    public var mlmAccuracy: Double?
    /// Mean cross-entropy over masked tokens.
    public var mlmLossNats: Double?
    /// Share of sentence pairs told right.
    public var nspAccuracy: Double?
    /// What always guessing the most frequent token gets right.
    public var baselineMlmAccuracy: Double?
    /// Masked tokens measured.
    public var maskedTokens: Int
    /// The simple gradient noise scale tr(Σ)/|G|² of the steps before it, in sequences.
    public var gradientNoiseScaleSequences: Double?
    /// The unbiased estimates whose ratio it is (McCandlish et al. 2018).
    public var gradientSquaredNorm: Double?
    public var gradientCovarianceTrace: Double?
}

/// Steps side by side, one array a quantity. Where there are more than 2,000, only every `everySteps`th is here;
/// the CSV of steps has them all.
public struct StepSeries: Sendable, Encodable {
    /// 1 where every step is here; otherwise every so many.
    public var everySteps: Int
    /// The step.
    public var step: [Int]
    /// At the end of the step, since the start of the first.
    public var elapsedHostSeconds: [Double]
    /// Host time of the step.
    public var stepHostSeconds: [Double]
    /// Null where the loss was no finite number.
    public var lossNats: [Double?]
    /// Share of masked tokens predicted right.
    public var mlmAccuracy: [Double?]
}

/// Something that happened to a run.
public struct EventFigures: Sendable, Encodable {
    /// When, by the wall clock.
    public var time: Date
    /// Wall-clock time since the run was started (or submitted, where it never started).
    public var sinceStartWallSeconds: Double
    /// What kind of thing.
    public var kind: String
    /// In words.
    public var message: String
    /// The worker.
    public var rank: Int?
    /// The step.
    public var step: Int?
}

/// A machine's facts.
public struct MachineFigures: Hashable, Sendable, Encodable {
    /// The processor's model name.
    public var processor: String
    /// Cores that the process may use.
    public var cores: Int
    /// The widest vector instructions used.
    public var instructionSet: String
    /// Installed memory.
    public var memoryBytes: Int
    /// The kernel's name and release.
    public var operatingSystem: String
    /// oneDNN's version.
    public var onednnVersion: String
    /// ZeroMQ's version.
    public var zeromqVersion: String
    /// This package's version.
    public var wafermarkVersion: String
}

/// A text's facts.
public struct CorpusFigures: Hashable, Sendable, Encodable {
    /// Whether the package wrote the text itself.
    public var isSynthetic: Bool
    /// Documents trained on.
    public var trainingDocuments: Int
    /// Documents kept for evaluation.
    public var heldOutDocuments: Int
    /// WordPiece tokens trained on.
    public var trainingTokens: Int
    /// Entries of the vocabulary.
    public var vocabularySize: Int
    /// SHA-256 of the prepared dataset's manifest.
    public var digest: String
}
