import BERT
import Foundation
import Kernels
import Testing

@Suite("Losses and gradients")
struct GradientTests {
    @Test(
        "losses agree with the reference in double", arguments: [nil, someKey],
        [BERTConfiguration.Activation.gelu, .relu])
    func losses(dropout: DropoutKey?, activation: BERTConfiguration.Activation) throws {
        let example = try Example(activation: activation)
        let (_, losses) = try example.gradients(try example.engine(), dropout: dropout)
        let reference = ReferenceModel(layout: example.layout, batch: example.batch, dropout: dropout)
            .losses(example.parameters.buffer.map(Double.init))
        #expect(abs(losses.maskedLoss - reference.masked) < 1e-5)
        #expect(abs(losses.nextSentenceLoss - reference.nextSentence) < 1e-5)
        #expect(losses.maskedCount == example.batch.maskedPositions.count && losses.sequences == 3)
    }

    @Test(
        "every tensor's gradient agrees with finite differences of the reference", arguments: [nil, someKey],
        [BERTConfiguration.Activation.gelu, .relu])
    func finiteDifferences(dropout: DropoutKey?, activation: BERTConfiguration.Activation) throws {
        let example = try Example(activation: activation)
        let (gradients, _) = try example.gradients(try example.engine(), dropout: dropout)
        example.expectSlopes(
            gradients, of: ReferenceModel(layout: example.layout, batch: example.batch, dropout: dropout))
    }

    @Test("a model without next-sentence head, and a batch without masked tokens, have gradients too")
    func withoutHeads() throws {
        let example = try Example(nextSentence: false)
        let (gradients, losses) = try example.gradients(try example.engine())
        #expect(losses.nextSentenceLossSum == 0 && gradients.contains { $0 != 0 })

        let full = try Example()
        var batch = full.batch
        batch.maskedPositions = []
        batch.maskedLabels = []
        let buffer = FloatBuffer(count: full.layout.elementCount)
        buffer.buffer.update(repeating: 7)
        _ = try full.engine().forwardBackward(
            batch: batch, parameters: full.parameters.pointer, gradients: buffer.pointer)
        let bias = try #require(full.layout.tensor(named: "cls.predictions.bias"))
        #expect(bias.range.allSatisfy { buffer.buffer[$0] == 0 })
        let pooler = try #require(full.layout.tensor(named: "bert.pooler.dense.weight"))
        #expect(pooler.range.contains { buffer.buffer[$0] != 0 })
    }

    @Test("micro-batches add up to the lane, dropout included")
    func microBatches() throws {
        let example = try Example()
        let engine = try example.engine()
        let (whole, losses) = try example.gradients(engine, dropout: someKey)
        let sum = FloatBuffer(count: example.layout.elementCount)
        let counts = LossNormaliser(maskedCount: losses.maskedCount, sequences: losses.sequences)
        var total = LaneLosses()
        for part in [0..<1, 1..<3] {
            var key = someKey
            key.laneFirstExample += UInt32(part.lowerBound)
            total += try engine.forwardBackward(
                batch: example.batch(part), parameters: example.parameters.pointer, gradients: sum.pointer,
                accumulate: part.lowerBound > 0, normaliser: counts, dropout: key)
        }
        #expect(abs(total.maskedLossSum - losses.maskedLossSum) < 1e-4)
        for tensor in example.layout.tensors {
            let pairs = tensor.range.map { (Double(whole[$0]), Double(sum.buffer[$0])) }
            let size = pairs.reduce(0) { $0 + $1.0 * $1.0 }.squareRoot()
            let error = pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
            #expect(error < 1e-5 * size + 1e-6, "\(tensor.name)")
        }
    }

    @Test("the scale multiplies every gradient and no loss")
    func scale() throws {
        let example = try Example()
        let engine = try example.engine()
        let (plain, losses) = try example.gradients(engine)
        let scaled = FloatBuffer(count: example.layout.elementCount)
        let same = try engine.forwardBackward(
            batch: example.batch, parameters: example.parameters.pointer, gradients: scaled.pointer, scale: 0.25)
        #expect(same == losses)
        for (a, b) in zip(plain, scaled.buffer) { #expect(abs(a * 0.25 - b) <= 1e-6 * abs(a) + 1e-8) }
    }
}
