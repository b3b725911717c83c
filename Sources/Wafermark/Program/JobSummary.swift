import Jobs

/// What a job amounts to, as `job check` prints it.
struct JobSummary: Encodable {
    /// One phase.
    struct PhaseSummary: Encodable {
        var sequence: Int
        var globalBatch: Int
        var steps: Int
        var sequences: Int
    }

    var name: String
    /// The name of the model's size, if it has one.
    var model: String?
    var layers: Int
    var hidden: Int
    var heads: Int
    /// Weights of the encoder alone: the vocabulary's share is known once there is one.
    var encoderParameters: Int
    var lanes: Int
    var steps: Int
    var sequences: Int
    var isSynthetic: Bool
    /// The corpus folder, where the job reads one.
    var corpus: String?
    var phases: [PhaseSummary]

    /// What `job` amounts to.
    init(_ job: Job) {
        name = job.name
        model = job.model.name
        layers = job.model.layers
        hidden = job.model.hidden
        heads = job.model.heads
        let (hidden, intermediate) = (job.model.hidden, job.model.intermediate)
        // Four projections, two feed-forward matrices, their biases, two layer norms.
        let layer = 4 * hidden * hidden + 2 * hidden * intermediate + 9 * hidden + intermediate
        encoderParameters = job.model.layers * layer
        lanes = job.lanes
        steps = job.totalSteps
        switch job.corpus {
        case .text(let corpus):
            isSynthetic = if case .synthetic = corpus.text { true } else { false }
            self.corpus = nil
        case .built(let built):
            isSynthetic = false
            self.corpus = built.directory
        }
        phases = job.phases.map {
            PhaseSummary(
                sequence: $0.sequence, globalBatch: $0.globalBatch, steps: $0.steps,
                sequences: $0.steps * $0.globalBatch)
        }
        sequences = phases.reduce(0) { $0 + $1.sequences }
    }

    /// The summary for people.
    var lines: [String] {
        let size = "\(layers) layers x \(hidden), \(heads) heads"
        var lines = [
            "\(name): a valid job",
            "  model   \(model.map { "\($0) (\(size))" } ?? size), \(Self.count(encoderParameters)) weights in the encoder",
            "  lanes   \(lanes): up to \(lanes) workers",
        ]
        for (index, phase) in phases.enumerated() {
            lines.append(
                "  phase \(index + 1) \(phase.steps) steps x \(phase.globalBatch) sequences of \(phase.sequence) tokens"
                    + " = \(Self.count(phase.sequences)) sequences")
        }
        let text = corpus.map { "the corpus \($0)" } ?? "files"
        lines.append("  text    " + (isSynthetic ? "synthetic: written by the package itself" : "from " + text))
        return lines
    }

    private static func count(_ value: Int) -> String {
        switch value {
        case 1_000_000_000...: Figures.fixed(Double(value) / 1e9, 2) + " G"
        case 1_000_000...: Figures.fixed(Double(value) / 1e6, 1) + " M"
        case 10_000...: Figures.fixed(Double(value) / 1e3, 1) + " k"
        default: "\(value)"
        }
    }
}
