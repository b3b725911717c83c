import Corpus
import Digests
import Foundation

/// Corpus folders for tests that start the whole program.
enum CorpusFixtures {
    /// A corpus folder as an import leaves it, of synthetic abstracts in two text files.
    static func imported(at path: String, documents: Int) throws {
        for name in ["text", "records"] {
            try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
        }
        let shards = try (0..<2).map { number in
            [
                "text": try file("text/0000\(number)-part.txt.gz", try text(documents / 2, seed: UInt64(number)), path),
                "records": try file("records/0000\(number)-part.jsonl.gz", "", path), "documents": documents / 2,
                "sentences": documents, "text_bytes": 1,
            ] as [String: Any]
        }
        let counts: [String: Any] = [
            "articles": documents, "abstracts": documents, "sections": 0, "sections_by_category": [String: Int](),
            "other_abstracts": 0, "deletions": 0, "retracted": 0, "documents": documents, "sentences": documents,
            "text_bytes": 1, "skipped": [String: Int](), "replaced_sequences": 0, "cut_sentences": 0, "faults": 0,
        ]
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let manifest: [String: Any] = [
            "format": ImportedCorpus.currentFormat, "is_complete": true,
            "options": try JSONSerialization.jsonObject(with: try encoder.encode(ImportOptions())), "shards": shards,
            "sources": [Any](), "totals": counts, "licences": [Any](), "other_licences": 0,
            "without_licence": documents,
        ]
        try JSONSerialization.data(withJSONObject: manifest).write(
            to: URL(fileURLWithPath: path + "/" + ImportedCorpus.fileName))
    }

    /// A job of a few steps on the folder `corpus` beside it.
    static func job() -> String {
        """
        name: small
        corpus: corpus
        model: { layers: 2, hidden: 64, heads: 2, positions: 64 }
        lanes: 6
        seed: 11
        phases: [{ sequence: 64, masked_positions: 10, global_batch: 12, steps: 8, learning_rate: 1.0e-3 }]
        evaluation: { every_steps: 4, sequences: 8 }
        """
    }

    private static func text(_ documents: Int, seed: UInt64) throws -> String {
        let source = SyntheticAbstracts(documents: documents, seed: seed)
        var document = TextDocument()
        var text = ""
        while try source.next(into: &document) { text += document.sentences.joined(separator: "\n") + "\n\n" }
        return text
    }

    private static func file(_ name: String, _ text: String, _ folder: String) throws -> [String: Any] {
        // The name says gzip, so gzip it is.
        let plain = folder + "/plain"
        try text.write(toFile: plain, atomically: false, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "--no-name", "--force", plain]
        try process.run()
        process.waitUntilExit()
        let path = folder + "/" + name
        try FileManager.default.moveItem(atPath: plain + ".gz", toPath: path)
        let contents = try Data(contentsOf: URL(fileURLWithPath: path))
        let digest = contents.withUnsafeBytes { SHA256.hexadecimal(of: $0) }
        return ["name": name, "bytes": contents.count, "digest": digest]
    }
}
