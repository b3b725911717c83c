import BERT
import Kernels
import Testing

@Suite("What ReLU leaves")
struct ActivationZeroTests {
    /// A model of which so few inner activations are positive that products leave the others out.
    private func example(_ innerBias: Float = -0.7, hidden: Int = 32) throws -> Example {
        try Example(hidden: hidden, lengths: [11, 1, 7, 12], activation: .relu, innerBias: innerBias)
    }

    private func work(_ example: Example, _ key: DropoutKey? = someKey) throws -> KernelProfile {
        let engine = try example.engine()
        engine.profile = KernelProfile(countsZeros: true)
        _ = try example.gradients(engine, dropout: key)
        return try #require(engine.profile)
    }

    @Test("gradients without the zeros agree with finite differences of the reference", arguments: [nil, someKey])
    func finiteDifferences(dropout: DropoutKey?) throws {
        let example = try example()
        #expect(try work(example, dropout).kernels[.sparseProducts]?.calls == 5 * 2, "nothing was left out")
        let (gradients, losses) = try example.gradients(try example.engine(), dropout: dropout)
        let reference = ReferenceModel(layout: example.layout, batch: example.batch, dropout: dropout)
        let parameters = example.parameters.buffer.map(Double.init)
        #expect(abs(losses.maskedLoss - reference.losses(parameters).masked) < 1e-5)
        example.expectSlopes(gradients, of: reference)
    }

    @Test("is counted: what is done and what is left out are together what dense products do")
    func operations() throws {
        let sparse = try work(try example())
        let dense = try work(try example(0.7))
        let products = try #require(sparse.kernels[.sparseProducts])
        #expect(dense.kernels[.sparseProducts] == nil)
        #expect(sparse.operations + products.skipped == dense.operations)
        // The zeros that are counted are the masked-language head's, too, which multiplies them.
        let zeros = try #require(sparse.zeros[.activations])
        let skipped = Double(products.skipped) / Double(products.skipped + products.operations)
        #expect(abs(skipped - zeros.share) < 0.02)
    }

    @Test("zeros are counted with the losses: those that are left out, and those that are too few for that")
    func counts() throws {
        let example = try example()
        let (_, losses) = try example.gradients(try example.engine(), dropout: someKey)
        let products = try #require(try work(example).kernels[.sparseProducts])
        // Each zero is left out by five products, of 32 multiply-adds each.
        #expect(losses.activations.skipped == losses.activations.zero)
        #expect(products.skipped == 5 * 2 * 32 * losses.activations.skipped)
        let full = try self.example(0.7)
        let (_, many) = try full.gradients(try full.engine(), dropout: someKey)
        #expect(many.activations.zero > 0 && many.activations.skipped == 0)
        #expect(many.activations.zero < losses.activations.zero)
        #expect(many.activations.computed == losses.activations.computed)
        let smooth = try Example(hidden: 32, lengths: [11, 1, 7, 12], activation: .gelu)
        #expect(try smooth.gradients(try smooth.engine(), dropout: someKey).1.activations == ActivationCounts())
    }

    @Test("gradients add up over micro-batches, and the same engine gives the same bits again")
    func accumulation() throws {
        let example = try example()
        let engine = try example.engine()
        let (once, _) = try example.gradients(engine, dropout: someKey)
        let sum = FloatBuffer(count: example.layout.elementCount)
        for accumulate in [false, true] {
            _ = try engine.forwardBackward(
                batch: example.batch, parameters: example.parameters.pointer, gradients: sum.pointer,
                accumulate: accumulate, dropout: someKey)
        }
        let largest = once.reduce(0) { max($0, abs($1)) }
        for (two, one) in zip(sum.buffer, once) { #expect(abs(two - 2 * one) < 1e-5 * largest) }
        #expect(try example.gradients(engine, dropout: someKey).0 == once)
    }

    @Test("an engine's room for more tokens changes no bit")
    func capacity() throws {
        let example = try example(hidden: 80)
        var capacity = example.capacity
        let (exact, _) = try example.gradients(try example.engine(), dropout: someKey)
        capacity.tokens += 70
        let (roomy, _) = try example.gradients(try example.engine(capacity: capacity), dropout: someKey)
        #expect(exact == roomy)
    }

    @Test("a weight that is no number makes the loss none, whatever ReLU does")
    func notANumber() throws {
        for bias: Float in [-0.7, 0.7] {
            let example = try example(bias)
            let weight = try #require(
                example.layout.tensors.first { $0.name.hasSuffix("0.intermediate.dense.weight") })
            example.parameters.buffer[weight.range.lowerBound] = .nan
            #expect(try example.gradients(try example.engine()).1.maskedLossSum.isNaN)
        }
    }
}
