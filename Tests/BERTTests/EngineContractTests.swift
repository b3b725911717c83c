import BERT
import Kernels
import Testing

@Suite("What an engine promises")
struct EngineContractTests {
    @Test("ranges become ready in ascending order, adjoin and cover the buffer")
    func readyRanges() throws {
        let example = try Example()
        let gradients = FloatBuffer(count: example.layout.elementCount)
        let final = FloatBuffer(count: example.layout.elementCount)
        var end = 0
        var calls = 0
        _ = try example.engine().forwardBackward(
            batch: example.batch, parameters: example.parameters.pointer, gradients: gradients.pointer
        ) { range in
            #expect(range.lowerBound == end && !range.isEmpty)
            end = range.upperBound
            calls += 1
            Vector.copy(
                into: final.pointer + range.lowerBound, from: gradients.pointer + range.lowerBound, count: range.count)
        }
        #expect(end == example.layout.elementCount && calls > 8)
        #expect(Array(final.buffer) == Array(gradients.buffer), "a range changed after it was ready")
    }

    @Test("bits depend neither on capacity, nor on what an engine computed before, nor on alignment")
    func bits() throws {
        let example = try Example()
        let (first, losses) = try example.gradients(try example.engine(), dropout: someKey)
        let large = try example.engine(
            capacity: LaneCapacity(tokens: 999, sequences: 20, sequenceLength: 16, maskedPositions: 77))
        for seed in 2..<4 as Range<UInt64> {
            let other = try Example(lengths: [12, 12, 12, 3], seed: seed)
            _ = try other.gradients(large)
        }
        let (second, same) = try example.gradients(large, dropout: someKey)
        #expect(first == second && losses == same)

        let shifted = FloatBuffer(count: example.layout.elementCount + 3)
        let gradients = FloatBuffer(count: example.layout.elementCount + 5)
        Vector.copy(into: shifted.pointer + 3, from: example.parameters.pointer, count: example.layout.elementCount)
        _ = try large.forwardBackward(
            batch: example.batch, parameters: shifted.pointer + 3, gradients: gradients.pointer + 5, dropout: someKey)
        #expect(Array(gradients.buffer.dropFirst(5)) == first)
    }

    @Test("bits do not depend on what runs beside an engine")
    func neighbours() throws {
        let example = try Example(layers: 3, hidden: 64, heads: 4, vocabulary: 1500)
        let (alone, _) = try example.gradients(try example.engine(), dropout: someKey)
        let crew = ThreadCrew(count: 4)
        let results = (0..<4).map { _ in FloatBuffer(count: example.layout.elementCount) }
        for _ in 0..<5 {
            try crew.run { index in
                let engine = try example.engine()
                _ = try engine.forwardBackward(
                    batch: example.batch, parameters: example.parameters.pointer, gradients: results[index].pointer,
                    dropout: someKey)
            }
            for result in results { #expect(Array(result.buffer) == alone) }
        }
    }

    @Test("a forward pass gives the losses of a pass without dropout")
    func evaluation() throws {
        let example = try Example()
        let engine = try example.engine()
        let (_, losses) = try example.gradients(engine)
        #expect(try engine.forward(batch: example.batch, parameters: example.parameters.pointer) == losses)
    }

    @Test("padding content is never read")
    func padding() throws {
        let example = try Example()
        let engine = try example.engine()
        let losses = try engine.forward(batch: example.batch, parameters: example.parameters.pointer)
        var batch = example.batch
        batch.inputIDs[11] = 17
        batch.tokenTypes[11] = 1
        #expect(try engine.forward(batch: batch, parameters: example.parameters.pointer) == losses)
    }

    @Test("a batch that contradicts itself, the model or the capacity is refused, naming the field")
    func refusals() throws {
        let example = try Example()
        let engine = try example.engine()
        func refused(_ field: String, _ change: (inout TokenBatch) -> Void) {
            var batch = example.batch
            change(&batch)
            let error = #expect(throws: BERTError.self) {
                try engine.forward(batch: batch, parameters: example.parameters.pointer)
            }
            #expect(error?.description.contains(field) == true, "\(String(describing: error))")
        }
        refused("input_ids[2]") { $0.inputIDs[2] = 61 }
        refused("input_ids[2]") { $0.inputIDs[2] = -1 }
        refused("input_ids") { $0.inputIDs.removeLast() }
        refused("token_type_ids[0]") { $0.tokenTypes[0] = 2 }
        refused("lengths[1]") { $0.lengths[1] = 0 }
        refused("lengths[0]") { $0.lengths[0] = 13 }
        refused("sequence_length") { $0.sequenceLength = 17 }
        refused("sequences") { $0.sequences = 0 }
        refused("mlm_positions[0]") { $0.maskedPositions[0] = 11 }
        refused("mlm_positions[1]") { $0.maskedPositions[1] = $0.maskedPositions[0] }
        refused("mlm_labels[0]") { $0.maskedLabels[0] = 61 }
        refused("mlm_labels") { $0.maskedLabels.removeLast() }
        refused("next_sentence_labels[2]") { $0.nextSentenceLabels[2] = 2 }
        refused("next_sentence_labels") { $0.nextSentenceLabels = [] }
        let small = try example.engine(
            capacity: LaneCapacity(tokens: 5, sequences: 9, sequenceLength: 12, maskedPositions: 9))
        let error = #expect(throws: BERTError.self) {
            try small.forward(batch: example.batch, parameters: example.parameters.pointer)
        }
        #expect(error?.description.contains("capacity") == true)
    }
}
