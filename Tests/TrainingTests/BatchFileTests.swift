import BERT
import Foundation
import Testing
import Training

@Suite("A batch file")
struct BatchFileTests {
    static let model = BERTConfiguration(
        layers: 1, hidden: 16, heads: 1, intermediate: 16, positions: 8, vocabularySize: 30)

    static let good = """
        {"input_ids": [[2, 5, 6, 3], [2, 7, 3, 0]], "token_type_ids": [[0, 0, 1, 1], [0, 1, 1, 0]],
         "attention_mask": [[1, 1, 1, 1], [1, 1, 1, 0]], "mlm_positions": [[1, 2], [1]], "mlm_labels": [[8, 9], [10]],
         "next_sentence_labels": [0, 1]}
        """

    @Test("becomes a batch with flat positions and without padding")
    func reading() throws {
        let batch = try read(Self.good)
        #expect(batch.sequences == 2)
        #expect(batch.lengths == [4, 3])
        #expect(batch.maskedPositions == [1, 2, 5])
        #expect(batch.maskedLabels == [8, 9, 10])
        #expect(batch.nextSentenceLabels == [0, 1])
    }

    @Test(
        "that contradicts itself or the model is refused, naming the array and the row",
        arguments: [
            ("[2, 5, 6, 3]", "[2, 5, 6]", "input_ids[0]"),
            ("[2, 5, 6, 3]", "[2, 5, 6, 30]", "input_ids[0]"),
            ("[2, 5, 6, 3]", "[2, 5, 6, -1]", "input_ids[0]"),
            ("[2, 5, 6, 3]", "[2, 5, 6, 9223372036854775807]", "input_ids[0]"),
            ("[0, 1, 1, 0]", "[0, 1, 2, 0]", "token_type_ids[1]"),
            ("[1, 1, 1, 0]", "[1, 0, 1, 0]", "attention_mask[1]"),
            ("[1, 1, 1, 0]", "[0, 0, 0, 0]", "attention_mask[1]"),
            ("[[1, 2], [1]]", "[[2, 1], [1]]", "mlm_positions[0]"),
            ("[[1, 2], [1]]", "[[1, 2], [3]]", "mlm_positions[1]"),
            ("[[8, 9], [10]]", "[[8, 9], [10, 11]]", "mlm_labels[1]"),
            ("[[8, 9], [10]]", "[[8, 9]]", "mlm_labels"),
            ("\"next_sentence_labels\": [0, 1]", "\"next_sentence_labels\": [0, 2]", "next_sentence_labels[1]"),
            ("\"next_sentence_labels\": [0, 1]", "\"other\": 0", "next_sentence_labels"),
            ("\"mlm_labels\"", "\"labels\"", "mlm_labels"),
            ("[2, 7, 3, 0]", "[2, \"7\", 3, 0]", "input_ids[1][1]"),
            ("[[2, 5, 6, 3], [2, 7, 3, 0]]", "[]", "input_ids"),
            ("{\"input_ids\"", "{{\"input_ids\"", "file"),
        ])
    func contradictions(find: String, replace: String, names: String) throws {
        let changed = Self.good.replacingOccurrences(of: find, with: replace)
        try #require(changed != Self.good)
        let error = try #require(throws: TrainingError.self) { _ = try read(changed) }
        #expect(error.description.contains("'\(names)'"), "\(error)")
    }

    private func read(_ text: String) throws -> TokenBatch {
        let folder = try TemporaryFolder()
        let path = folder.path + "/batch.json"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return try BatchFile(reading: path, model: Self.model).batch
    }
}
