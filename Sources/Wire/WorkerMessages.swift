import Jobs

/// What a worker tells the coordinator.
public enum WorkerToCoordinator: Hashable, Sendable {
    /// From a worker without a number, which knows the run's secret.
    case joinRequest(token: String)
    case hello(WorkerHello)
    case heartbeat(Heartbeat)
    /// What a worker's own lanes gave at a step, said before the step is applied anywhere.
    case laneResults(step: StepNumber, [LaneReport])
    case stepReport(StepReport)
    /// Answers a halt; nothing of the old membership follows.
    case halted(stepsMade: Int)
    /// What a peer sent did not arrive, so that this worker can't go on in the present membership.
    case disturbed(reason: String)
    case evaluationReport(EvaluationReport)
    case checkpointReport(CheckpointReport)
    case failure(WorkerFailure)
    case finished(WorkerFinished)
    /// Something that whoever looks at the run should know.
    case notice(String)
}

/// A message of a worker, and who sent it.
public struct WorkerEnvelope: Hashable, Sendable {
    /// The run and the worker.
    public var run: RunID
    public var rank: WorkerRank
    /// The membership that the worker belongs to.
    public var epoch: Int
    /// The message.
    public var message: WorkerToCoordinator

    /// A message of worker `rank` of `run`.
    public init(run: RunID, rank: WorkerRank, epoch: Int, message: WorkerToCoordinator) {
        self.run = run
        self.rank = rank
        self.epoch = epoch
        self.message = message
    }
}

/// A worker's introduction.
public struct WorkerHello: Hashable, Sendable {
    /// The run's secret.
    public var token: String
    /// The worker's process.
    public var processID: Int32
    /// Where peers send it gradients, and where one of them sends it weights and optimizer state.
    public var dataEndpoint: String
    public var stateEndpoint: String
    /// What its bits depend on.
    public var instructionSet: String
    public var oneDNNVersion: String
    public var zeroMQVersion: String
    public var wafermarkVersion: String
    /// The CURVE key by which peers know it; empty where all are on one host.
    public var key: [UInt8]

    /// An introduction of the given parts.
    public init(
        token: String, processID: Int32, dataEndpoint: String, stateEndpoint: String, instructionSet: String,
        oneDNNVersion: String, zeroMQVersion: String, wafermarkVersion: String, key: [UInt8] = []
    ) {
        self.token = token
        self.processID = processID
        self.dataEndpoint = dataEndpoint
        self.stateEndpoint = stateEndpoint
        self.instructionSet = instructionSet
        self.oneDNNVersion = oneDNNVersion
        self.zeroMQVersion = zeroMQVersion
        self.wafermarkVersion = wafermarkVersion
        self.key = key
    }
}

/// What a worker is doing.
public enum WorkerPhase: UInt32, Hashable, Sendable, CaseIterable {
    case starting = 0
    case loading = 1
    case forwardBackward = 2
    case exchanging = 3
    case applying = 4
    case evaluating = 5
    case waiting = 6
    case checkpointing = 7
    case finished = 8
    case halted = 9

    /// In words, as they stand in errors and events.
    public var name: String {
        switch self {
        case .starting: "starting"
        case .loading: "loading"
        case .forwardBackward: "forward and backward pass"
        case .exchanging: "exchanging gradients"
        case .applying: "applying the gradient"
        case .evaluating: "evaluating"
        case .waiting: "waiting for the coordinator"
        case .checkpointing: "writing a checkpoint"
        case .finished: "finished"
        case .halted: "halted, waiting for an assignment"
        }
    }
}

/// A sign of life.
public struct Heartbeat: Hashable, Sendable {
    /// The step and what is being done in it.
    public var step: StepNumber
    public var phase: WorkerPhase
    /// The workers whose gradients are awaited.
    public var awaiting: [WorkerRank]

    /// A sign of the given parts.
    public init(step: StepNumber, phase: WorkerPhase, awaiting: [WorkerRank] = []) {
        self.step = step
        self.phase = phase
        self.awaiting = awaiting
    }
}

