/// What is trained, and nothing of the machine that trains it.
///
/// A job is made by reading a job file (`JobFile`), which checks every field; the values here are therefore valid.
public struct Job: Hashable, Sendable, Codable {
    /// A name for people: letters, digits, dot, dash and underscore.
    public var name: String
    /// The shape of the network.
    public var model: ModelShape
    /// Where the text comes from.
    public var corpus: CorpusSource
    /// How the text becomes examples.
    public var examples: ExampleSettings
    /// The number of equal slices that the global batch is cut into. Fixed, because the bits depend on it.
    public var lanes: Int
    /// The key of every random number.
    public var seed: UInt64
    /// The stretches of training, in order; the optimizer's state is kept from one to the next.
    public var phases: [Phase]
    /// How gradients change weights.
    public var optimizer: OptimizerSettings
    /// When quality on held-out text is measured.
    public var evaluation: EvaluationSettings
    /// The quality that ends the run early, if any.
    public var target: Target?
    /// When checkpoints are written.
    public var checkpoints: CheckpointSettings
    /// Which weights are held at zero; nil for a dense network.
    public var sparsity: SparsitySettings?
    /// How gradients are made smaller before they are exchanged; nil: not at all.
    public var compression: GradientCompression?

    /// A job of the given parts.
    public init(
        name: String, model: ModelShape, corpus: CorpusSource, examples: ExampleSettings, lanes: Int, seed: UInt64,
        phases: [Phase], optimizer: OptimizerSettings, evaluation: EvaluationSettings, target: Target?,
        checkpoints: CheckpointSettings, sparsity: SparsitySettings? = nil, compression: GradientCompression? = nil
    ) {
        self.name = name
        self.model = model
        self.corpus = corpus
        self.examples = examples
        self.lanes = lanes
        self.seed = seed
        self.phases = phases
        self.optimizer = optimizer
        self.evaluation = evaluation
        self.target = target
        self.checkpoints = checkpoints
        self.sparsity = sparsity
        self.compression = compression
    }

    /// The optimizer steps of all phases together.
    public var totalSteps: Int { phases.reduce(0) { $0 + $1.steps } }

    /// The phase that `step` belongs to, its index, and the step's number within it; nil past the end.
    public func phase(at step: StepNumber) -> (index: Int, phase: Phase, stepInPhase: Int)? {
        var rest = step.index
        for (index, phase) in phases.enumerated() {
            if rest < phase.steps { return (index, phase, rest) }
            rest -= phase.steps
        }
        return nil
    }
}

/// What trains a job.
public enum Backend: String, Hashable, Sendable, Codable, CaseIterable {
    case cluster
    case wafer
}

extension Backend {
    /// Threads that a process computes on: a cluster's worker stands for one accelerator and has one; the wafer has every
    /// core, as far as there are lanes to keep them busy.
    public func threads(lanes: Int, cores: Int) -> Int {
        switch self {
        case .cluster: 1
        case .wafer: min(lanes, cores)
        }
    }
}
