import ArgumentParser
import Corpus
import Training

/// `wafermark evaluate`: what a model makes of given examples, or of text that it has not seen.
struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measure a model on text, or on given examples with their gradients.",
        usage: """
            wafermark evaluate --model <dir> --corpus <file> ... [options]
            wafermark evaluate --model <dir> --batch <file.json> [--gradients <file>]
            """,
        discussion: """
            --corpus: quality on held-out text, one sentence a line, a blank line between documents, plain or .gz. \
            15 % of the tokens are masked, half of the sentence pairs are random, both drawn from --seed. Prints \
            accuracy, loss and perplexity of masked tokens and the accuracy of sentence pairs, each with its 95 % \
            confidence interval.

            --batch: the door through which others check this engine. An object of arrays, one entry a sequence: \
            input_ids, token_type_ids, attention_mask (rows of equal length), mlm_positions, mlm_labels, \
            next_sentence_labels (0: the second sentence follows the first, 1: it is a random one). Prints mlm_loss \
            and nsp_loss (means over labels, in nats) and the accuracies. --gradients writes the gradient of \
            mlm_loss + nsp_loss for every parameter, under its Hugging Face name, as a safetensors file.

            Dropout is off in both.
            """)

    @Option(help: ArgumentHelp("A Hugging Face model folder.", valueName: "dir"))
    var model: String

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Held-out text; several files are one text.", valueName: "file"))
    var corpus: [String] = []

    @Option(help: ArgumentHelp("The examples.", valueName: "file.json"))
    var batch: String?

    @Option(help: ArgumentHelp("With --batch: where to write the gradients.", valueName: "out.safetensors"))
    var gradients: String?

    @OptionGroup(title: "With --corpus") var text: TextOptions
    @OptionGroup var output: OutputOptions

    /// How held-out text is measured.
    struct TextOptions: ParsableArguments {
        @Option(help: ArgumentHelp("Tokens of a sequence. (default: 128, or the model's positions)", valueName: "n"))
        var sequence: Int?

        @Option(help: ArgumentHelp("Sequences measured at most, evenly over the text.", valueName: "n"))
        var sequences: Int?

        @Option(help: ArgumentHelp("The key of masks and pairs.", valueName: "n"))
        var seed: UInt64 = 1

        @Option(help: ArgumentHelp("Threads; the result doesn't depend on it.", valueName: "n"))
        var threads = 2

        func validate() throws {
            if let sequences, sequences < 1 {
                throw ValidationError("--sequences is \(sequences); 1 or more are allowed")
            }
            guard (1...1024).contains(threads) else {
                throw ValidationError("--threads is \(threads); 1 to 1024 are allowed")
            }
        }

        var isGiven: Bool { sequence != nil || sequences != nil }
    }

    func validate() throws {
        switch (corpus.isEmpty, batch) {
        case (true, nil): throw ValidationError("give --corpus (text) or --batch (examples)")
        case (false, .some): throw ValidationError("--corpus and --batch exclude each other")
        case (false, nil) where gradients != nil: throw ValidationError("--gradients needs --batch")
        case (true, .some) where text.isGiven: throw ValidationError("--sequence and --sequences need --corpus")
        default: break
        }
    }

    func run() async throws {
        if let batch {
            try evaluate(batch: batch)
        } else {
            try await evaluateText()
        }
    }

    private func evaluate(batch: String) throws {
        let result = try BatchEvaluation.run(model: model, batch: batch, gradients: gradients)
        if output.json {
            try Console.printJSON(result)
            return
        }
        Console.print(
            "MLM loss      \(Figures.fixed(result.mlmLoss, 6)) nats over \(result.maskedTokens) masked tokens")
        Console.print("MLM accuracy  \(Figures.fixed(result.mlmAccuracy, 4))")
        if let loss = result.nspLoss, let accuracy = result.nspAccuracy {
            Console.print("NSP loss      \(Figures.fixed(loss, 6)) nats over \(result.sequences) pairs")
            Console.print("NSP accuracy  \(Figures.fixed(accuracy, 4))")
        }
    }

    private func evaluateText() async throws {
        let result: CorpusEvaluation
        do {
            let (model, corpus, text) = (model, corpus, text)
            result = try await Interruption.cancels(blocking: { isCancelled in
                try CorpusEvaluation.run(
                    model: model, corpus: corpus, sequence: text.sequence, sequences: text.sequences, seed: text.seed,
                    threads: text.threads, isCancelled: isCancelled)
            })
        } catch let error as CorpusError {
            throw CommandFailure.wrongUsage(error.description)
        }
        if output.json {
            try Console.printJSON(result)
            return
        }
        Console.print(
            "\(result.documents) documents, \(result.sequences) sequences of \(result.sequence) tokens, "
                + "\(result.maskedTokens) masked tokens")
        var rows: [(String, Estimate)] = [
            ("MLM accuracy", result.mlmAccuracy), ("MLM loss", result.mlmLoss),
            ("MLM perplexity", result.mlmPerplexity),
        ]
        if let accuracy = result.nspAccuracy { rows.append(("NSP accuracy", accuracy)) }
        if let loss = result.nspLoss { rows.append(("NSP loss", loss)) }
        for (name, estimate) in rows {
            Console.print(
                "\(name.padded(to: 15)) \(Self.figure(estimate.value))  (95 % interval \(Self.figure(estimate.low)) to "
                    + "\(Self.figure(estimate.high)))")
        }
        Console.print(
            "always the most frequent token: accuracy \(Figures.fixed(result.baselineAccuracy, 4)); losses are in nats")
    }

    private static func figure(_ value: Double) -> String { Figures.fixed(value, abs(value) >= 100 ? 1 : 4) }
}
