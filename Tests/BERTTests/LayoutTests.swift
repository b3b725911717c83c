import BERT
import Testing

@Suite("Parameter layout")
struct LayoutTests {
    private func configuration(hidden: Int = 48, heads: Int = 4, nextSentence: Bool = true) -> BERTConfiguration {
        BERTConfiguration(
            layers: 3, hidden: hidden, heads: heads, intermediate: 80, positions: 21, vocabularySize: 101,
            nextSentence: nextSentence)
    }

    @Test("tensors ascend, begin at multiples of 16 and never overlap")
    func places() throws {
        let layout = try ParameterLayout(configuration: configuration())
        var end = 0
        for tensor in layout.tensors {
            #expect(tensor.range.lowerBound % 16 == 0 && tensor.range.lowerBound >= end)
            #expect(tensor.range.lowerBound - end < 16)
            #expect(tensor.range.count == tensor.shape.reduce(1, *))
            end = tensor.range.upperBound
        }
        #expect(layout.elementCount % 16 == 0 && layout.elementCount - end < 16)
    }

    @Test("heads come first, layers from the last to the first, the word embedding last")
    func order() throws {
        let names = try ParameterLayout(configuration: configuration()).tensors.map(\.name)
        #expect(names.first == "cls.predictions.bias")
        #expect(names.last == "bert.embeddings.word_embeddings.weight")
        let layers = names.compactMap { $0.split(separator: ".").dropFirst(3).first.flatMap { Int($0) } }
        #expect(layers == layers.sorted(by: >) && Set(layers) == [0, 1, 2])
        #expect(Set(names).count == names.count)
    }

    @Test("BERT-Base has 110,106,428 parameters, as in the reference with both heads")
    func count() throws {
        let base = BERTConfiguration(layers: 12, hidden: 768, heads: 12, intermediate: 3072, vocabularySize: 30522)
        #expect(try ParameterLayout(configuration: base).parameterCount == 110_106_428)
    }

    @Test("biases and layer norms do not decay")
    func decay() throws {
        for tensor in try ParameterLayout(configuration: configuration()).tensors {
            let spared = tensor.name.hasSuffix("bias") || tensor.name.contains("LayerNorm")
            #expect(tensor.decays == !spared, "\(tensor.name)")
        }
    }

    @Test(
        "a shape that cannot be computed is refused, naming the field",
        arguments: [(40, 4), (48, 5), (0, 1), (8208, 1)])
    func refusals(hidden: Int, heads: Int) {
        let error = #expect(throws: BERTError.self) {
            try ParameterLayout(configuration: configuration(hidden: hidden, heads: heads))
        }
        #expect(error?.description.contains("hidden") == true)
    }
}
