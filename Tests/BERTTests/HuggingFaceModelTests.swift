import BERT
import Foundation
import Kernels
import Testing

@Suite("Hugging Face folders")
struct HuggingFaceModelTests {
    static let shape = BERTConfiguration(
        layers: 2, hidden: 32, heads: 4, intermediate: 48, positions: 20, vocabularySize: 50, hiddenDropout: 0.25)

    @Test("a written model is read back: shape, vocabulary and every bit", arguments: [true, false])
    func roundTrip(nextSentence: Bool) throws {
        let folder = try TemporaryFolder()
        var shape = Self.shape
        shape.nextSentence = nextSentence
        let (layout, weights) = try model(shape)
        let path = folder.path + "/model"
        let vocabulary = (0..<50).map { "wörd\($0)" }
        try HuggingFaceModel.write(
            layout: layout, weights: UnsafePointer(weights.pointer), vocabulary: vocabulary, to: path)
        let read = try HuggingFaceModel(reading: path)
        #expect(read.configuration == shape)
        #expect(read.vocabulary == vocabulary)
        #expect(Array(read.weights.buffer) == Array(weights.buffer))
        #expect(read.initialised.isEmpty && read.ignored.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model"])
    }

    @Test("names without the prefix, gamma and beta, and tied copies are understood")
    func otherNames() throws {
        let folder = try TemporaryFolder()
        let (layout, weights) = try model(Self.shape)
        try rewrite(layout, weights, in: folder) { tensors in
            let word = tensors.first { $0.name == "bert.embeddings.word_embeddings.weight" }
            for index in tensors.indices {
                tensors[index].name = tensors[index].name.replacingOccurrences(of: "bert.", with: "")
                    .replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
                    .replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta")
            }
            if let word {
                tensors.append(.init(name: "cls.predictions.decoder.weight", shape: [50, 32], elements: word.elements))
            }
        }
        let read = try HuggingFaceModel(reading: folder.path + "/model")
        #expect(Array(read.weights.buffer) == Array(weights.buffer))
        #expect(read.ignored.isEmpty)
    }

    @Test("missing heads are refused, and initialised on request only")
    func missingHeads() throws {
        let folder = try TemporaryFolder()
        let (layout, weights) = try model(Self.shape)
        try rewrite(layout, weights, in: folder) { tensors in tensors.removeAll { $0.name.hasPrefix("cls.") } }
        let path = folder.path + "/model"
        let error = try #require(throws: ModelFileError.self) { _ = try HuggingFaceModel(reading: path) }
        #expect(error.description.contains("cls.predictions"))
        let read = try HuggingFaceModel(reading: path) { _, values in values.update(repeating: 0.5) }
        #expect(read.initialised.count == 7)
        let classifier = try #require(read.layout.tensor(named: "cls.seq_relationship.weight"))
        #expect(read.weights.buffer[classifier.range].allSatisfy { $0 == 0.5 })
    }

    /// Changes to a file's tensors, each with what the error must name.
    static let damages:
        [(name: String, expected: String, change: @Sendable (inout [SafeTensorsWriter.Tensor]) -> Void)] =
            [
                (
                    "encoder", "the encoder must be whole",
                    { $0.removeAll { $0.name.hasSuffix("layer.1.output.dense.bias") } }
                ),
                (
                    "shape", "shape [50, 32]",
                    { tensors in
                        guard let index = tensors.firstIndex(where: { $0.name.contains("position_embeddings") }),
                            let word = tensors.first(where: { $0.name.contains("word_embeddings") })
                        else { return }
                        tensors[index].shape = word.shape
                        tensors[index].elements = word.elements
                    }
                ),
                (
                    "layers", "layer 2",
                    { tensors in
                        guard var extra = tensors.first(where: { $0.name.contains("layer.1.output.dense.bias") }) else {
                            return
                        }
                        extra.name = "bert.encoder.layer.2.output.dense.bias"
                        tensors.append(extra)
                    }
                ),
                (
                    "decoder", "values of its own",
                    { tensors in
                        guard let word = tensors.first(where: { $0.name.contains("word_embeddings") }) else { return }
                        // The same elements from one later on: other values.
                        let shifted = UnsafeBufferPointer(start: word.elements.baseAddress.map { $0 + 1 }, count: 1600)
                        tensors.append(
                            .init(name: "cls.predictions.decoder.weight", shape: [50, 32], elements: shifted))
                    }
                ),
            ]

