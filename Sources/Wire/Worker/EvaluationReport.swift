import CWire

/// What one fixed chunk of the held-out sequences gave.
public struct EvaluationChunkReport: Hashable, Sendable {
    /// The chunk's number.
    public var index: Int
    /// Cross-entropy in nats summed over the masked tokens.
    public var maskedLossSum: Double
    /// Masked tokens, and how many of them were predicted right.
    public var maskedCount: Int
    public var maskedCorrect: Int
    /// Sentence pairs, and how many were told right; 0 of 0 where the job has none.
    public var nextSentenceCorrect: Int
    public var nextSentenceCount: Int
    /// Sequences.
    public var sequences: Int

    /// A report of the given parts.
    public init(
        index: Int, maskedLossSum: Double, maskedCount: Int, maskedCorrect: Int, nextSentenceCorrect: Int,
        nextSentenceCount: Int, sequences: Int
    ) {
        self.index = index
        self.maskedLossSum = maskedLossSum
        self.maskedCount = maskedCount
        self.maskedCorrect = maskedCorrect
        self.nextSentenceCorrect = nextSentenceCorrect
        self.nextSentenceCount = nextSentenceCount
        self.sequences = sequences
    }

    func place(in arena: PackingArena) -> UnsafeMutablePointer<Wafermark__EvaluationChunk> {
        arena.make(wafermark__evaluation_chunk__init) { message in
            message.index = UInt32(clamping: index)
            message.masked_loss_sum = maskedLossSum
            message.masked_count = UInt32(clamping: maskedCount)
            message.masked_correct = UInt32(clamping: maskedCorrect)
            message.next_sentence_correct = UInt32(clamping: nextSentenceCorrect)
            message.next_sentence_count = UInt32(clamping: nextSentenceCount)
            message.sequences = UInt32(clamping: sequences)
        }
    }

    init(reading message: Wafermark__EvaluationChunk) throws(WireError) {
        let checks = FieldChecks(message: "evaluation chunk")
        index = try checks.integer(message.index, "index", in: WireLimits.counts)
        maskedLossSum = try checks.finite(message.masked_loss_sum, "masked_loss_sum")
        maskedCount = try checks.integer(message.masked_count, "masked_count", in: WireLimits.counts)
        maskedCorrect = try checks.integer(message.masked_correct, "masked_correct", in: 0...maskedCount)
        sequences = try checks.integer(message.sequences, "sequences", in: WireLimits.counts)
        nextSentenceCount = try checks.integer(message.next_sentence_count, "next_sentence_count", in: 0...sequences)
        nextSentenceCorrect = try checks.integer(
            message.next_sentence_correct, "next_sentence_correct", in: 0...nextSentenceCount)
    }
}

/// One worker's chunks of an evaluation.
public struct EvaluationReport: Hashable, Sendable {
    /// Steps made before it.
    public var stepsMade: Int
    /// The chunks that this worker measured.
    public var chunks: [EvaluationChunkReport]
    /// The membership epoch.
    public var epoch: Int

    /// A report of the given parts.
    public init(stepsMade: Int, chunks: [EvaluationChunkReport], epoch: Int) {
        self.stepsMade = stepsMade
        self.chunks = chunks
        self.epoch = epoch
    }

    func place(in arena: PackingArena) -> UnsafeMutablePointer<Wafermark__EvaluationReport> {
        arena.make(wafermark__evaluation_report__init) { message in
            message.steps_made = UInt64(clamping: stepsMade)
            message.n_chunks = chunks.count
            message.chunks = arena.list(chunks.map { $0.place(in: arena) })
            message.epoch = UInt32(clamping: epoch)
        }
    }

    init(reading message: Wafermark__EvaluationReport) throws(WireError) {
        let checks = FieldChecks(message: "evaluation report")
        stepsMade = try checks.integer(message.steps_made, "steps_made", in: WireLimits.steps)
        chunks = try elements(message.chunks, count: message.n_chunks, atMost: 65_536, "chunks", checks) {
            (chunk) throws(WireError) in try EvaluationChunkReport(reading: chunk)
        }
        epoch = try checks.integer(message.epoch, "epoch", in: WireLimits.epochs)
    }
}
