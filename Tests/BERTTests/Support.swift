import BERT
import Kernels
import Testing

/// Reproducible numbers.
struct Numbers {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    /// In [-1, 1).
    mutating func unit() -> Float { Float(next() >> 40) * 0x1p-23 - 1 }
    mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % bound }
}

/// A small model with parameters and a ragged batch.
struct Example {
    let layout: ParameterLayout
    let parameters: FloatBuffer
    let batch: TokenBatch
    let capacity: LaneCapacity

    init(
        layers: Int = 2, hidden: Int = 32, heads: Int = 2, vocabulary: Int = 61, lengths: [Int] = [11, 1, 7],
        dropout: Float = 0.2, nextSentence: Bool = true, seed: UInt64 = 1,
        activation: BERTConfiguration.Activation = .gelu, innerBias: Float = 0
    ) throws {
        let configuration = BERTConfiguration(
            layers: layers, hidden: hidden, heads: heads, intermediate: 3 * hidden / 16 * 16, positions: 16,
            vocabularySize: vocabulary, hiddenDropout: dropout, attentionDropout: dropout, nextSentence: nextSentence,
            activation: activation)
        layout = try ParameterLayout(configuration: configuration)
        var numbers = Numbers(seed)
        parameters = FloatBuffer(count: layout.elementCount)
        for tensor in layout.tensors {
            let centre: Float =
                tensor.name.hasSuffix("LayerNorm.weight")
                ? 1 : tensor.name.hasSuffix("intermediate.dense.bias") ? innerBias : 0
            for index in tensor.range { parameters.buffer[index] = centre + numbers.unit() * 0.3 }
        }
        batch = Self.batch(lengths, room: 12, configuration, &numbers)
        capacity = LaneCapacity(
            tokens: batch.tokenCount, sequences: batch.sequences, sequenceLength: 12,
            maskedPositions: batch.maskedPositions.count)
    }

    private static func batch(
        _ lengths: [Int], room: Int, _ configuration: BERTConfiguration, _ numbers: inout Numbers
    ) -> TokenBatch {
        var ids = [Int32](repeating: 0, count: lengths.count * room)
        var types = [UInt8](repeating: 0, count: ids.count)
        var (positions, labels): ([Int32], [Int32]) = ([], [])
        for (sequence, length) in lengths.enumerated() {
            for position in 0..<length {
                let token = sequence * room + position
                // 0, the padding, has no gradient from the embedding; 1 and up do.
                ids[token] = Int32(1 + numbers.below(configuration.vocabularySize - 1))
                types[token] = position > length / 2 ? 1 : 0
                if position % 4 == 1 {
                    positions.append(Int32(token))
                    labels.append(Int32(numbers.below(configuration.vocabularySize)))
                }
            }
        }
        return TokenBatch(
            sequences: lengths.count, sequenceLength: room, inputIDs: ids, tokenTypes: types,
            lengths: lengths.map(Int32.init), maskedPositions: positions, maskedLabels: labels,
            nextSentenceLabels: configuration.nextSentence ? lengths.indices.map { Int32($0 % 2) } : [])
    }

    func engine(capacity: LaneCapacity? = nil) throws -> LaneEngine {
        try LaneEngine(layout: layout, capacity: capacity ?? self.capacity)
    }

    /// Gradients and losses of the whole batch.
    func gradients(_ engine: LaneEngine, dropout: DropoutKey? = nil) throws -> ([Float], LaneLosses) {
        let gradients = FloatBuffer(count: layout.elementCount)
        let losses = try engine.forwardBackward(
            batch: batch, parameters: parameters.pointer, gradients: gradients.pointer, dropout: dropout)
        return (Array(gradients.buffer), losses)
    }

    /// Expects every tensor of `gradients` to agree with finite differences of `reference`, along random signs and along the
    /// gradient itself.
    func expectSlopes(_ gradients: [Float], of reference: ReferenceModel) {
        let parameters = parameters.buffer.map(Double.init)
        var numbers = Numbers(9)
        for tensor in layout.tensors {
            let gradient = gradients[tensor.range].map(Double.init)
            let size = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let count = Double(gradient.count).squareRoot()
            let signs = gradient.map { _ in numbers.unit() < 0 ? -1 / count : 1 / count }
            for direction in [signs, gradient.map { $0 / max(size, 1e-9) }] {
                func loss(_ step: Double) -> Double {
                    var moved = parameters
                    for (offset, index) in tensor.range.enumerated() { moved[index] += step * direction[offset] }
                    return reference.loss(moved)
                }
                let slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
                let found = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(abs(found - slope) < 2e-5 * size + 2e-7, "\(tensor.name): \(found) is not \(slope)")
            }
        }
    }

    /// A part of the batch.
    func batch(_ sequences: Range<Int>) -> TokenBatch {
        let room = batch.sequenceLength
        let tokens = sequences.lowerBound * room..<sequences.upperBound * room
        let masked = batch.maskedPositions.indices.filter { tokens.contains(Int(batch.maskedPositions[$0])) }
        return TokenBatch(
            sequences: sequences.count, sequenceLength: room, inputIDs: Array(batch.inputIDs[tokens]),
            tokenTypes: Array(batch.tokenTypes[tokens]), lengths: Array(batch.lengths[sequences]),
            maskedPositions: masked.map { batch.maskedPositions[$0] - Int32(tokens.lowerBound) },
            maskedLabels: masked.map { batch.maskedLabels[$0] },
            nextSentenceLabels: layout.configuration.nextSentence ? Array(batch.nextSentenceLabels[sequences]) : [])
    }
}

let someKey = DropoutKey(key: SIMD2(0xdead_beef, 0x0bad_cafe), step: 5 << 32 | 9, laneFirstExample: 40)
