import ArgumentParser
import Jobs
import Training

/// The steps that a bench makes.
struct BenchOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The model's size: \(ModelShape.named.map(\.name).joined(separator: ", ")); mini by default.",
            valueName: "size"))
    var model: NamedShape?

    @Option(help: ArgumentHelp("Sequences of a step.", valueName: "n"))
    var batch = 32

    @Option(help: ArgumentHelp("Tokens of a sequence.", valueName: "n"))
    var sequence = 128

    @Option(help: ArgumentHelp("Threads; each computes a lane.", valueName: "n"))
    var threads = 2

    @Option(help: ArgumentHelp("Steps that are measured.", valueName: "n"))
    var steps = 8

    @Option(help: ArgumentHelp("Steps before them that are not.", valueName: "n"))
    var warmup = 3

    @Option(help: ArgumentHelp("Entries of the vocabulary.", valueName: "n"))
    var vocabulary = 30_522

    @Option(help: ArgumentHelp("Sequences that a lane computes at once; all of its own by default.", valueName: "n"))
    var microBatch: Int?

    @Option(help: ArgumentHelp("The optimizer: adamw or lamb.", valueName: "rule"))
    var optimizer: OptimizerSettings.Kind = .adamw

    @Flag(help: "Measure the lanes' gradients for the noise scale at every second step, and say what that costs.")
    var gradientNoise = false

    @Option(
        help: ArgumentHelp(
            "The share of the encoder's weights that is held at zero, 0 to 0.99: kernels that multiply no zero.",
            valueName: "share"))
    var sparsity = 0.0

    @Option(
        help: ArgumentHelp("How the kept weights lie: unstructured, block4, or n:m such as 1:4.", valueName: "name"))
    var pattern: String = "unstructured"

    @Option(help: ArgumentHelp("The activation function: gelu or relu.", valueName: "name"))
    var activation: ModelShape.Activation = .gelu

    func validate() throws {
        guard sparsity == 0 || 0.01...0.99 ~= sparsity else {
            throw ValidationError("--sparsity is \(sparsity); 0, or 0.01 to 0.99, are allowed")
        }
        guard let pattern = SparsityPattern(name: pattern), pattern.isPossible else {
            throw ValidationError(
                "--pattern is '\(self.pattern)'; unstructured, block4, or n:m such as 1:4, are allowed")
        }
    }

    /// The model.
    var shape: NamedShape { model ?? NamedShape(name: "mini") }

    /// Static masks of the sparsity and pattern asked for; nil for a dense network.
    private var sparse: SparsitySettings? {
        guard let pattern = SparsityPattern(name: pattern) else { return nil }
        if case .nOfM(let kept, let group) = pattern, group > 0 {
            return SparsitySettings(density: Double(kept) / Double(group), pattern: pattern)
        }
        // 1 - 0.9 is not 0.1.
        return sparsity == 0 ? nil : SparsitySettings(density: ((1 - sparsity) * 1e9).rounded() / 1e9, pattern: pattern)
    }

    /// What the options say.
    var settings: BenchSettings {
        var model = shape.shape
        model.activation = activation
        var settings = BenchSettings(
            model: model, batch: batch, sequence: sequence, threads: threads, steps: steps, warmup: warmup,
            vocabularySize: vocabulary, microBatch: microBatch, optimizer: optimizer, sparsity: sparse)
        settings.measuresGradientNoise = gradientNoise
        return settings
    }

    /// One line for people.
    var heading: String {
        let zeros = sparse.map { ", \(Figures.percent(1 - $0.density)) zeros, \($0.pattern.name)" } ?? ""
        return "\(shape.name)\(zeros), \(batch) sequences of \(sequence) tokens, \(threads) threads, \(steps) steps "
            + "(host clock)"
    }
}

extension OptimizerSettings.Kind: ExpressibleByArgument {}
extension ModelShape.Activation: ExpressibleByArgument {}

extension SparsityPattern {
    /// Whether it keeps some weights of a group, and not all.
    fileprivate var isPossible: Bool {
        if case .nOfM(let kept, let group) = self { 0 < kept && kept < group } else { true }
    }
}