    @Test("a file that contradicts its configuration is refused", arguments: damages.map(\.name))
    func contradiction(name: String) throws {
        let damage = try #require(Self.damages.first { $0.name == name })
        let folder = try TemporaryFolder()
        let (layout, weights) = try model(Self.shape)
        try rewrite(layout, weights, in: folder, damage.change)
        let error = try #require(throws: ModelFileError.self) {
            _ = try HuggingFaceModel(reading: folder.path + "/model") { _, _ in }
        }
        #expect(error.description.contains(damage.expected), "\(error)")
    }

    @Test(
        "a configuration that would be computed otherwise is refused, naming the field",
        arguments: [
            ("\"hidden_act\" : \"gelu\"", "\"hidden_act\" : \"gelu_new\"", "hidden_act"),
            ("\"hidden_act\" : \"gelu\"", "\"hidden_act\" : \"gelu_new\"", "hidden_act"),
            ("\"model_type\" : \"bert\"", "\"model_type\" : \"roberta\"", "model_type"),
            ("\"absolute\"", "\"relative_key\"", "position_embedding_type"),
            ("\"tie_word_embeddings\" : true", "\"tie_word_embeddings\" : false", "tie_word_embeddings"),
            ("BertForPreTraining", "GPT2LMHeadModel", "architectures"),
            ("\"hidden_size\" : 32", "\"hidden_size\" : 33", "shape"),
            ("\"hidden_size\" : 32", "\"hidden_size\" : \"32\"", "hidden_size"),
            ("\"num_hidden_layers\" : 2", "\"num_hidden_layers\" : 99999999999", "shape"),
            ("\"vocab_size\" : 50", "\"vocab_size\" : 51", "as config.json says"),
            ("{", "[", "config.json"),
        ])
    func badConfiguration(find: String, replace: String, names: String) throws {
        let folder = try TemporaryFolder()
        let (layout, weights) = try model(Self.shape)
        let path = folder.path + "/model"
        try HuggingFaceModel.write(layout: layout, weights: UnsafePointer(weights.pointer), vocabulary: nil, to: path)
        let url = URL(filePath: path + "/config.json")
        let text = try String(contentsOf: url, encoding: .utf8)
        let changed = text.replacingOccurrences(of: find, with: replace)
        try #require(changed != text, "\(find) is not in \(text)")
        try changed.write(to: url, atomically: true, encoding: .utf8)
        let error = try #require(throws: ModelFileError.self) { _ = try HuggingFaceModel(reading: path) }
        #expect(error.description.contains(names), "\(error)")
    }

    @Test("a folder without weights says what it found instead")
    func otherFormats() throws {
        let folder = try TemporaryFolder()
        let (layout, weights) = try model(Self.shape)
        let path = folder.path + "/model"
        try HuggingFaceModel.write(layout: layout, weights: UnsafePointer(weights.pointer), vocabulary: nil, to: path)
        try FileManager.default.moveItem(atPath: path + "/model.safetensors", toPath: path + "/pytorch_model.bin")
        let error = try #require(throws: ModelFileError.self) { _ = try HuggingFaceModel(reading: path) }
        #expect(error.description.contains("pytorch_model.bin"))
    }

    @Test("a folder that is there is not written over")
    func existingFolder() throws {
        let folder = try TemporaryFolder()
        let (layout, weights) = try model(Self.shape)
        for attempt in 0..<2 {
            let write = {
                try HuggingFaceModel.write(
                    layout: layout, weights: UnsafePointer(weights.pointer), vocabulary: nil, to: folder.path + "/model"
                )
            }
            if attempt == 0 { try write() } else { #expect(throws: ModelFileError.self) { try write() } }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model"])
    }

    private func model(_ shape: BERTConfiguration) throws -> (ParameterLayout, FloatBuffer) {
        let layout = try ParameterLayout(configuration: shape)
        let weights = FloatBuffer(count: layout.elementCount)
        var generator = SplitMix64(state: 11)
        for tensor in layout.tensors {
            for element in tensor.range { weights.buffer[element] = Float.random(in: -1...1, using: &generator) }
        }
        return (layout, weights)
    }

    /// Writes a model whose tensors `change` has changed.
    private func rewrite(
        _ layout: ParameterLayout, _ weights: FloatBuffer, in folder: TemporaryFolder,
        _ change: (inout [SafeTensorsWriter.Tensor]) -> Void
    ) throws {
        let path = folder.path + "/model"
        let values = UnsafePointer(weights.pointer)
        try HuggingFaceModel.write(layout: layout, weights: values, vocabulary: nil, to: path)
        var tensors = HuggingFaceModel.tensors(layout: layout, values: values)
        change(&tensors)
        try SafeTensorsWriter.write(tensors, to: path + "/model.safetensors")
    }
}
