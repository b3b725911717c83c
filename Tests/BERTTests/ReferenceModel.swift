import BERT
import Foundation
import Kernels

/// BERT's losses in double precision, token by token, straight from the definition: slow, and plain to see.
struct ReferenceModel {
    let layout: ParameterLayout
    let batch: TokenBatch
    var dropout: DropoutKey?

    private var shape: BERTConfiguration { layout.configuration }

    /// mean masked loss + mean next-sentence loss.
    func loss(_ parameters: [Double]) -> Double {
        let (masked, next) = losses(parameters)
        return masked + next
    }

    /// Mean masked loss and mean next-sentence loss.
    func losses(_ parameters: [Double]) -> (masked: Double, nextSentence: Double) {
        let hidden = shape.hidden
        var masked = 0.0
        var next = 0.0
        func tensor(_ name: String) -> ArraySlice<Double> {
            guard let tensor = layout.tensor(named: name) else { preconditionFailure("no tensor \(name)") }
            return parameters[tensor.range]
        }
        for sequence in 0..<batch.sequences {
            let encoded = encode(sequence, tensor)
            for (position, label) in zip(batch.maskedPositions, batch.maskedLabels)
            where Int(position) / batch.sequenceLength == sequence {
                let x = encoded[Int(position) % batch.sequenceLength]
                var t = dense(x, tensor, "cls.predictions.transform.dense", out: hidden).map(activation)
                t = norm(t, tensor, "cls.predictions.transform.LayerNorm")
                var logits = multiply(t, tensor("bert.embeddings.word_embeddings.weight"), out: shape.vocabularySize)
                for (column, bias) in tensor("cls.predictions.bias").enumerated() { logits[column] += bias }
                masked += crossEntropy(logits, Int(label))
            }
            if shape.nextSentence {
                let pooled = dense(encoded[0], tensor, "bert.pooler.dense", out: hidden).map(tanh)
                let logits = dense(pooled, tensor, "cls.seq_relationship", out: 2)
                next += crossEntropy(logits, Int(batch.nextSentenceLabels[sequence]))
            }
        }
        let count = batch.maskedPositions.count
        return (count == 0 ? 0 : masked / Double(count), next / Double(batch.sequences))
    }

    private func encode(_ sequence: Int, _ tensor: (String) -> ArraySlice<Double>) -> [[Double]] {
        let (hidden, heads, width) = (shape.hidden, shape.heads, shape.headWidth)
        let length = Int(batch.lengths[sequence])
        let words = Array(tensor("bert.embeddings.word_embeddings.weight"))
        let positions = Array(tensor("bert.embeddings.position_embeddings.weight"))
        let types = Array(tensor("bert.embeddings.token_type_embeddings.weight"))
        var x = (0..<length).map { position in
            let token = sequence * batch.sequenceLength + position
            let (id, type) = (Int(batch.inputIDs[token]), Int(batch.tokenTypes[token]))
            let sum = (0..<hidden).map {
                words[id * hidden + $0] + positions[position * hidden + $0] + types[type * hidden + $0]
            }
            return drop(norm(sum, tensor, "bert.embeddings.LayerNorm"), site: 0, sequence, row: position)
        }
        for layer in 0..<shape.layers {
            let prefix = "bert.encoder.layer.\(layer)"
            let parts = ["query", "key", "value"].map { name in
                x.map { dense($0, tensor, "\(prefix).attention.self.\(name)", out: hidden) }
            }
            x = (0..<length).map { i in
                var context = [Double](repeating: 0, count: hidden)
                for head in 0..<heads {
                    let columns = head * width..<(head + 1) * width
                    let scores = (0..<length).map { j in
                        columns.reduce(0) { $0 + parts[0][i][$1] * parts[1][j][$1] } / Double(width).squareRoot()
                    }
                    let top = scores.max() ?? 0
                    let total = scores.reduce(0) { $0 + exp($1 - top) }
                    let weights = drop(
                        scores.map { exp($0 - top) / total }, site: UInt32(layer + 1) * 8 + 1, sequence,
                        row: head * shape.positions + i, rowWidth: shape.positions,
                        probability: shape.attentionDropout)
                    for j in 0..<length {
                        for column in columns { context[column] += weights[j] * parts[2][j][column] }
                    }
                }
                let attended = drop(
                    dense(context, tensor, "\(prefix).attention.output.dense", out: hidden),
                    site: UInt32(layer + 1) * 8 + 2, sequence, row: i)
                let a = norm(zip(x[i], attended).map(+), tensor, "\(prefix).attention.output.LayerNorm")
                let wide = dense(a, tensor, "\(prefix).intermediate.dense", out: shape.intermediate).map(activation)
                let output = drop(
                    dense(wide, tensor, "\(prefix).output.dense", out: hidden), site: UInt32(layer + 1) * 8 + 3,
                    sequence, row: i)
                return norm(zip(a, output).map(+), tensor, "\(prefix).output.LayerNorm")
            }
        }
        return x
    }

    // MARK: Operators

    private func multiply(_ x: [Double], _ weight: ArraySlice<Double>, out: Int) -> [Double] {
        weight.withUnsafeBufferPointer { weight in
            (0..<out).map { row in x.indices.reduce(0) { $0 + x[$1] * weight[row * x.count + $1] } }
        }
    }

    private func dense(_ x: [Double], _ tensor: (String) -> ArraySlice<Double>, _ name: String, out: Int) -> [Double] {
        zip(multiply(x, tensor("\(name).weight"), out: out), tensor("\(name).bias")).map(+)
    }

    private func norm(_ x: [Double], _ tensor: (String) -> ArraySlice<Double>, _ name: String) -> [Double] {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        let deviation = (variance + Double(shape.layerNormEpsilon)).squareRoot()
        return zip(zip(x, tensor("\(name).weight")), tensor("\(name).bias")).map {
            ($0.0 - mean) / deviation * $0.1 + $1
        }
    }

    private func activation(_ x: Double) -> Double {
        switch shape.activation {
        case .gelu: x * 0.5 * (1 + erf(x / 2.0.squareRoot()))
        case .relu: max(x, 0)
        }
    }

    private func crossEntropy(_ logits: [Double], _ label: Int) -> Double {
        let top = logits.max() ?? 0
        return top + log(logits.reduce(0) { $0 + exp($1 - top) }) - logits[label]
    }

    /// The kernel that draws masks has a plain reference and tests of its own.
    private func drop(
        _ x: [Double], site: UInt32, _ sequence: Int, row: Int, rowWidth: Int? = nil, probability: Float? = nil
    ) -> [Double] {
        let probability = probability ?? shape.hiddenDropout
        guard let dropout, probability > 0 else { return x }
        let threshold = UInt32((probability * 65536).rounded())
        let mask = wm_dropout(
            key0: dropout.key.x, key1: dropout.key.y, step_low: UInt32(truncatingIfNeeded: dropout.step),
            step_high: UInt32(dropout.step >> 32), site: site, threshold: threshold,
            scale: 65536 / Float(65536 - threshold))
        // Rows of a site are numbered by their groups of 128; a row shorter than its site's rows still begins at its own.
        let groups = ((rowWidth ?? x.count) + 127) / 128
        let own = (x.count + 127) / 128
        precondition(row * groups % own == 0)
        var factors = [Float](repeating: 0, count: x.count)
        FusedKernels.active.table.pointee.dropout_row(
            mask, dropout.laneFirstExample + UInt32(sequence), UInt32(row * groups / own), x.count, &factors)
        return zip(x, factors).map { $0 * Double($1) }
    }
}
