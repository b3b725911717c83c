import Foundation
import Kernels

/// A model folder of `transformers`: `config.json`, `vocab.txt`, `model.safetensors`.
public struct HuggingFaceModel {
    /// The model's shape.
    public let configuration: BERTConfiguration
    /// Where each tensor lies in `weights`.
    public let layout: ParameterLayout
    /// All parameters; padding is zero.
    public let weights: FloatBuffer
    /// The lines of `vocab.txt`; nil where the folder has none.
    public let vocabulary: [String]?
    /// Tensors that were not in the file and have been initialised, by request.
    public let initialised: [String]
    /// Tensors of the file that this model has no use for.
    public let ignored: [String]

    /// The file names of a model folder.
    public static let configurationFile = "config.json"
    public static let vocabularyFile = "vocab.txt"
    public static let weightsFile = "model.safetensors"
    static let tokenizerFile = "tokenizer_config.json"

    /// Fills a tensor that a file lacks.
    public typealias Initialiser = (ParameterTensor, UnsafeMutableBufferPointer<Float>) -> Void

    /// Reads the model in `directory`.
    ///
    /// Names are those of `BertForPreTraining`; without the prefix `bert.` (as `BertModel` saves itself) and with `gamma`
    /// and `beta` for a layer norm's weight and bias (as converted from TensorFlow) they are understood too. The decoder
    /// is tied to the word embedding: where the file has it as well, it must be equal.
    /// - Parameters:
    ///   - directory: the folder.
    ///   - initialiseMissingHeads: fills what the file lacks of pooler and heads; without it, a file that lacks anything
    ///     is refused. The encoder is never invented.
    /// - Throws: `ModelFileError`.
    public init(reading directory: String, initialiseMissingHeads: Initialiser? = nil) throws {
        var configuration = try HuggingFaceConfiguration(reading: "\(directory)/\(Self.configurationFile)")
        let path = "\(directory)/\(Self.weightsFile)"
        try Self.refuseOtherFormats(directory: directory)
        let file = try SafeTensorsFile(opening: path)
        let isPlainEncoder = file.entry("cls.predictions.bias") == nil
        if file.entry("cls.seq_relationship.weight") != nil || (isPlainEncoder && initialiseMissingHeads != nil) {
            configuration.shape.nextSentence = true
        }
        let layout = try ParameterLayout(configuration: configuration.shape)
        let weights = FloatBuffer(count: layout.elementCount)
        var names = TensorNames(file: file)
        var initialised: [String] = []
        for tensor in layout.tensors {
            if let entry = names.entry(for: tensor.name) {
                guard entry.shape == tensor.shape else {
                    throw ModelFileError.tensor(
                        file: path, tensor: entry.name, found: "shape \(entry.shape)",
                        allowed: "\(tensor.shape), as \(Self.configurationFile) says")
                }
                try file.read(entry, into: weights.pointer + tensor.range.lowerBound)
            } else {
                let isHead = tensor.name.hasPrefix("cls.") || tensor.name.hasPrefix("bert.pooler.")
                guard isHead, let initialiseMissingHeads else {
                    throw ModelFileError.missingTensor(
                        file: path, tensor: tensor.name,
                        remedy: isHead ? "ask for missing heads to be initialised" : "the encoder must be whole")
                }
                let range = UnsafeMutableBufferPointer(rebasing: weights.buffer[tensor.range])
                initialiseMissingHeads(tensor, range)
                initialised.append(tensor.name)
            }
        }
        try names.checkDecoder(layout: layout, weights: weights)
        try names.checkLayers(count: configuration.shape.layers)
        self.configuration = configuration.shape
        self.layout = layout
        self.weights = weights
        self.initialised = initialised
        ignored = names.unused
        vocabulary = try Self.readVocabulary(directory: directory, size: configuration.shape.vocabularySize)
    }

    /// Writes this model as the folder `directory`.
    public func write(to directory: String) throws {
        try Self.write(
            layout: layout, weights: UnsafePointer(weights.pointer), vocabulary: vocabulary, to: directory)
    }

    /// Writes a model as the folder `directory`, which appears whole or not at all and must not exist before.
    ///
    /// `transformers` opens it unchanged: `BertForPreTraining.from_pretrained(directory)`.
    /// - Parameters:
    ///   - layout: the model's shape and where its tensors lie.
    ///   - weights: `layout.elementCount` elements, valid during the call.
    ///   - vocabulary: the lines of `vocab.txt`; nil leaves it out.
    ///   - directory: the folder to make; its parent exists.
    /// - Throws: `ModelFileError`.
    public static func write(
        layout: ParameterLayout, weights: UnsafePointer<Float>, vocabulary: [String]?, to directory: String
    ) throws {
        let folder = try AtomicFolder(path: directory)
        let configuration = layout.configuration
        try writeFile(
            try HuggingFaceConfiguration.encode(configuration), to: "\(folder.temporary)/\(configurationFile)")
        if let vocabulary {
            let lines = vocabulary.map { $0 + "\n" }.joined()
            try writeFile(Array(lines.utf8), to: "\(folder.temporary)/\(vocabularyFile)")
            let settings =
                "{\"do_lower_case\": true, \"model_max_length\": \(configuration.positions), "
                + "\"tokenizer_class\": \"BertTokenizer\"}\n"
            try writeFile(Array(settings.utf8), to: "\(folder.temporary)/\(tokenizerFile)")
        }
        try SafeTensorsWriter.write(
            tensors(layout: layout, values: weights), to: "\(folder.temporary)/\(weightsFile)")
        try folder.commit()
    }

