import Corpus
import Digests
import Foundation
import Jobs

/// Small datasets of synthetic text.
enum DatasetFixture {
    static func request(
        documents: Int = 300, vocabulary: Int = 1200, sequences: [Int] = [64, 128], seed: UInt64 = 5,
        heldOut: Double = 0.1, examples: ExampleSettings = ExampleSettings()
    ) -> DatasetRequest {
        DatasetRequest(
            text: .synthetic(documents: documents, seed: 3), vocabulary: .trained(size: vocabulary),
            settings: DatasetSettings(sequences: sequences, heldOut: heldOut, seed: seed, examples: examples))
    }

    static func request(files: [String], vocabulary: Int = 400, heldOut: Double = 0.2) -> DatasetRequest {
        DatasetRequest(
            text: .files(files.map { DatasetRequest.TextFile(path: $0) }), vocabulary: .trained(size: vocabulary),
            settings: DatasetSettings(sequences: [64], heldOut: heldOut, seed: 5))
    }

    /// Synthetic documents as a text file has them.
    static func text(documents: Int, seed: UInt64 = 1) throws -> String {
        let source = SyntheticAbstracts(documents: documents, seed: seed)
        var document = TextDocument()
        var text = ""
        while try source.next(into: &document) { text += document.sentences.joined(separator: "\n") + "\n\n" }
        return text
    }

    /// All files of a folder and their contents.
    static func contents(of directory: String) throws -> [String: Data] {
        var contents: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            contents[name] = try Data(contentsOf: URL(fileURLWithPath: directory + "/" + name))
        }
        return contents
    }
}

/// A corpus folder as an import leaves it.
enum ImportedFolder {
    /// Makes the folder at `path` with a text file for each of `texts`.
    static func make(at path: String, texts: [String]) throws {
        for name in ["text", "records"] {
            try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
        }
        func file(_ name: String, _ contents: Data) throws -> [String: Any] {
            try contents.write(to: URL(fileURLWithPath: path + "/" + name))
            return [
                "name": name, "bytes": contents.count,
                "digest": contents.withUnsafeBytes { SHA256.hexadecimal(of: $0) },
            ]
        }
        var shards: [[String: Any]] = []
        for (number, text) in texts.enumerated() {
            shards.append([
                "text": try file("text/0000\(number)-part.txt.gz", storedGzip(Data(text.utf8))),
                "records": try file("records/0000\(number)-part.jsonl.gz", storedGzip(Data("{}\n".utf8))),
                "documents": text.components(separatedBy: "\n\n").count - 1, "sentences": 1,
                "text_bytes": text.utf8.count,
            ])
        }
        let counts: [String: Any] = [
            "articles": 0, "abstracts": 0, "sections": 0, "sections_by_category": [String: Int](),
            "other_abstracts": 0, "deletions": 0, "retracted": 0, "documents": 10, "sentences": 20, "text_bytes": 30,
            "skipped": [String: Int](), "replaced_sequences": 0, "cut_sentences": 0, "faults": 0,
        ]
        let options = try JSONSerialization.jsonObject(with: try snakeCase.encode(ImportOptions()))
        let manifest: [String: Any] = [
            "format": ImportedCorpus.currentFormat, "is_complete": true, "options": options, "shards": shards,
            "sources": [
                [
                    "path": "/somewhere/pubmed.xml.gz", "kind": "pubmed", "bytes": 5, "digest": "ab",
                    "state": "imported",
                    "unpacked_bytes": 9, "faults": [Any](), "counts": counts,
                ] as [String: Any]
            ], "totals": counts, "licences": [["note": "CC BY 4.0", "documents": 3]], "other_licences": 0,
            "without_licence": 7,
        ]
        try JSONSerialization.data(withJSONObject: manifest).write(
            to: URL(fileURLWithPath: path + "/" + ImportedCorpus.fileName))
    }

    private static let snakeCase: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return encoder
    }()
}
