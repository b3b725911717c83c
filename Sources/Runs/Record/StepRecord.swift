import Jobs

/// One optimizer step of a run, as its workers agreed on it.
public struct StepRecord: Hashable, Sendable, Codable {
    /// The step.
    public var step: StepNumber
    /// MLM loss plus NSP loss: the mean over lanes, summed in lane order, so equal to the bit on every backend.
    public var loss: Double
    /// Mean cross-entropy in nats over the masked tokens.
    public var maskedLoss: Double
    /// Mean cross-entropy in nats of next-sentence prediction; 0 where the job has none.
    public var nextSentenceLoss: Double
    /// Share of masked tokens predicted right, with dropout on.
    public var maskedAccuracy: Double
    /// The learning rate used.
    public var learningRate: Double
    /// The global gradient norm before clipping.
    public var gradientNorm: Double
    /// Sequences and real tokens of the step.
    public var sequences: Int
    /// Real tokens of the step.
    public var tokens: Int
    /// Host time since the start of the first step, at the end of this one (evaluations included).
    public var elapsed: HostSeconds
    /// Host time of this step alone, from its start to its end on worker 0, whose clock `elapsed` is read from too: the sum
    /// over steps never exceeds `elapsed`. The exchange of gradients makes it wait for the slowest worker.
    public var duration: HostSeconds
    /// The sum, modulo 2^64, of a hash of each example that was used: over a pass through the examples it is the same in
    /// whatever order they came, and another where one was left out or used twice.
    public var examplesChecksum: UInt64
    /// The squared norm of the gradient of a lane's mean loss: the mean over lanes. Nil at steps at which it is not measured.
    public var laneGradientSquaredNorm: Double?
    /// What ReLU made zero; nil where none are counted.
    public var activationZeros: ActivationZeros?
    /// How it went on the emulated machine; nil in a native run, and while the host was measured.
    public var emulated: EmulatedStep?

    /// A step of the given parts.
    public init(
        step: StepNumber, loss: Double, maskedLoss: Double, nextSentenceLoss: Double, maskedAccuracy: Double,
        learningRate: Double, gradientNorm: Double, sequences: Int, tokens: Int, elapsed: HostSeconds,
        duration: HostSeconds, examplesChecksum: UInt64 = 0, laneGradientSquaredNorm: Double? = nil,
        activationZeros: ActivationZeros? = nil, emulated: EmulatedStep? = nil
    ) {
        self.step = step
        self.loss = loss
        self.maskedLoss = maskedLoss
        self.nextSentenceLoss = nextSentenceLoss
        self.maskedAccuracy = maskedAccuracy
        self.learningRate = learningRate
        self.gradientNorm = gradientNorm
        self.sequences = sequences
        self.tokens = tokens
        self.elapsed = elapsed
        self.duration = duration
        self.examplesChecksum = examplesChecksum
        self.laneGradientSquaredNorm = laneGradientSquaredNorm
        self.activationZeros = activationZeros
        self.emulated = emulated
    }
}

/// Inner activations of feed-forward layers in one step, over all lanes, layers and the tokens that a layer computes. They are
/// counted where the model has ReLU and these layers' matrices are dense.
public struct ActivationZeros: Hashable, Sendable, Codable {
    /// Those that were computed.
    public let counted: Int
    /// Those of them that ReLU made zero.
    public let zero: Int
    /// Those of the zeros that products left out.
    public let skipped: Int

    /// The given counts; nil where nothing was counted.
    public init?(counted: Int, zero: Int, skipped: Int) {
        guard counted > 0 else { return nil }
        self.counted = counted
        self.zero = zero
        self.skipped = skipped
    }
}

/// A step on the emulated clock.
public struct EmulatedStep: Hashable, Sendable, Codable {
    /// From its start to its end on an emulated device: the mean over workers.
    public var duration: EmulatedSeconds
    /// The factor by which devices and links were slowed.
    public var dilation: Double
    /// The most host time by which something was done later than the emulated machine would have done it.
    public var lateness: HostSeconds

    /// A step of the given parts.
    public init(duration: EmulatedSeconds, dilation: Double, lateness: HostSeconds) {
        self.duration = duration
        self.dilation = dilation
        self.lateness = lateness
    }

    /// The share of a step by which things may be late before the host counts as having fallen behind.
    public static let tolerance = 0.05

