import ArgumentParser
import BERT
import Coordinator
import Runs

/// `wafermark model`: Hugging Face model folders.
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Show, import and export Hugging Face model folders.",
        discussion: "A folder holds config.json, vocab.txt and model.safetensors, with BertForPreTraining's names.",
        subcommands: [ModelShowCommand.self, ModelImportCommand.self, ModelExportCommand.self])
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

/// `wafermark model import`: a folder of any supported spelling, written anew in the usual one.
struct ModelImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Check a model folder and write it anew under the usual names.",
        discussion: "Nothing is written unless the whole folder is sound; the new one appears whole or not at all.")

    @Argument(help: "The folder to read.")
    var source: String

    @Argument(help: "The folder to make; it must not exist.")
    var destination: String

    @OptionGroup var output: OutputOptions

    func run() throws {
        try HuggingFaceModel(reading: source).write(to: destination)
        try WrittenModel(modelDirectory: destination).print(json: output.json)
    }
}

/// `wafermark model export`: the model that a run ended with.
struct ModelExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write the model that a finished run trained as a folder of its own.",
        discussion: "The folder opens in transformers unchanged: BertForPreTraining.from_pretrained.")

    @Argument(help: ArgumentHelp("The run's id, or a beginning of it.", valueName: "run"))
    var runPrefix: String

    @Argument(help: "The folder to make; it must not exist.")
    var destination: String

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let record = try RunStore(readingFrom: state.directory.path).find(runPrefix)
        guard let directory = record.outcome?.modelDirectory else {
            throw CommandFailure.failed("run \(record.id) has no model: it is \(record.state.name)")
        }
        try HuggingFaceModel(reading: directory).write(to: destination)
        try WrittenModel(modelDirectory: destination).print(json: output.json)
    }
}

/// Where a model was written.
private struct WrittenModel: Encodable {
    var modelDirectory: String

    func print(json: Bool) throws {
        if json {
            try Console.printJSON(self)
        } else {
            Console.print(modelDirectory)
        }
    }
}
