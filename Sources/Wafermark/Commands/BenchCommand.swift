import ArgumentParser
import Jobs
import Training

/// `wafermark bench`: what this machine reaches.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure what this machine reaches.",
        discussion: "All figures are on the host clock; close other programs first.",
        subcommands: [BenchTrainCommand.self, BenchGEMMCommand.self, BenchAllReduceCommand.self])
}

/// `wafermark bench train`: optimizer steps on random tokens.
struct BenchTrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Measure whole training steps on random tokens.",
        discussion: """
            All sequences are full, 15 % of their tokens are predicted, dropout is on.
            gemm_gflops counts the matrix products of a step over the step's whole time;
            gemm_peak_gflops is what oneDNN reaches on the same shapes by itself.
            """)

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

    @Option(help: ArgumentHelp("Steps that are measured, after 3 that are not.", valueName: "n"))
    var steps = 8

    @Option(help: ArgumentHelp("Entries of the vocabulary.", valueName: "n"))
    var vocabulary = 30_522

    @Option(help: ArgumentHelp("Sequences that a lane computes at once; all of its own by default.", valueName: "n"))
    var microBatch: Int?

    @Option(help: ArgumentHelp("The optimizer: adamw or lamb.", valueName: "rule"))
    var optimizer: OptimizerSettings.Kind = .adamw

    @OptionGroup var output: OutputOptions

    func run() throws {
        let result = try TrainingBench.run(
            TrainingBench.Settings(
                model: model.shape, batch: batch, sequence: sequence, threads: threads, steps: steps,
                vocabularySize: vocabulary, microBatch: microBatch, optimizer: optimizer))
        if output.json {
            try Console.printJSON(result)
            return
        }
        Console.print(
            "\(model.name), \(batch) sequences of \(sequence) tokens, \(threads) threads, \(steps) steps (host clock)")
        let rows: [(String, String)] = [
            ("sequences/s", Figures.short(result.sequencesPerSecond)),
            (
                "step",
                "\(Figures.milliseconds(result.stepSecondsMedian)) median, \(Figures.milliseconds(result.stepSecondsMin)) least, "
                    + "\(Figures.milliseconds(result.stepSecondsMax)) most"
            ),
            ("  forward, backward", Figures.milliseconds(result.computeSecondsMedian)),
            ("  optimizer", Figures.milliseconds(result.optimizerSecondsMedian)),
            ("  input", Figures.milliseconds(result.inputSecondsMedian)),
            (
                "matrix products",
                "\(Figures.short(result.gemmGflops)) GFLOP/s, \(Figures.percent(result.gemmEfficiency)) of oneDNN's "
                    + Figures.short(result.gemmPeakGflops)
            ),
            ("peak memory", Figures.bytes(result.peakRssBytes)),
            ("start to first step", Figures.milliseconds(result.startSeconds)),
        ]
        for (name, value) in rows { Console.print("  \(name.padded(to: 20)) \(value)") }
    }
}

/// `wafermark bench gemm`: the matrix-product library by itself.
struct BenchGEMMCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gemm", abstract: "Measure oneDNN's matrix products on a model's shapes.")

    @Option(help: ArgumentHelp("The model's size.", valueName: "size"))
    var model: NamedShape = NamedShape(name: "mini")

    @Option(help: ArgumentHelp("Rows of each thread's matrices: sequences x tokens of a lane.", valueName: "n"))
    var tokens = 2048

    @Option(help: ArgumentHelp("Threads.", valueName: "n"))
    var threads = 2

    @OptionGroup var output: OutputOptions

    private struct Result: Encodable {
        var model: String
        var tokens: Int
        var threads: Int
        var gemmPeakGflops: Double
    }

    func validate() throws {
        guard (1...65_536).contains(tokens) else {
            throw ValidationError("--tokens is \(tokens); 1 to 65536 are allowed")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads is \(threads); 1 to 1024 are allowed")
        }
    }

    func run() throws {
        let rate = try ProductBench.encoderRate(model: model.shape, tokens: tokens, threads: threads)
        if output.json {
            try Console.printJSON(Result(model: model.name, tokens: tokens, threads: threads, gemmPeakGflops: rate))
        } else {
            Console.print(
                "\(Figures.short(rate)) GFLOP/s over an encoder layer's products, best of several rounds (host clock)")
        }
    }
}

/// A model's size by name.
struct NamedShape: ExpressibleByArgument {
    /// The name.
    var name: String
    /// What it stands for.
    var shape: ModelShape

    /// The shape of `name`, which must be one of `ModelShape.named`.
    init(name: String) {
        self.name = name
        shape = ModelShape.named(name) ?? ModelShape(layers: 4, hidden: 256, heads: 4)
    }

    init?(argument: String) {
        guard ModelShape.named(argument) != nil else { return nil }
        self.init(name: argument)
    }

    var defaultValueDescription: String { name }
    static var allValueStrings: [String] { ModelShape.named.map(\.name) }
}

extension OptimizerSettings.Kind: ExpressibleByArgument {}
