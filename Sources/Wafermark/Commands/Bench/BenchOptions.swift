import ArgumentParser
import Jobs
import Training

/// The steps that a bench makes.
struct BenchOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The model's size: \(ModelShape.named.map(\.name).joined(separator: ", ")).", valueName: "size"))
    var model: NamedShape = NamedShape(name: "mini")

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

    /// What the options say.
    var settings: BenchSettings {
        var settings = BenchSettings(
            model: model.shape, batch: batch, sequence: sequence, threads: threads, steps: steps, warmup: warmup,
            vocabularySize: vocabulary, microBatch: microBatch, optimizer: optimizer)
        settings.measuresGradientNoise = gradientNoise
        return settings
    }

    /// One line for people.
    var heading: String {
        "\(model.name), \(batch) sequences of \(sequence) tokens, \(threads) threads, \(steps) steps (host clock)"
    }
}

extension OptimizerSettings.Kind: ExpressibleByArgument {}