    /// Whether the host fell behind, so that the step belongs in no figure.
    public var isLate: Bool { lateness.seconds > Self.tolerance * duration.seconds * dilation }
}

/// Where one worker's time went in one step, on that worker's own clock.
public struct WorkerStepRecord: Hashable, Sendable, Codable {
    /// The step and the worker.
    public var step: StepNumber
    /// The worker.
    public var rank: WorkerRank
    /// Reading examples.
    public var input: HostSeconds
    /// Forward and backward passes, and summing own lanes.
    public var compute: HostSeconds
    /// Exchanging gradients while nothing else was left to do: sending, receiving, reducing.
    public var exposedCommunication: HostSeconds
    /// Waiting for a peer that had not yet finished its own backward pass, and for the coordinator's commit of the step.
    public var waiting: HostSeconds
    /// Clipping and applying the gradient.
    public var optimizer: HostSeconds
    /// From the step's start to its end.
    public var duration: HostSeconds
    /// Gradient bytes sent to peers.
    public var sent: Bytes
    /// What they would have been as f32; nil in records of versions that sent nothing else.
    public var uncompressed: Bytes?
    /// The lanes that it computed; 0 in records of versions that did not note them.
    public var lanes: Int
    /// When it all began; nil in records of versions that did not measure it.
    public var timeline: Timeline?

    /// When a step and its parts began on a worker.
    public struct Timeline: Hashable, Sendable, Codable {
        /// The step's start, since the start of the run's first step: comparable among workers, whose processes share their
        /// host's clock. Below zero for a worker that began before the one whose clock `StepRecord.elapsed` is read from.
        public var started: HostSeconds
        /// The parts' starts, since the step's.
        public var parts: PartStarts

        /// A timeline of the given parts.
        public init(started: HostSeconds, parts: PartStarts) {
            self.started = started
            self.parts = parts
        }
    }

    /// What belongs to none of the parts: calls between them, and threads that were not scheduled.
    public var other: HostSeconds {
        max(.zero, duration - (input + compute + exposedCommunication + waiting + optimizer))
    }

    /// A record of the given parts.
    public init(
        step: StepNumber, rank: WorkerRank, input: HostSeconds, compute: HostSeconds,
        exposedCommunication: HostSeconds, waiting: HostSeconds, optimizer: HostSeconds, duration: HostSeconds,
        sent: Bytes, uncompressed: Bytes? = nil, lanes: Int = 0, timeline: Timeline? = nil
    ) {
        self.step = step
        self.rank = rank
        self.input = input
        self.compute = compute
        self.exposedCommunication = exposedCommunication
        self.waiting = waiting
        self.optimizer = optimizer
        self.duration = duration
        self.sent = sent
        self.uncompressed = uncompressed
        self.lanes = lanes
        self.timeline = timeline
    }
}

/// Quality on held-out text after a number of steps.
public struct EvaluationRecord: Hashable, Sendable, Codable {
    /// Steps made before it.
    public var stepsMade: Int
    /// Host time since the start of the first step, at the end of the evaluation.
    public var elapsed: HostSeconds
    /// Mean cross-entropy in nats over masked tokens.
    public var maskedLoss: Double
    /// Share of masked tokens predicted right.
    public var maskedAccuracy: Double
    /// Share of sentence pairs told right; nil where the job has none.
    public var nextSentenceAccuracy: Double?
    /// Share that always guessing the training text's most frequent token would predict right.
    public var baselineAccuracy: Double
    /// Masked tokens measured.
    public var maskedTokens: Int
    /// How noisy gradients were up to here; nil where that can't be told.
    public var noise: GradientNoise?

    /// An evaluation of the given parts.
    public init(
        stepsMade: Int, elapsed: HostSeconds, maskedLoss: Double, maskedAccuracy: Double,
        nextSentenceAccuracy: Double?, baselineAccuracy: Double, maskedTokens: Int, noise: GradientNoise? = nil
    ) {
        self.stepsMade = stepsMade
        self.elapsed = elapsed
        self.maskedLoss = maskedLoss
        self.maskedAccuracy = maskedAccuracy
        self.nextSentenceAccuracy = nextSentenceAccuracy
        self.baselineAccuracy = baselineAccuracy
        self.maskedTokens = maskedTokens
        self.noise = noise
    }
}
