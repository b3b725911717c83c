import BERT
import Foundation
import Kernels

/// A file of examples for checking this engine against others: what `wafermark evaluate --batch FILE.json` reads.
///
/// A JSON object of six arrays, one entry a sequence, all rows of the first three equally long:
/// `input_ids`, `token_type_ids` (0 or 1), `attention_mask` (ones, then zeros); `mlm_positions` and `mlm_labels`
/// (per sequence, as many of one as of the other, positions ascending); `next_sentence_labels` (0: B follows A,
/// 1: random), absent for a model without that head.
public struct BatchFile: Sendable {
    /// The examples.
    public let batch: TokenBatch

    /// Reads `path` and checks it against a model.
    ///
    /// - Throws: `TrainingError.batchFile` naming the array and the row.
    public init(reading path: String, model: BERTConfiguration) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw TrainingError.batchFile(path: path, field: "file", found: "none that can be read", allowed: "JSON")
        }
        let contents: Contents
        do {
            contents = try JSONDecoder().decode(Contents.self, from: data)
        } catch let error as DecodingError {
            throw TrainingError.batchFile(
                path: path, field: Self.place(error), found: "something else",
                allowed: "arrays of integers, as documented")
        }
        batch = try Self.batch(contents, model: model, path: path)
    }

    private static func batch(_ contents: Contents, model: BERTConfiguration, path: String) throws -> TokenBatch {
        func refuse(_ field: String, _ found: String, _ allowed: String) -> TrainingError {
            .batchFile(path: path, field: field, found: found, allowed: allowed)
        }
        let count = contents.input_ids.count
        let length = contents.input_ids.map(\.count).max() ?? 0
        guard count > 0, length > 0 else { throw refuse("input_ids", "no tokens", "one sequence or more") }
        guard length <= model.positions else {
            throw refuse("input_ids", "rows of \(length)", "at most the model's \(model.positions) positions")
        }
        for (field, rows) in [
            ("token_type_ids", contents.token_type_ids.count), ("attention_mask", contents.attention_mask.count),
            ("mlm_positions", contents.mlm_positions.count), ("mlm_labels", contents.mlm_labels.count),
            ("next_sentence_labels", contents.next_sentence_labels?.count ?? (model.nextSentence ? 0 : count)),
        ] where rows != count {
            throw refuse(field, "\(rows) entries", "\(count), as in input_ids")
        }
        var builder = TokenBatchBuilder(sequenceLength: length, capacity: count)
        for row in 0..<count {
            func check(_ field: String, _ values: [Int], _ count: Int, _ range: Range<Int>) throws {
                guard values.count == count else {
                    throw refuse("\(field)[\(row)]", "\(values.count) entries", "\(count)")
                }
                for value in values where !range.contains(value) {
                    throw refuse("\(field)[\(row)]", "\(value)", "\(range.lowerBound) to \(range.upperBound - 1)")
                }
            }
            let (ids, types, mask) = (
                contents.input_ids[row], contents.token_type_ids[row], contents.attention_mask[row]
            )
            let (positions, labels) = (contents.mlm_positions[row], contents.mlm_labels[row])
            try check("input_ids", ids, length, 0..<model.vocabularySize)
            try check("token_type_ids", types, length, 0..<min(model.typeVocabulary, 256))
            try check("attention_mask", mask, length, 0..<2)
            let real = mask.firstIndex(of: 0) ?? length
            guard real > 0, !mask[real...].contains(1) else {
                throw refuse("attention_mask[\(row)]", "ones after zeros, or none", "ones, then zeros")
            }
            try check("mlm_positions", positions, positions.count, 0..<real)
            guard zip(positions, positions.dropFirst()).allSatisfy(<) else {
                throw refuse("mlm_positions[\(row)]", "\(positions)", "ascending positions")
            }
            try check("mlm_labels", labels, positions.count, 0..<model.vocabularySize)
            let next = contents.next_sentence_labels?[row]
            if let next { try check("next_sentence_labels", [next], 1, 0..<2) }
            builder.append(
                inputIDs: ids[..<real].map { Int32($0) }, tokenTypes: types[..<real].map { UInt8($0) },
                maskedPositions: positions.map { Int32($0) }, maskedLabels: labels.map { Int32($0) },
                nextSentenceLabel: model.nextSentence ? next.map { Int32($0) } : nil)
        }
        return builder.batch
    }

    private static func place(_ error: DecodingError) -> String {
        let path: [any CodingKey] =
            switch error {
            case .keyNotFound(let key, let context): context.codingPath + [key]
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                context.codingPath
            @unknown default: []
            }
        return path.isEmpty ? "file" : path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined()
    }

    /// The file's fields under their own names.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private struct Contents: Decodable {
        var input_ids: [[Int]]
        var token_type_ids: [[Int]]
        var attention_mask: [[Int]]
        var mlm_positions: [[Int]]
        var mlm_labels: [[Int]]
        var next_sentence_labels: [Int]?
    }
}

