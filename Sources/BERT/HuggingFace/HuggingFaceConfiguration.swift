import Foundation

/// A `config.json` of `transformers`, as far as this engine computes it.
struct HuggingFaceConfiguration {
    /// The model's shape. `nextSentence` says whether an architecture with that head is named.
    var shape: BERTConfiguration
    /// The classes of `transformers` that the file names.
    var architectures: [String]

    /// Reads `path`; throws `ModelFileError.configuration` for whatever this engine would compute otherwise.
    init(reading path: String) throws {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw ModelFileError.cannotRead(file: path, reason: Self.reason(error))
        }
        let fields: Fields
        do {
            fields = try JSONDecoder().decode(Fields.self, from: data)
        } catch let DecodingError.typeMismatch(_, context), let DecodingError.valueNotFound(_, context) {
            throw ModelFileError.configuration(
                file: path, field: context.codingPath.map(\.stringValue).joined(separator: "."),
                found: "another type", allowed: context.debugDescription)
        } catch {
            throw ModelFileError.malformed(
                file: path, found: "no JSON object", allowed: "the config.json of a BERT model")
        }
        try Self.check(fields, path: path)
        architectures = fields.architectures ?? []
        shape = BERTConfiguration(
            layers: fields.num_hidden_layers ?? 12, hidden: fields.hidden_size ?? 768,
            heads: fields.num_attention_heads ?? 12, intermediate: fields.intermediate_size ?? 3072,
            positions: fields.max_position_embeddings ?? 512, vocabularySize: fields.vocab_size ?? 30522,
            typeVocabulary: fields.type_vocab_size ?? 2, hiddenDropout: fields.hidden_dropout_prob ?? 0.1,
            attentionDropout: fields.attention_probs_dropout_prob ?? 0.1,
            layerNormEpsilon: fields.layer_norm_eps ?? 1e-12,
            nextSentence: architectures.contains("BertForPreTraining")
                || architectures.contains("BertForNextSentencePrediction"),
            activation: fields.hidden_act.flatMap(BERTConfiguration.Activation.init) ?? .gelu)
        do {
            try shape.validate()
        } catch {
            throw ModelFileError.configuration(
                file: path, field: "shape", found: "one that can't be computed", allowed: "\(error)")
        }
    }

    /// The bytes of a `config.json` for `shape`.
    static func encode(_ shape: BERTConfiguration) throws -> [UInt8] {
        var fields = Fields()
        fields.architectures = [shape.nextSentence ? "BertForPreTraining" : "BertForMaskedLM"]
        fields.model_type = "bert"
        fields.hidden_act = shape.activation.rawValue
        fields.position_embedding_type = "absolute"
        fields.tie_word_embeddings = true
        fields.num_hidden_layers = shape.layers
        fields.hidden_size = shape.hidden
        fields.num_attention_heads = shape.heads
        fields.intermediate_size = shape.intermediate
        fields.max_position_embeddings = shape.positions
        fields.vocab_size = shape.vocabularySize
        fields.type_vocab_size = shape.typeVocabulary
        fields.hidden_dropout_prob = shape.hiddenDropout
        fields.attention_probs_dropout_prob = shape.attentionDropout
        fields.layer_norm_eps = shape.layerNormEpsilon
        fields.initializer_range = 0.02
        fields.pad_token_id = 0
        fields.torch_dtype = "float32"
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return Array(try encoder.encode(fields)) + [UInt8(ascii: "\n")]
    }

    private static func check(_ fields: Fields, path: String) throws {
        func refuse(_ field: String, _ found: String, _ allowed: String) -> ModelFileError {
            .configuration(file: path, field: field, found: found, allowed: allowed)
        }
        guard fields.model_type == "bert" else {
            throw refuse("model_type", fields.model_type.map { "'\($0)'" } ?? "nothing", "'bert'")
        }
        for name in fields.architectures ?? [] where !name.hasPrefix("Bert") || name.contains("LMHead") {
            throw refuse("architectures", "'\(name)'", "BertForPreTraining, BertForMaskedLM or BertModel")
        }
        if let activation = fields.hidden_act, BERTConfiguration.Activation(rawValue: activation) == nil {
            throw refuse("hidden_act", "'\(activation)'", "'gelu' (the exact one) or 'relu'")
        }
        if let embedding = fields.position_embedding_type, embedding != "absolute" {
            throw refuse("position_embedding_type", "'\(embedding)'", "'absolute'")
        }
        if fields.is_decoder == true || fields.add_cross_attention == true {
            throw refuse("is_decoder", "a decoder", "an encoder")
        }
        if fields.tie_word_embeddings == false {
            throw refuse("tie_word_embeddings", "false", "true: the decoder shares the word embedding")
        }
    }

    private static func reason(_ error: any Error) -> String {
        (error as? CocoaError).map {
            $0.code == .fileReadNoSuchFile ? "there is no such file" : $0.localizedDescription
        }
            ?? "\(error)"
    }

    /// The file's fields under their own names.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private struct Fields: Codable {
        var architectures: [String]?
        var model_type: String?
        var hidden_act: String?
        var position_embedding_type: String?
        var is_decoder: Bool?
        var add_cross_attention: Bool?
        var tie_word_embeddings: Bool?
        var num_hidden_layers: Int?
        var hidden_size: Int?
        var num_attention_heads: Int?
        var intermediate_size: Int?
        var max_position_embeddings: Int?
        var vocab_size: Int?
        var type_vocab_size: Int?
        var hidden_dropout_prob: Float?
        var attention_probs_dropout_prob: Float?
        var layer_norm_eps: Float?
        var initializer_range: Float?
        var pad_token_id: Int?
        var torch_dtype: String?
    }
}