    /// Every tensor of `layout` as its part of `values`, for a safetensors file of weights or gradients.
    public static func tensors(
        layout: ParameterLayout, values: UnsafePointer<Float>
    ) -> [SafeTensorsWriter.Tensor] {
        layout.tensors.map {
            SafeTensorsWriter.Tensor(
                name: $0.name, shape: $0.shape,
                elements: UnsafeBufferPointer(start: values + $0.range.lowerBound, count: $0.range.count))
        }
    }

    private static func writeFile(_ bytes: [UInt8], to path: String) throws {
        let file = try AtomicFile(path: path)
        try file.write(bytes)
        try file.commit()
    }

    private static func refuseOtherFormats(directory: String) throws {
        let files = FileManager.default
        guard !files.fileExists(atPath: "\(directory)/\(weightsFile)") else { return }
        for other in ["model.safetensors.index.json", "pytorch_model.bin", "tf_model.h5"]
        where files.fileExists(atPath: "\(directory)/\(other)") {
            throw ModelFileError.malformed(
                file: directory, found: other,
                allowed: "one \(weightsFile) (save the model again with safe_serialization=True, unsharded)")
        }
    }

    private static func readVocabulary(directory: String, size: Int) throws -> [String]? {
        let path = "\(directory)/\(vocabularyFile)"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ModelFileError.cannotRead(file: path, reason: "its bytes are refused")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw ModelFileError.malformed(file: path, found: "bytes that are no UTF-8", allowed: "UTF-8")
        }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            String(line.hasSuffix("\r") ? line.dropLast() : line)
        }
        if lines.last == "" { lines.removeLast() }
        guard lines.count <= size, !lines.isEmpty else {
            throw ModelFileError.malformed(
                file: path, found: "\(lines.count) lines", allowed: "1 to \(size), as \(configurationFile) says")
        }
        return lines
    }
}

/// Finds a model's tensors under the names that files use for them, and remembers which were found.
private struct TensorNames {
    let file: SafeTensorsFile
    private var used: Set<String> = []

    /// Names of tied or derived tensors that files may hold as well.
    private static let decoderWeight = "cls.predictions.decoder.weight"
    private static let decoderBias = "cls.predictions.decoder.bias"
    private static let positionNumbers = ["bert.embeddings.position_ids", "embeddings.position_ids"]

    init(file: SafeTensorsFile) { self.file = file }

    mutating func entry(for name: String) -> SafeTensorsEntry? {
        var candidates = [name]
        if name == "cls.predictions.bias" { candidates.append(Self.decoderBias) }
        if name.hasPrefix("bert.") { candidates.append(String(name.dropFirst(5))) }
        if name.contains("LayerNorm.") {
            candidates += candidates.map {
                $0.replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
                    .replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta")
            }
        }
        for candidate in candidates {
            if let entry = file.entry(candidate) {
                used.insert(candidate)
                return entry
            }
        }
        return nil
    }

    /// Refuses a decoder that is not what it is tied to.
    mutating func checkDecoder(layout: ParameterLayout, weights: FloatBuffer) throws {
        let ties = [
            (Self.decoderWeight, "bert.embeddings.word_embeddings.weight"), (Self.decoderBias, "cls.predictions.bias"),
        ]
        for (alias, original) in ties {
            guard let entry = file.entry(alias), let tensor = layout.tensor(named: original) else { continue }
            used.insert(alias)
            guard entry.shape == tensor.shape else {
                throw ModelFileError.tensor(
                    file: file.path, tensor: alias, found: "shape \(entry.shape)", allowed: "\(tensor.shape)")
            }
            let copy = FloatBuffer(count: tensor.range.count)
            try file.read(entry, into: copy.pointer)
            let isEqual = memcmp(copy.pointer, weights.pointer + tensor.range.lowerBound, tensor.range.count * 4) == 0
            guard isEqual else {
                throw ModelFileError.tensor(
                    file: file.path, tensor: alias, found: "values of its own", allowed: "those of '\(original)'")
            }
        }
    }

    /// Refuses a file with more layers than the configuration says.
    func checkLayers(count: Int) throws {
        for name in unused {
            let parts = name.split(separator: ".")
            guard let index = parts.firstIndex(of: "layer"), index + 1 < parts.count, parts.contains("encoder"),
                let layer = Int(parts[index + 1]), layer >= count
            else { continue }
            throw ModelFileError.tensor(
                file: file.path, tensor: name, found: "layer \(layer)", allowed: "\(count) layers, as config.json says")
        }
    }

    var unused: [String] {
        file.header.entries.map(\.name).filter { !used.contains($0) && !Self.positionNumbers.contains($0) }
    }
}
