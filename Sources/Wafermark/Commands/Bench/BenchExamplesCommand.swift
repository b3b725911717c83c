import ArgumentParser
import Corpus
import Jobs
import Training

/// `wafermark bench corpus examples`: a dataset's examples, against what a training step needs.
struct BenchExamplesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "examples", abstract: "Measure the making of examples against what a step needs.",
        discussion: """
            Examples are read in a job's shuffled order and masked. input_share is what
            their making costs of all threads' time while a model of --model trains: it is
            made on a thread of its own beside the step.
            """)

    @Argument(help: ArgumentHelp("A built corpus folder; synthetic text is prepared unless given.", valueName: "dir"))
    var folder: String?

    @Option(help: ArgumentHelp("Tokens of a sequence.", valueName: "n"))
    var sequence = 128

    @Option(help: ArgumentHelp("Examples of a measurement.", valueName: "n"))
    var examples = 100_000

    @Option(help: ArgumentHelp("What is masked at once: token, whole-word or span.", valueName: "kind"))
    var masking: ExampleSettings.Masking?

    @Option(help: ArgumentHelp("Threads of the measurement on several, and of the step.", valueName: "n"))
    var threads = 2

    @Option(help: ArgumentHelp("The model whose step is measured.", valueName: "size"))
    var model: NamedShape = NamedShape(name: "tiny")

    @OptionGroup var output: OutputOptions

    private struct Result: Encodable {
        var examples: CorpusBench.Examples
        var model: String
        var sequencesPerSecond: Double
        var inputShare: Double
    }

    func validate() throws {
        guard (1...100_000_000).contains(examples) else {
            throw ValidationError("--examples is \(examples); 1 to 100000000 are allowed")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads is \(threads); 1 to 1024 are allowed")
        }
    }

    func run() throws {
        let scratch = try ScratchFolder()
        defer { scratch.remove() }
        let dataset = try folder.map { try CorpusFolder($0).dataset(verifying: .sizes) } ?? synthetic(scratch)
        var settings = dataset.manifest.settings.examples
        if let masking { settings.masking = masking }
        try dataset.check(sequences: [sequence], examples: settings)
        let measured = try CorpusBench.examples(
            dataset, sequence: sequence, examples: settings, count: examples, threads: threads)
        let step = try TrainingBench.run(
            BenchSettings(
                model: model.shape, batch: 16 * threads, sequence: sequence, threads: threads, steps: 4,
                vocabularySize: dataset.vocabulary.count))
        let result = Result(
            examples: measured, model: model.name, sequencesPerSecond: step.sequencesPerSecond,
            inputShare: step.sequencesPerSecond * measured.microsecondsPerExample / 1e6 / Double(threads))
        if output.json {
            try Console.printJSON(result)
            return
        }
        Console.print("\(Figures.count(measured.examples)) examples of \(sequence) tokens (host clock)")
        for (name, value) in [
            (
                "one thread",
                "\(Figures.count(Int(measured.examplesPerSecondOneThread))) examples/s, "
                    + "\(Figures.short(measured.microsecondsPerExample)) us each"
            ),
            ("\(threads) threads", "\(Figures.count(Int(measured.examplesPerSecondAllThreads))) examples/s"),
            ("a step of \(model.name)", "needs \(Figures.short(result.sequencesPerSecond)) examples/s"),
            ("input share", "\(Figures.fixed(100 * result.inputShare, 3)) % of \(threads) threads"),
            ("peak memory", Figures.bytes(measured.peakRssBytes)),
        ] { Console.print("  \(name.padded(to: 18)) \(value)") }
    }

    private func synthetic(_ scratch: ScratchFolder) throws -> Dataset {
        try DatasetPreparation.prepare(
            DatasetRequest(
                text: .synthetic(documents: 20_000, seed: 1), vocabulary: .trained(size: 2048),
                settings: DatasetSettings(sequences: [sequence], seed: 1)),
            into: scratch.path + "/dataset", manner: DatasetPreparation.Manner(threads: threads))
    }
}
