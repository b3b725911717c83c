import BERT
import Jobs

/// A job turned into steps: what each lane computes at each step, whoever computes it.
public struct TrainingPlan: Sendable {
    /// What is trained.
    public let job: Job
    /// The network's shape.
    public let configuration: BERTConfiguration
    /// Where each parameter lies in the flat buffers of weights, gradients and optimizer state.
    public let layout: ParameterLayout
    /// The tree in which lane gradients are summed.
    public let tree: LaneTree

    /// The most sequences of one evaluation chunk.
    public static let evaluationChunkSize = 16

    /// The plan of `job` over a vocabulary of `vocabularySize` entries.
    ///
    /// - Throws: `TrainingError.plan` where lanes don't divide a phase's global batch or a sequence exceeds the positions;
    ///   `BERTError` where the shape can't be computed.
    public init(job: Job, vocabularySize: Int) throws {
        for phase in job.phases {
            guard job.lanes > 0, phase.globalBatch > 0, phase.globalBatch % job.lanes == 0 else {
                throw TrainingError.plan(
                    field: "lanes", found: "\(job.lanes)", allowed: "a divisor of the global batch \(phase.globalBatch)"
                )
            }
            guard phase.sequence <= job.model.positions else {
                throw TrainingError.plan(
                    field: "sequence", found: "\(phase.sequence)", allowed: "at most \(job.model.positions) positions")
            }
            guard phase.microBatch > 0, phase.steps > 0 else {
                throw TrainingError.plan(
                    field: "phases", found: "a micro-batch of \(phase.microBatch) in \(phase.steps) steps",
                    allowed: "one or more")
            }
        }
        guard !job.phases.isEmpty else {
            throw TrainingError.plan(field: "phases", found: "none", allowed: "one or more")
        }
        self.job = job
        configuration = BERTConfiguration(
            layers: job.model.layers, hidden: job.model.hidden, heads: job.model.heads,
            intermediate: job.model.intermediate, positions: job.model.positions, vocabularySize: vocabularySize,
            hiddenDropout: job.model.hiddenDropout, attentionDropout: job.model.attentionDropout,
            nextSentence: job.examples.nextSentence, activation: job.model.activation == .relu ? .relu : .gelu)
        layout = try ParameterLayout(configuration: configuration)
        tree = LaneTree(laneCount: job.lanes)
    }

    /// Lanes of the job.
    public var lanes: Int { job.lanes }

    /// Optimizer steps of all phases.
    public var totalSteps: Int { job.totalSteps }

    /// What step `step` consists of.
    ///
    /// - Throws: `TrainingError.noSuchStep` past the end.
    public func step(_ step: StepNumber) throws(TrainingError) -> StepPlan {
        guard step.index >= 0, let (index, phase, stepInPhase) = job.phase(at: step) else {
            throw .noSuchStep(step: step, totalSteps: totalSteps)
        }
        // Phases of one sequence length read on where the one before stopped, instead of seeing the same examples again.
        let earlier = job.phases[..<index].filter { $0.sequence == phase.sequence }
            .reduce(UInt64(0)) { $0 + UInt64($1.steps) * UInt64($1.globalBatch) }
        return StepPlan(
            step: step, phaseIndex: index, phase: phase, lanes: job.lanes,
            learningRate: phase.schedule.learningRate(step: stepInPhase, of: phase.steps),
            firstPosition: earlier + UInt64(stepInPhase) * UInt64(phase.globalBatch),
            measuresGradientNoise: job.measuresGradientNoise(at: step))
    }

    /// The phase whose sequence length held-out text is measured at after `stepsMade` steps.
    public func evaluationPhase(stepsMade: Int) -> Phase {
        let step = StepNumber(min(max(0, stepsMade - 1), totalSteps - 1))
        return job.phase(at: step)?.phase ?? job.phases[job.phases.count - 1]
    }

    /// Fixed chunks in which held-out text is measured after `stepsMade` steps: whoever measures one gets the same bits.
    public func evaluationChunkCount(stepsMade: Int) -> Int {
        let size = evaluationChunkSize(stepsMade: stepsMade)
        return (job.evaluation.sequences + size - 1) / size
    }

    /// The held-out sequences of chunk `chunk`.
    public func evaluationExamples(chunk: Int, stepsMade: Int) -> Range<Int> {
        let size = evaluationChunkSize(stepsMade: stepsMade)
        return min(chunk * size, job.evaluation.sequences)..<min((chunk + 1) * size, job.evaluation.sequences)
    }

    private func evaluationChunkSize(stepsMade: Int) -> Int {
        min(Self.evaluationChunkSize, evaluationPhase(stepsMade: stepsMade).microBatch)
    }

    /// Whether held-out text is measured after `stepsMade` steps.
    public func evaluates(stepsMade: Int) -> Bool {
        stepsMade == totalSteps || (stepsMade > 0 && stepsMade % max(1, job.evaluation.everySteps) == 0)
    }

    /// Whether a checkpoint is due after `stepsMade` steps; one at the end always is.
    public func checkpoints(stepsMade: Int) -> Bool { job.checkpoints(stepsMade: stepsMade) }

    /// What a lane computes at once at most, over all phases and evaluations.
    var capacity: LaneCapacity {
        var capacity = LaneCapacity(tokens: 1, sequences: 1, sequenceLength: 1, maskedPositions: 1)
        for phase in job.phases {
            let training = min(phase.microBatch, phase.globalBatch / job.lanes)
            let sequences = max(training, min(Self.evaluationChunkSize, phase.microBatch))
            capacity.sequences = max(capacity.sequences, sequences)
            capacity.sequenceLength = max(capacity.sequenceLength, phase.sequence)
            capacity.tokens = max(capacity.tokens, sequences * phase.sequence)
            capacity.maskedPositions = max(capacity.maskedPositions, sequences * phase.maskedPositions)
        }
        return capacity
    }
}

/// What one optimizer step consists of.
public struct StepPlan: Hashable, Sendable {
    /// The step.
    public let step: StepNumber
    /// The number of its phase.
    public let phaseIndex: Int
    /// Its phase.
    public let phase: Phase
    /// Lanes of the job.
    public let lanes: Int
    /// Its learning rate.
    public let learningRate: Float
    /// The position in the seeded order of examples of this sequence length at which its global batch begins.
    public let firstPosition: UInt64
    /// Whether the squared norm of each lane's gradient is measured.
    public let measuresGradientNoise: Bool

    /// Sequences of each lane.
    public var sequencesPerLane: Int { phase.globalBatch / lanes }

    /// The numbers, within the global batch, of the examples that `lane` computes at once, micro-batch by micro-batch.
    public func microBatches(lane: Int) -> [Range<Int>] {
        let start = lane * sequencesPerLane
        let end = start + sequencesPerLane
        return stride(from: start, to: end, by: phase.microBatch).map { $0..<min($0 + phase.microBatch, end) }
    }
}
