import Foundation
import Jobs

/// One job on one backend, as it was asked for and how it stands.
public struct Run: Hashable, Sendable, Codable, Identifiable {
    /// The run's name.
    public var id: RunID
    /// What is trained.
    public var job: Job
    /// What trains it.
    public var backend: Backend
    /// Worker processes; 1 on the wafer.
    public var workers: Int
    /// The name of the hardware profile that the backend stands for, if one was chosen.
    public var hardware: String?
    // The exchange as it is stored, one value each: nil on the wafer, and in records that are older than the choice. They
    // are kept as they were read, because an exported record's digest is over all that is stored.
    private var algorithm: CollectiveAlgorithm?
    private var transport: Transport?
    private var laneShares: LaneShareRule?
    private var bucket: Bytes?
    /// Where it stands.
    public var state: RunState
    /// When it was submitted, by the wall clock.
    public var submitted: Date
    /// When its processes were started, by the wall clock.
    public var started: Date?
    /// When it reached a final state, by the wall clock.
    public var ended: Date?
    /// The machine that it ran on.
    public var machine: Machine?
    /// What the text amounted to, once prepared.
    public var corpus: CorpusFacts?
    /// How it ended, once it finished.
    public var outcome: RunOutcome?
    /// Whether it failed because it was started again and again without making a step; nil stands for no.
    public var hasGivenUp: Bool?
    /// When its turn comes; nil where it takes its turn like any other.
    public var terms: SubmissionTerms?
    /// How its hardware is emulated; nil for a native run.
    public var emulation: Emulation?
    /// What it may take of its machine; nil for no limit.
    public var limits: RunLimits?

    /// A run that has been asked for and not yet started.
    public init(
        id: RunID, job: Job, backend: Backend, workers: Int, hardware: String?, exchange: ExchangeSettings? = nil,
        emulation: Emulation? = nil, terms: SubmissionTerms? = nil, submitted: Date
    ) {
        self.id = id
        self.job = job
        self.backend = backend
        self.workers = workers
        self.hardware = hardware
        self.state = .queued
        self.submitted = submitted
        self.terms = terms == SubmissionTerms() ? nil : terms
        self.emulation = emulation
        self.exchange = exchange
    }
}

extension Run {
    /// How a cluster's workers share lanes and exchange gradients; nil on the wafer. What an older record doesn't say is
    /// what all runs did then.
    public var exchange: ExchangeSettings? {
        get {
            guard backend == .cluster else { return nil }
            let settings = ExchangeSettings(
                algorithm: algorithm ?? .direct, transport: transport ?? .ipc, laneShares: laneShares ?? .speed)
            guard let bucket else { return settings }
            let range = ExchangeSettings.bucketRange
            let size = Bytes(min(max(bucket.count, range.lowerBound), range.upperBound))
            let sized = try? ExchangeSettings(
                algorithm: settings.algorithm, transport: settings.transport, laneShares: settings.laneShares,
                bucket: size)
            return sized ?? settings
        }
        set {
            algorithm = newValue?.algorithm
            transport = newValue?.transport
            laneShares = newValue?.laneShares
            bucket = newValue?.bucket
        }
    }
}

/// Where a run stands.
public enum RunState: Hashable, Sendable, Codable {
    /// Waits for the runs before it.
    case queued
    /// Text is being turned into examples, or workers are being started.
    case preparing
    /// Steps are being made.
    case running
    /// All steps were made, or the target was reached.
    case finished
    /// It ended by an error.
    case failed(reason: String)
    /// It ended by request.
    case cancelled
    /// The daemon ended before it did.
    case interrupted

    /// The state's name in stores and JSON.
    public var name: String {
        switch self {
        case .queued: "queued"
        case .preparing: "preparing"
        case .running: "running"
        case .finished: "finished"
        case .failed: "failed"
        case .cancelled: "cancelled"
        case .interrupted: "interrupted"
        }
    }

    /// Whether nothing follows it.
    public var isFinal: Bool {
        switch self {
        case .queued, .preparing, .running: false
        case .finished, .failed, .cancelled, .interrupted: true
        }
    }
}

/// How a finished run ended.
public struct RunOutcome: Hashable, Sendable, Codable {
    /// Steps made.
    public var steps: Int
    /// Host time from the start of the first step to the end of the last, evaluations included.
    public var trainingTime: HostSeconds
    /// Host time from the start of the first step until the target was met; nil where none was set or it was missed.
    public var timeToTarget: HostSeconds?
    /// SHA-256 of all weights, in hexadecimal.
    public var weightsDigest: String
    /// The folder of the final model, in Hugging Face's form.
    public var modelDirectory: String?
    /// Which examples were used; nil where that was not worked out.
    public var examples: ExampleUsage?

    /// An outcome of the given parts.
    public init(
        steps: Int, trainingTime: HostSeconds, timeToTarget: HostSeconds?, weightsDigest: String,
        modelDirectory: String?
    ) {
        self.steps = steps
        self.trainingTime = trainingTime
        self.timeToTarget = timeToTarget
        self.weightsDigest = weightsDigest
        self.modelDirectory = modelDirectory
    }
}

/// What a run's text amounted to.
public struct CorpusFacts: Hashable, Sendable, Codable {
    /// Whether the package wrote the text itself.
    public var isSynthetic: Bool
    /// Documents in training and held out.
    public var trainingDocuments: Int
    /// Documents kept for evaluation.
    public var heldOutDocuments: Int
    /// WordPiece tokens in training.
    public var trainingTokens: Int
    /// Entries of the vocabulary.
    public var vocabularySize: Int
    /// SHA-256 of the prepared dataset's manifest: two runs with equal digests read equal examples.
    public var digest: String

    /// Facts of the given parts.
    public init(
        isSynthetic: Bool, trainingDocuments: Int, heldOutDocuments: Int, trainingTokens: Int, vocabularySize: Int,
        digest: String
    ) {
        self.isSynthetic = isSynthetic
        self.trainingDocuments = trainingDocuments
        self.heldOutDocuments = heldOutDocuments
        self.trainingTokens = trainingTokens
        self.vocabularySize = vocabularySize
        self.digest = digest
    }
}
