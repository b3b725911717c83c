import BERT
import Kernels
import Testing

@Suite("An engine with sparse matrices")
struct SparseEngineTests {
    /// An example whose weights are masked, about a third of them kept.
    private func sparseExample(
        _ matrices: Set<EncoderMatrix>, layers: Int = 2
    ) throws -> (Example, SparseWeights) {
        let example = try Example(layers: layers, hidden: 80, heads: 2)
        let masks = WeightMasks(MaskLayout(example.layout, matrices: matrices))
        var numbers = Numbers(4)
        for word in 0..<masks.layout.wordCount {
            masks.words[word] = numbers.next() & (numbers.next() | numbers.next())
        }
        let weights = SparseWeights(masks: masks)
        let crew = ThreadCrew(count: 2)
        try weights.rebuild(crew: crew)
        for index in masks.layout.tensors.indices { masks.apply(to: example.parameters.pointer, tensor: index) }
        try weights.refresh(from: example.parameters.pointer, crew: crew)
        return (example, weights)
    }

    private func gradients(_ example: Example, _ sparse: SparsePass?) throws -> ([Float], LaneLosses) {
        let gradients = FloatBuffer(count: example.layout.elementCount)
        let losses = try example.engine().forwardBackward(
            batch: example.batch, parameters: example.parameters.pointer, gradients: gradients.pointer,
            dropout: someKey, sparse: sparse)
        return (Array(gradients.buffer), losses)
    }

    @Test(
        "computes the losses and gradients of the dense engine on the same weights, zero where a weight is masked",
        arguments: [Set(EncoderMatrix.allCases), [.output], [.queryKeyValue], [.attentionOutput, .intermediate]])
    func gradients(matrices: Set<EncoderMatrix>) throws {
        let (example, weights) = try sparseExample(matrices)
        let (sparse, losses) = try gradients(example, SparsePass(weights: weights))
        let (dense, reference) = try gradients(example, nil)
        #expect(abs(losses.maskedLossSum - reference.maskedLossSum) < 1e-5 * reference.maskedLossSum)
        let masked = FloatBuffer(count: dense.count)
        for (index, value) in dense.enumerated() { masked.buffer[index] = value }
        for index in weights.masks.layout.tensors.indices { weights.masks.apply(to: masked.pointer, tensor: index) }
        let largestOfAll = dense.reduce(Float(0)) { max($0, abs($1)) }
        for tensor in example.layout.tensors {
            let largest = tensor.range.reduce(Float(0)) { max($0, abs(dense[$1])) }
            // Gradients that are zero but for rounding (a key's bias moves no softmax) are held to the others' size.
            let tolerance = max(2e-5 * largest, 1e-5 * largestOfAll)
            for index in tensor.range {
                #expect(abs(sparse[index] - masked.buffer[index]) < tolerance, "\(tensor.name)")
                if masked.buffer[index] == 0, dense[index] != 0 { #expect(sparse[index] == 0) }
            }
        }
    }

    @Test("gives all weights' gradients where asked to, whether they are kept or not")
    func allGradients() throws {
        let (example, weights) = try sparseExample(Set(EncoderMatrix.allCases))
        let (all, _) = try gradients(example, SparsePass(weights: weights, givesAllGradients: true))
        let (dense, _) = try gradients(example, nil)
        let largest = dense.reduce(0) { max($0, abs($1)) }
        for (a, b) in zip(all, dense) { #expect(abs(a - b) < 1e-5 * largest) }
    }

    @Test("adds gradients of micro-batches up")
    func accumulation() throws {
        let (example, weights) = try sparseExample(Set(EncoderMatrix.allCases))
        let pass = SparsePass(weights: weights)
        let engine = try example.engine()
        let gradients = FloatBuffer(count: example.layout.elementCount)
        func add(accumulate: Bool) throws {
            _ = try engine.forwardBackward(
                batch: example.batch, parameters: example.parameters.pointer, gradients: gradients.pointer,
                accumulate: accumulate, sparse: pass)
        }
        try add(accumulate: false)
        let once = Array(gradients.buffer)
        try add(accumulate: true)
        let largest = once.reduce(0) { max($0, abs($1)) }
        for (two, one) in zip(gradients.buffer, once) { #expect(abs(two - 2 * one) < 1e-5 * largest) }
        try add(accumulate: false)
        #expect(Array(gradients.buffer) == once, "what an engine computed before changes nothing")
    }

    @Test("counts the operations of kept weights alone")
    func operations() throws {
        let (example, weights) = try sparseExample([.intermediate], layers: 1)
        let engine = try example.engine()
        engine.profile = KernelProfile()
        _ = try engine.forward(
            batch: example.batch, parameters: example.parameters.pointer, sparse: SparsePass(weights: weights))
        let work = engine.profile?.kernels[.sparseProducts]
        // One layer, which is the last: it has rows for what the heads read alone.
        let reads = Set(example.batch.maskedPositions + (0..<3).map { Int32($0 * example.batch.sequenceLength) }).count
        #expect(work?.calls == 1)
        #expect(work?.operations == 2 * reads * weights.masks.kept)
    }

    @Test("has masks of the fused query, key and value in the tensors' order")
    func layout() throws {
        let example = try Example(layers: 2, hidden: 80, heads: 2)
        let layout = MaskLayout(example.layout, matrices: [.queryKeyValue, .output])
        #expect(layout.tensors.count == 2 * 4)
        #expect(layout.tensors.map(\.tensor.range.lowerBound) == layout.tensors.map(\.tensor.range.lowerBound).sorted())
        #expect(layout.tensors.reduce(0) { $0 + $1.words.count } == layout.wordCount)
        #expect(layout.elementCount == 2 * (3 * 80 * 80 + 80 * 240))
    }
}