/// What a model makes of a batch file: the answer of `wafermark evaluate --batch`.
public struct BatchEvaluation: Hashable, Sendable, Codable {
    /// Mean cross-entropy over the masked tokens, in nats.
    public let mlmLoss: Double
    /// Mean cross-entropy over the sequences, in nats; nil without that head.
    public let nspLoss: Double?
    /// Share of masked tokens predicted right.
    public let mlmAccuracy: Double
    /// Share of sequences told right; nil without that head.
    public let nspAccuracy: Double?
    /// Masked tokens.
    public let maskedTokens: Int
    /// Sequences.
    public let sequences: Int
    /// Real tokens, padding left out.
    public let tokens: Int

    private enum CodingKeys: String, CodingKey {
        case mlmLoss = "mlm_loss"
        case nspLoss = "nsp_loss"
        case mlmAccuracy = "mlm_accuracy"
        case nspAccuracy = "nsp_accuracy"
        case maskedTokens = "masked_tokens"
        case sequences
        case tokens
    }

    /// Measures the batch file `batchPath` with the model folder `model`, dropout off.
    ///
    /// - Parameter gradients: where to write the gradient of `mlm_loss + nsp_loss` for every parameter, as a safetensors
    ///   file under the parameters' names; nil writes none.
    /// - Throws: `ModelFileError`, `TrainingError.batchFile`, `BERTError`.
    public static func run(model: String, batch batchPath: String, gradients: String? = nil) throws -> BatchEvaluation {
        let model = try HuggingFaceModel(reading: model)
        let batch = try BatchFile(reading: batchPath, model: model.configuration).batch
        let engine = try LaneEngine(
            layout: model.layout,
            capacity: LaneCapacity(
                tokens: batch.tokenCount, sequences: batch.sequences, sequenceLength: batch.sequenceLength,
                maskedPositions: max(1, batch.maskedPositions.count)))
        let parameters = UnsafePointer(model.weights.pointer)
        let losses: LaneLosses
        if let gradients {
            let buffer = FloatBuffer(count: model.layout.elementCount)
            losses = try engine.forwardBackward(batch: batch, parameters: parameters, gradients: buffer.pointer)
            try SafeTensorsWriter.write(
                HuggingFaceModel.tensors(layout: model.layout, values: UnsafePointer(buffer.pointer)), to: gradients)
        } else {
            losses = try engine.forward(batch: batch, parameters: parameters)
        }
        let hasNextSentence = model.configuration.nextSentence
        return BatchEvaluation(
            mlmLoss: losses.maskedLoss, nspLoss: hasNextSentence ? losses.nextSentenceLoss : nil,
            mlmAccuracy: losses.maskedCount == 0 ? 0 : Double(losses.maskedCorrect) / Double(losses.maskedCount),
            nspAccuracy: hasNextSentence ? Double(losses.nextSentenceCorrect) / Double(losses.sequences) : nil,
            maskedTokens: losses.maskedCount, sequences: losses.sequences, tokens: losses.tokens)
    }
}
