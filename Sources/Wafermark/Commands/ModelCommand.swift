import ArgumentParser
import BERT

/// `wafermark model`: Hugging Face model folders.
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Look at Hugging Face model folders.",
        discussion: "A folder holds config.json, vocab.txt and model.safetensors, with BertForPreTraining's names.",
        subcommands: [ModelShowCommand.self])
}

/// `wafermark model show`: what a folder holds.
struct ModelShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Check a model folder and say what it holds.")

    @Argument(help: "The folder.")
    var folder: String

    @OptionGroup var output: OutputOptions

    private struct Summary: Encodable {
        var layers: Int
        var hidden: Int
        var heads: Int
        var intermediate: Int
        var positions: Int
        var vocabularySize: Int
        var nextSentence: Bool
        var parameters: Int
        var tensors: Int
        var hasVocabulary: Bool
        var ignoredTensors: [String]
    }

    func run() throws {
        let model = try HuggingFaceModel(reading: folder)
        let shape = model.configuration
        let summary = Summary(
            layers: shape.layers, hidden: shape.hidden, heads: shape.heads, intermediate: shape.intermediate,
            positions: shape.positions, vocabularySize: shape.vocabularySize, nextSentence: shape.nextSentence,
            parameters: model.layout.parameterCount, tensors: model.layout.tensors.count,
            hasVocabulary: model.vocabulary != nil, ignoredTensors: model.ignored)
        if output.json {
            try Console.printJSON(summary)
            return
        }
        Console.print(
            "\(shape.layers) layers x \(shape.hidden), \(shape.heads) heads, feed-forward \(shape.intermediate)")
        Console.print("\(shape.positions) positions, \(shape.vocabularySize) entries of vocabulary")
        Console.print("\(summary.parameters) parameters in \(summary.tensors) tensors")
        Console.print(
            "next-sentence head: \(shape.nextSentence ? "yes" : "no"); vocab.txt: \(summary.hasVocabulary ? "yes" : "no")"
        )
        for name in model.ignored { Console.print("not used: \(name)") }
    }
}
