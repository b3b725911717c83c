import ArgumentParser
import Training

/// `wafermark evaluate`: what a model makes of given examples.
struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measure a model on given examples, and write its gradients.",
        discussion: """
            The door through which others check this engine. FILE.json is an object of
            arrays, one entry a sequence: input_ids, token_type_ids, attention_mask (rows
            of equal length), mlm_positions, mlm_labels, next_sentence_labels (0: the
            second sentence follows the first, 1: it is a random one). Dropout is off.

            Prints mlm_loss and nsp_loss (means over labels, in nats) and the accuracies.
            --gradients writes the gradient of mlm_loss + nsp_loss for every parameter,
            under its Hugging Face name, as a safetensors file.
            """)

    @Option(help: ArgumentHelp("A Hugging Face model folder.", valueName: "dir"))
    var model: String

    @Option(help: ArgumentHelp("The examples.", valueName: "file.json"))
    var batch: String

    @Option(help: ArgumentHelp("Where to write the gradients.", valueName: "out.safetensors"))
    var gradients: String?

    @OptionGroup var output: OutputOptions

    func run() throws {
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
}
