import CWire

/// What one lane computed in one step, before the sum over lanes.
public struct LaneReport: Hashable, Sendable {
    /// The lane.
    public var lane: Int
    /// Cross-entropy in nats summed over the masked tokens.
    public var maskedLossSum: Double
    /// Masked tokens, and how many of them were predicted right.
    public var maskedCount: Int
    public var maskedCorrect: Int
    /// Cross-entropy in nats of next-sentence prediction, summed over the sequences; and how many were right.
    public var nextSentenceLossSum: Double
    public var nextSentenceCorrect: Int
    /// Sequences, and real tokens (padding left out).
    public var sequences: Int
    public var tokens: Int

    /// A report of the given parts.
    public init(
        lane: Int, maskedLossSum: Double, maskedCount: Int, maskedCorrect: Int, nextSentenceLossSum: Double,
        nextSentenceCorrect: Int, sequences: Int, tokens: Int
    ) {
        self.lane = lane
        self.maskedLossSum = maskedLossSum
        self.maskedCount = maskedCount
        self.maskedCorrect = maskedCorrect
        self.nextSentenceLossSum = nextSentenceLossSum
        self.nextSentenceCorrect = nextSentenceCorrect
        self.sequences = sequences
        self.tokens = tokens
    }

    func place(in arena: PackingArena) -> UnsafeMutablePointer<Wafermark__LaneReport> {
        arena.make(wafermark__lane_report__init) { message in
            message.lane = UInt32(clamping: lane)
            message.masked_loss_sum = maskedLossSum
            message.masked_count = UInt32(clamping: maskedCount)
            message.masked_correct = UInt32(clamping: maskedCorrect)
            message.next_sentence_loss_sum = nextSentenceLossSum
            message.next_sentence_correct = UInt32(clamping: nextSentenceCorrect)
            message.sequences = UInt32(clamping: sequences)
            message.tokens = UInt32(clamping: tokens)
        }
    }

    init(reading message: Wafermark__LaneReport) throws(WireError) {
        let checks = FieldChecks(message: "lane report")
        lane = try checks.integer(message.lane, "lane", in: 0...(WireLimits.lanes.upperBound - 1))
        maskedLossSum = try checks.finite(message.masked_loss_sum, "masked_loss_sum")
        maskedCount = try checks.integer(message.masked_count, "masked_count", in: WireLimits.counts)
        maskedCorrect = try checks.integer(message.masked_correct, "masked_correct", in: 0...maskedCount)
        nextSentenceLossSum = try checks.finite(message.next_sentence_loss_sum, "next_sentence_loss_sum")
        sequences = try checks.integer(message.sequences, "sequences", in: WireLimits.counts)
        nextSentenceCorrect = try checks.integer(
            message.next_sentence_correct, "next_sentence_correct", in: 0...sequences)
        tokens = try checks.integer(message.tokens, "tokens", in: WireLimits.counts)
    }
}

/// Host seconds of one worker in one step; the parts add up to the total, up to rounding.
public struct StepTimings: Hashable, Sendable {
    /// Reading examples.
    public var input: Double
    /// Forward and backward passes, and summing own lanes.
    public var compute: Double
    /// Exchanging gradients while nothing else was left to do.
    public var exposedCommunication: Double
    /// Waiting for a peer that had not yet produced its contribution.
    public var waiting: Double
    /// Clipping and applying the gradient.
    public var optimizer: Double
    /// The whole step.
    public var total: Double

    /// Timings of the given parts, in seconds.
    public init(
        input: Double, compute: Double, exposedCommunication: Double, waiting: Double, optimizer: Double,
        total: Double
    ) {
        self.input = input
        self.compute = compute
        self.exposedCommunication = exposedCommunication
        self.waiting = waiting
        self.optimizer = optimizer
        self.total = total
    }

    func place(in arena: PackingArena) -> UnsafeMutablePointer<Wafermark__StepTimings> {
        arena.make(wafermark__step_timings__init) { message in
            message.input = input
            message.compute = compute
            message.exposed_communication = exposedCommunication
            message.waiting = waiting
            message.optimizer = optimizer
            message.total = total
        }
    }