/// What one lane's forward pass gave.
public struct LaneReport: Hashable, Sendable {
    /// The lane.
    public var lane: Int
    /// Cross-entropy in nats summed over its masked tokens, how many there are, and how many were right.
    public var maskedLossSum: Double
    public var maskedCount: Int
    public var maskedCorrect: Int
    /// The same for sentence pairs.
    public var nextSentenceLossSum: Double
    public var nextSentenceCorrect: Int
    /// Its sequences and real tokens.
    public var sequences: Int
    public var tokens: Int
    /// The sum, modulo 2^64, of a hash of each example that was read.
    public var examplesChecksum: UInt64
    /// The squared norm of the gradient of its mean loss; nil at steps at which that is not measured.
    public var gradientSquaredNorm: Double?
    /// Inner activations of a model with ReLU, those that it made zero, and those of them that products left out; 0 where
    /// none are counted.
    public var countedActivations: Int
    public var zeroActivations: Int
    public var skippedActivations: Int

    /// A report of the given parts.
    public init(
        lane: Int, maskedLossSum: Double, maskedCount: Int, maskedCorrect: Int, nextSentenceLossSum: Double,
        nextSentenceCorrect: Int, sequences: Int, tokens: Int, examplesChecksum: UInt64 = 0,
        gradientSquaredNorm: Double? = nil, countedActivations: Int = 0, zeroActivations: Int = 0,
        skippedActivations: Int = 0
    ) {
        self.lane = lane
        self.maskedLossSum = maskedLossSum
        self.maskedCount = maskedCount
        self.maskedCorrect = maskedCorrect
        self.nextSentenceLossSum = nextSentenceLossSum
        self.nextSentenceCorrect = nextSentenceCorrect
        self.sequences = sequences
        self.tokens = tokens
        self.examplesChecksum = examplesChecksum
        self.gradientSquaredNorm = gradientSquaredNorm
        self.countedActivations = countedActivations
        self.zeroActivations = zeroActivations
        self.skippedActivations = skippedActivations
    }
}

/// What one worker knows of a step that it has made.
public struct StepReport: Hashable, Sendable {
    /// Where the step's host time went on this worker.
    public struct Timings: Hashable, Sendable {
        public var input: HostSeconds
        public var compute: HostSeconds
        public var exposedCommunication: HostSeconds
        public var waiting: HostSeconds
        public var optimizer: HostSeconds
        /// The sum of the parts.
        public var total: HostSeconds { input + compute + exposedCommunication + waiting + optimizer }

        /// Timings of the given parts.
        public init(
            input: HostSeconds, compute: HostSeconds, exposedCommunication: HostSeconds, waiting: HostSeconds,
            optimizer: HostSeconds
        ) {
            self.input = input
            self.compute = compute
            self.exposedCommunication = exposedCommunication
            self.waiting = waiting
            self.optimizer = optimizer
        }
    }

    /// The step.
    public var step: StepNumber
    /// What was applied.
    public var learningRate: Double
    public var gradientNorm: Double
    /// Where the time went, and when its parts began.
    public var timings: Timings
    public var starts: PartStarts
    /// Monotonic nanoseconds of the worker's host.
    public var startedNanoseconds: UInt64
    public var endedNanoseconds: UInt64
    /// Gradient bytes sent to peers, and what they would have been as f32.
    public var sent: Bytes
    public var uncompressed: Bytes
    /// How it went on the emulated device; nil in a native run.
    public var emulated: EmulatedStepReport?

    /// A report of the given parts; what was sent was f32 unless said otherwise.
    public init(
        step: StepNumber, learningRate: Double, gradientNorm: Double, timings: Timings,
        starts: PartStarts = PartStarts(), startedNanoseconds: UInt64, endedNanoseconds: UInt64, sent: Bytes,
        uncompressed: Bytes? = nil, emulated: EmulatedStepReport? = nil
    ) {
        self.step = step
        self.learningRate = learningRate
        self.gradientNorm = gradientNorm
        self.timings = timings
        self.starts = starts
        self.startedNanoseconds = startedNanoseconds
        self.endedNanoseconds = endedNanoseconds
        self.sent = sent
        self.uncompressed = uncompressed ?? sent
        self.emulated = emulated
    }
}

