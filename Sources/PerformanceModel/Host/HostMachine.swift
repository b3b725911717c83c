import Jobs

/// This machine as `wafermark calibrate` measured it: what the engine's kernels, its optimizer and a link between two
/// processes reach. Times are on the host clock.
public struct HostMachine: Hashable, Sendable, Codable {
    /// What the kernels of one lane reach while `busy` lanes are computed side by side, one thread each.
    public struct Rates: Hashable, Sendable, Codable {
        /// The width that was measured.
        public var hidden: Int
        /// Tokens of a sequence, without padding.
        public var sequence: Int
        /// Tokens of the pass.
        public var tokens: Int
        /// Lanes side by side.
        public var busy: Int
        /// Matrix products of the encoder with the rows of all tokens, in GFLOP/s.
        public var encoderGigaflopsPerSecond: Double
        /// Those of its last layer with the rows that the heads read, in GFLOP/s.
        public var lastLayerGigaflopsPerSecond: Double
        /// Matrix products of the heads, in GFLOP/s.
        public var headGigaflopsPerSecond: Double
        /// Attention both ways, in nanoseconds a query row, key row and channel.
        public var attentionNanoseconds: Double
        /// Packing keys and values for it both ways, and what else it does once a token, in nanoseconds a key row and channel.
        public var attentionElementNanoseconds: Double
        /// Norms, dropout and activations, in GB/s of what must move.
        public var elementwiseGigabytesPerSecond: Double
        /// Cross entropy both ways, in nanoseconds a logit.
        public var logitNanoseconds: Double
        /// Embeddings both ways, in nanoseconds an element.
        public var embeddingNanoseconds: Double
        /// A whole pass over the sum of its kernels, with one lane.
        public var overhead: Double

        /// Rates of the given parts.
        public init(
            hidden: Int, sequence: Int, tokens: Int, busy: Int, encoderGigaflopsPerSecond: Double,
            lastLayerGigaflopsPerSecond: Double, headGigaflopsPerSecond: Double,
            attentionNanoseconds: Double, attentionElementNanoseconds: Double, elementwiseGigabytesPerSecond: Double,
            logitNanoseconds: Double, embeddingNanoseconds: Double, overhead: Double
        ) {
            self.hidden = hidden
            self.sequence = sequence
            self.tokens = tokens
            self.busy = busy
            self.encoderGigaflopsPerSecond = encoderGigaflopsPerSecond
            self.lastLayerGigaflopsPerSecond = lastLayerGigaflopsPerSecond
            self.headGigaflopsPerSecond = headGigaflopsPerSecond
            self.attentionNanoseconds = attentionNanoseconds
            self.attentionElementNanoseconds = attentionElementNanoseconds
            self.elementwiseGigabytesPerSecond = elementwiseGigabytesPerSecond
            self.logitNanoseconds = logitNanoseconds
            self.embeddingNanoseconds = embeddingNanoseconds
            self.overhead = overhead
        }
    }

    /// The processor's name, its cores, and the kernels' instruction set.
    public var processor: String
    /// Cores that threads can run on.
    public var cores: Int
    /// The instruction set that the kernels chose.
    public var instructionSet: String
    /// When it was measured, by the wall clock.
    public var measuredAt: String
    /// How disturbed the machine was meanwhile: how much longer than undisturbed a reference's kernels took in the median of
    /// many measurements, in per cent. The rates are those of the undisturbed machine.
    public var disturbancePercent: Double
    /// By width, sequence length, tokens of a pass and lanes side by side.
    public var rates: [Rates]
    /// AdamW and the gradient's norm, in nanoseconds a parameter, with every core busy: all cores together.
    public var adamwNanosecondsPerParameter: Double
    /// LAMB and the gradient's norm, likewise.
    public var lambNanosecondsPerParameter: Double
    /// AdamW on one thread with the other cores idle.
    public var adamwNanosecondsPerParameterAlone: Double
    /// LAMB, likewise.
    public var lambNanosecondsPerParameterAlone: Double
    /// What lanes' gradients cost around their passes on one thread with the other cores idle.
    public var laneGradientsAlone: LaneGradients
    /// The same on each thread with every core at it.
    public var laneGradients: LaneGradients
    /// What reading and writing memory in a stream reaches on all cores, in GB/s.
    public var memoryGigabytesPerSecond: Double
    /// What goes through memory on all cores.
    public var streams: Streams
    /// What exchanging gradients costs, by transport.
    public var links: Links
    /// What a step of several workers costs each of them, with the coordinator's part, besides passes, sums and updates:
    /// messages that agree on it, its record, threads that are woken; in microseconds of a core, where each worker has one.
    public var controlMicroseconds: Double
    /// The same where workers take turns at the cores.
    public var controlMicrosecondsInTurns: Double

    /// A machine of the given parts.
    public init(
        processor: String, cores: Int, instructionSet: String, measuredAt: String,
        disturbancePercent: Double, rates: [Rates],
        adamwNanosecondsPerParameter: Double, lambNanosecondsPerParameter: Double,
        adamwNanosecondsPerParameterAlone: Double, lambNanosecondsPerParameterAlone: Double,
        laneGradientsAlone: LaneGradients, laneGradients: LaneGradients, memoryGigabytesPerSecond: Double,
        streams: Streams, links: Links, controlMicroseconds: Double, controlMicrosecondsInTurns: Double
    ) {
        self.processor = processor
        self.cores = cores
        self.instructionSet = instructionSet
        self.measuredAt = measuredAt
        self.disturbancePercent = disturbancePercent
        self.rates = rates
        self.adamwNanosecondsPerParameter = adamwNanosecondsPerParameter
        self.lambNanosecondsPerParameter = lambNanosecondsPerParameter
        self.adamwNanosecondsPerParameterAlone = adamwNanosecondsPerParameterAlone
        self.lambNanosecondsPerParameterAlone = lambNanosecondsPerParameterAlone
        self.laneGradientsAlone = laneGradientsAlone
        self.laneGradients = laneGradients
        self.memoryGigabytesPerSecond = memoryGigabytesPerSecond
        self.streams = streams
        self.links = links
        self.controlMicroseconds = controlMicroseconds
        self.controlMicrosecondsInTurns = controlMicrosecondsInTurns
    }
}
