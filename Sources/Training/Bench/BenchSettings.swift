import BERT
import Jobs

/// Training steps on random token batches: no corpus, no exchange, everything else of a real step.
///
/// The work is that of the peer it is compared with: all sequences full, 15 % of positions masked and only these through
/// the MLM head, dropout on. The gradients' global norm is computed as well, as every run's is.
public struct BenchSettings: Hashable, Sendable {
    /// The network.
    public var model: ModelShape
    /// Sequences of a step.
    public var batch: Int
    /// Tokens of a sequence.
    public var sequence: Int
    /// Threads, each computing as many lanes as the others.
    public var threads: Int
    /// Lanes of a thread, at most.
    public var lanesPerThread = 1
    /// Steps measured.
    public var steps: Int
    /// Steps before them.
    public var warmup: Int
    /// Entries of the vocabulary.
    public var vocabularySize: Int
    /// Sequences that a lane computes at once; all of its own unless given.
    public var microBatch: Int?
    /// The optimizer.
    public var optimizer: OptimizerSettings.Kind
    /// Whether the norms of the lanes' gradients are measured at every second step, so that their cost shows.
    public var measuresGradientNoise = false
    /// Which weights are held at zero; nil for a dense network.
    public var sparsity: SparsitySettings?

    /// Settings; 8 steps after 3 over a vocabulary of 30,522 unless given.
    public init(
        model: ModelShape, batch: Int, sequence: Int, threads: Int, steps: Int = 8, warmup: Int = 3,
        vocabularySize: Int = 30522, microBatch: Int? = nil, optimizer: OptimizerSettings.Kind = .adamw,
        sparsity: SparsitySettings? = nil
    ) {
        self.model = model
        self.batch = batch
        self.sequence = sequence
        self.threads = threads
        self.steps = steps
        self.warmup = warmup
        self.vocabularySize = vocabularySize
        self.microBatch = microBatch
        self.optimizer = optimizer
        self.sparsity = sparsity
    }

    /// Masked positions of a sequence.
    var maskedPositions: Int { max(1, Int((Double(sequence) * 0.15).rounded(.toNearestOrEven))) }

    /// Lanes: the most that the threads can compute and that divide the batch.
    var lanes: Int { (1...max(1, min(threads * lanesPerThread, batch))).last { batch % $0 == 0 } ?? 1 }

    /// Sequences that a lane computes at once.
    var laneMicroBatch: Int { min(microBatch ?? batch / lanes, batch / lanes) }

    /// FLOPs of the matrix products of one step by the textbook: three products a dense layer (forward, two backward) and
    /// attention's two products over all tokens of all layers, and the MLM head over the masked positions.
    ///
    /// More than what is computed: the last layer leaves out tokens that no head reads.
    var textbookOperations: Double {
        let (layers, hidden) = (Double(model.layers), Double(model.hidden))
        let (length, masked) = (Double(sequence), Double(maskedPositions))
        let dense = length * layers * (4 * hidden * hidden + 2 * Double(model.intermediate) * hidden)
        let attention = layers * 2 * length * length * hidden
        let head = masked * (hidden * Double(vocabularySize) + hidden * hidden)
        return 6 * (dense + attention + head) * Double(batch)
    }

    /// A trainer at step 0, of a job with one step more than are made before and while measuring.
    ///
    /// - Throws: `TrainingError.plan` for settings that no step can be made of; `BERTError`.
    func trainer() throws -> Trainer {
        guard 0...1 << 20 ~= warmup else {
            throw TrainingError.plan(field: "warmup", found: "\(warmup)", allowed: "0 to \(1 << 20)")
        }
        for (field, value, limit) in [
            ("batch", batch, 1 << 20), ("sequence", sequence, 1 << 16), ("threads", threads, 1024),
            ("steps", steps, 1 << 20), ("vocabulary", vocabularySize, 1 << 24),
            ("micro-batch", microBatch ?? 1, 1 << 20),
        ] where value < 1 || value > limit {
            throw TrainingError.plan(field: field, found: "\(value)", allowed: "1 to \(limit)")
        }
        if sparsity != nil,
            let problem = JobFile.problems(of: job).first(where: { $0.key?.hasPrefix("sparsity") ?? false })
        {
            throw TrainingError.plan(
                field: problem.key ?? "sparsity", found: problem.found, allowed: problem.allowed)
        }
        return try Trainer(
            plan: TrainingPlan(job: job, vocabularySize: vocabularySize),
            source: RandomStepSource(vocabularySize: vocabularySize), threads: threads)
    }

    private var job: Job {
        Job(
            name: "bench", model: model,
            corpus: CorpusSource(
                text: .synthetic(documents: 2, seed: 1), vocabulary: .trained(size: vocabularySize)),
            examples: ExampleSettings(), lanes: lanes, seed: 1,
            phases: [
                Phase(
                    sequence: sequence, maskedPositions: maskedPositions, globalBatch: batch,
                    microBatch: laneMicroBatch, steps: warmup + steps + 1,
                    schedule: Schedule(peak: 1e-4, warmupSteps: 0, decay: .constant))
            ],
            optimizer: OptimizerSettings(kind: optimizer),
            // At 64 steps between evaluations every second one is measured; at a million none that is made.
            evaluation: EvaluationSettings(everySteps: measuresGradientNoise ? 64 : 1 << 20, sequences: 1), target: nil,
            checkpoints: CheckpointSettings(), sparsity: sparsity)
    }
}