    init(reading message: Wafermark__StepTimings) throws(WireError) {
        let checks = FieldChecks(message: "step timings")
        input = try checks.finite(message.input, "input", in: WireLimits.seconds)
        compute = try checks.finite(message.compute, "compute", in: WireLimits.seconds)
        exposedCommunication = try checks.finite(
            message.exposed_communication, "exposed_communication", in: WireLimits.seconds)
        waiting = try checks.finite(message.waiting, "waiting", in: WireLimits.seconds)
        optimizer = try checks.finite(message.optimizer, "optimizer", in: WireLimits.seconds)
        total = try checks.finite(message.total, "total", in: WireLimits.seconds)
    }
}

/// What a worker did in one step.
public struct StepReport: Hashable, Sendable {
    /// The step, and the membership epoch in which it was made.
    public var step: Int
    public var epoch: Int
    /// One report for each own lane, ascending.
    public var lanes: [LaneReport]
    /// The learning rate used, and the global gradient norm before clipping.
    public var learningRate: Double
    public var gradientNorm: Double
    /// Where the time went.
    public var timings: StepTimings
    /// Start and end on this host's monotonic clock, in nanoseconds.
    public var startedNanoseconds: UInt64
    public var endedNanoseconds: UInt64
    /// Gradient bytes sent to peers.
    public var bytesSent: Int

    /// A report of the given parts.
    public init(
        step: Int, epoch: Int, lanes: [LaneReport], learningRate: Double, gradientNorm: Double, timings: StepTimings,
        startedNanoseconds: UInt64, endedNanoseconds: UInt64, bytesSent: Int
    ) {
        self.step = step
        self.epoch = epoch
        self.lanes = lanes
        self.learningRate = learningRate
        self.gradientNorm = gradientNorm
        self.timings = timings
        self.startedNanoseconds = startedNanoseconds
        self.endedNanoseconds = endedNanoseconds
        self.bytesSent = bytesSent
    }

    func place(in arena: PackingArena) -> UnsafeMutablePointer<Wafermark__StepReport> {
        arena.make(wafermark__step_report__init) { message in
            message.step = UInt64(clamping: step)
            message.epoch = UInt32(clamping: epoch)
            message.n_lanes = lanes.count
            message.lanes = arena.list(lanes.map { $0.place(in: arena) })
            message.learning_rate = learningRate
            message.gradient_norm = gradientNorm
            message.timings = timings.place(in: arena)
            message.started_ns = startedNanoseconds
            message.ended_ns = endedNanoseconds
            message.bytes_sent = UInt64(clamping: bytesSent)
        }
    }

    init(reading message: Wafermark__StepReport) throws(WireError) {
        let checks = FieldChecks(message: "step report")
        step = try checks.integer(message.step, "step", in: WireLimits.steps)
        epoch = try checks.integer(message.epoch, "epoch", in: WireLimits.epochs)
        lanes = try elements(
            message.lanes, count: message.n_lanes, atMost: WireLimits.lanes.upperBound, "lanes", checks
        ) { (lane) throws(WireError) in try LaneReport(reading: lane) }
        guard zip(lanes, lanes.dropFirst()).allSatisfy({ $0.lane < $1.lane }) else {
            throw .invalid(message: "step report", field: "lanes", found: "out of order", allowed: "ascending lanes")
        }
        learningRate = try checks.finite(
            message.learning_rate, "learning_rate", in: 0...Double.greatestFiniteMagnitude)
        gradientNorm = try checks.finite(
            message.gradient_norm, "gradient_norm", in: 0...Double.greatestFiniteMagnitude)
        guard let timings = message.timings else {
            throw .invalid(message: "step report", field: "timings", found: "missing", allowed: "step timings")
        }
        self.timings = try StepTimings(reading: timings.pointee)
        startedNanoseconds = message.started_ns
        endedNanoseconds = message.ended_ns
        guard startedNanoseconds <= endedNanoseconds else {
            throw .invalid(
                message: "step report", field: "ended_ns", found: "\(endedNanoseconds)",
                allowed: "at least started_ns, \(startedNanoseconds)")
        }
        bytesSent = try checks.integer(message.bytes_sent, "bytes_sent", in: 0...Int.max)
    }
}
