import Jobs
import Runs

/// What was trained.
public struct JobFigures: Sendable, Encodable {
    /// The job's name.
    public var name: String
    /// The shape's name, if it has one.
    public var modelName: String?
    /// Encoder layers.
    public var layers: Int
    /// Width of the residual stream.
    public var hidden: Int
    /// Attention heads.
    public var heads: Int
    /// Width of the feed-forward layer.
    public var intermediate: Int
    /// Learned positions.
    public var positions: Int
    /// Trainable numbers; nil before the vocabulary is known.
    public var parameters: Int?
    /// The stretches of training, in order.
    public var phases: [PhaseFigures]
    /// Fixed slices of the global batch.
    public var lanes: Int
    /// The key of every random number.
    public var seed: UInt64
    /// `adamw` or `lamb`.
    public var optimizer: String
    /// Decoupled weight decay.
    public var weightDecay: Double
    /// The gradient norm above which gradients are scaled down.
    public var clipNorm: Double?
    /// `synthetic` or `files`.
    public var text: String
    /// Its files, where it comes from files.
    public var textFiles: [String]
    /// The share of documents kept for evaluation.
    public var heldOutShare: Double
    /// The share of tokens that is predicted.
    public var maskedShare: Double
    /// Whether next-sentence prediction is trained.
    public var nextSentence: Bool
    /// Steps between evaluations.
    public var evaluationEverySteps: Int
    /// Held-out sequences of one evaluation.
    public var evaluationSequences: Int
    /// The quality that ends a run.
    public var target: TargetFigures?

    /// The figures of `job`, whose vocabulary has `vocabularySize` entries, if that is known.
    init(_ job: Job, vocabularySize: Int?) {
        name = job.name
        modelName = job.model.name
        layers = job.model.layers
        hidden = job.model.hidden
        heads = job.model.heads
        intermediate = job.model.intermediate
        positions = job.model.positions
        parameters = vocabularySize.map {
            job.model.parameterCount(vocabularySize: $0, nextSentence: job.examples.nextSentence)
        }
        phases = job.phases.map(PhaseFigures.init)
        lanes = job.lanes
        seed = job.seed
        optimizer = job.optimizer.kind.rawValue
        weightDecay = Double(job.optimizer.weightDecay)
        clipNorm = job.optimizer.clipNorm.map(Double.init)
        switch job.corpus {
        case .text(let corpus):
            switch corpus.text {
            case .files(let files):
                text = "files"
                textFiles = files
            case .synthetic:
                text = "synthetic"
                textFiles = []
            }
        case .built(let corpus):
            text = "corpus"
            textFiles = [corpus.directory]
        }
        heldOutShare = job.corpus.heldOut
        maskedShare = job.examples.maskedShare
        nextSentence = job.examples.nextSentence
        evaluationEverySteps = job.evaluation.everySteps
        evaluationSequences = job.evaluation.sequences
        target = job.target.map(TargetFigures.init)
    }
}

/// A stretch of training.
public struct PhaseFigures: Sendable, Encodable {
    /// Tokens of a sequence.
    public var sequenceTokens: Int
    /// The most masked positions of a sequence.
    public var maskedPositions: Int
    /// Sequences of one step.
    public var globalBatchSequences: Int
    /// The most sequences that a lane computes at once.
    public var microBatchSequences: Int
    /// Optimizer steps.
    public var steps: Int
    /// The highest learning rate.
    public var peakLearningRate: Double
    /// Steps of linear growth to the peak.
    public var warmupSteps: Int
    /// What follows the warm-up.
    public var decay: String

    init(_ phase: Phase) {
        sequenceTokens = phase.sequence
        maskedPositions = phase.maskedPositions
        globalBatchSequences = phase.globalBatch
        microBatchSequences = phase.microBatch
        steps = phase.steps
        peakLearningRate = Double(phase.schedule.peak)
        warmupSteps = phase.schedule.warmupSteps
        decay = phase.schedule.decay.rawValue
    }
}

/// The quality that ends a run.
public struct TargetFigures: Sendable, Encodable {
    /// `mlm_accuracy` (at least) or `mlm_loss_nats` (at most), on held-out text.
    public var quality: String
    /// The threshold.
    public var value: Double
    /// Evaluations in a row that must meet it.
    public var consecutiveEvaluations: Int

    init(_ target: Target) {
        switch target.quality {
        case .maskedAccuracy(let least): (quality, value) = ("mlm_accuracy", least)
        case .maskedLoss(let most): (quality, value) = ("mlm_loss_nats", most)
        }
        consecutiveEvaluations = target.consecutive
    }

    /// The target in words.
    var phrase: Phrase {
        quality == "mlm_accuracy"
            ? "\(value, .share, "/job/target/value") MLM accuracy on held-out text"
            : "an MLM loss of \(value, .nats, "/job/target/value") nats on held-out text"
    }
}

extension ModelShape {
    /// Trainable numbers of a `BertForPreTraining` of this shape; the decoder is tied to the word embedding.
    func parameterCount(vocabularySize: Int, nextSentence: Bool) -> Int {
        let norm = 2 * hidden
        func dense(_ input: Int, _ output: Int) -> Int { input * output + output }
        let embeddings = (vocabularySize + positions + 2) * hidden + norm
        let layer = 4 * dense(hidden, hidden) + norm + dense(hidden, intermediate) + dense(intermediate, hidden) + norm
        let maskedHead = dense(hidden, hidden) + norm + vocabularySize
        let sentenceHead = nextSentence ? dense(hidden, hidden) + dense(hidden, 2) : 0
        return embeddings + layers * layer + maskedHead + sentenceHead
    }
}