/// How a step went on an emulated device. All times are the host's.
public struct EmulatedStepReport: Hashable, Sendable {
    /// The factor by which devices and links were slowed; 0 where none was, to measure the host.
    public var dilation: Double
    /// From the step's start until the emulated device was done with it.
    public var dilated: HostSeconds
    /// What this worker really computed: passes over its lanes, and the optimizer.
    public var compute: HostSeconds
    public var optimizer: HostSeconds
    /// The most by which something was done later than the emulated machine would have done it.
    public var lateness: HostSeconds

    /// A report of the given parts.
    public init(
        dilation: Double, dilated: HostSeconds, compute: HostSeconds, optimizer: HostSeconds, lateness: HostSeconds
    ) {
        self.dilation = dilation
        self.dilated = dilated
        self.compute = compute
        self.optimizer = optimizer
        self.lateness = lateness
    }
}

/// A worker's share of an evaluation.
public struct EvaluationReport: Hashable, Sendable {
    /// One of the evaluation's fixed chunks.
    public struct Chunk: Hashable, Sendable {
        public var index: Int
        public var maskedLossSum: Double
        public var maskedCount: Int
        public var maskedCorrect: Int
        public var nextSentenceCorrect: Int
        public var sequences: Int

        /// A chunk of the given parts.
        public init(
            index: Int, maskedLossSum: Double, maskedCount: Int, maskedCorrect: Int, nextSentenceCorrect: Int,
            sequences: Int
        ) {
            self.index = index
            self.maskedLossSum = maskedLossSum
            self.maskedCount = maskedCount
            self.maskedCorrect = maskedCorrect
            self.nextSentenceCorrect = nextSentenceCorrect
            self.sequences = sequences
        }
    }

    /// Steps made before it.
    public var stepsMade: Int
    /// What this worker measured.
    public var chunks: [Chunk]
    /// Monotonic nanoseconds of the worker's host at its end.
    public var endedNanoseconds: UInt64

    /// A report of the given parts.
    public init(stepsMade: Int, chunks: [Chunk], endedNanoseconds: UInt64) {
        self.stepsMade = stepsMade
        self.chunks = chunks
        self.endedNanoseconds = endedNanoseconds
    }
}

/// A checkpoint that was written whole.
public struct CheckpointReport: Hashable, Sendable {
    /// Steps made before it, its folder, and the host time that it took.
    public var stepsMade: Int
    public var path: String
    public var duration: HostSeconds

    /// A report of the given parts.
    public init(stepsMade: Int, path: String, duration: HostSeconds) {
        self.stepsMade = stepsMade
        self.path = path
        self.duration = duration
    }
}

/// Why a worker can't go on.
public struct WorkerFailure: Hashable, Sendable {
    /// Where, and what happened.
    public var step: StepNumber
    public var phase: WorkerPhase
    public var message: String
    /// Whether it concerns this worker alone, so that the others can go on.
    public var isLocal: Bool

    /// A failure of the given parts.
    public init(step: StepNumber, phase: WorkerPhase, message: String, isLocal: Bool = false) {
        self.step = step
        self.phase = phase
        self.message = message
        self.isLocal = isLocal
    }
}

/// A worker's last word of a run that is complete.
public struct WorkerFinished: Hashable, Sendable {
    /// Steps made, the SHA-256 of the weights, and where this worker exported the model, if it did.
    public var steps: Int
    public var weightsDigest: String
    public var modelDirectory: String?

    /// A last word of the given parts.
    public init(steps: Int, weightsDigest: String, modelDirectory: String?) {
        self.steps = steps
        self.weightsDigest = weightsDigest
        self.modelDirectory = modelDirectory
    }
}
