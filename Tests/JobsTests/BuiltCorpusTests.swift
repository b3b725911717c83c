import Digests
import Foundation
import Jobs
import Testing

@Suite("A job on a corpus folder")
struct BuiltCorpusTests {
    private static let digest = String(repeating: "0a", count: 32)

    /// A folder named `pubmed` with a dataset of sequences of 32 and 64 tokens.
    private static func probe(examples: ExampleSettings = ExampleSettings()) -> FileProbe {
        FileProbe(
            corpora: CorpusProbe { path, _ in
                guard path == "pubmed" else { return .refused(path: "/jobs/\(path)", reason: "no such folder") }
                return .built(
                    BuiltDataset(
                        corpus: BuiltCorpus(
                            directory: "/jobs/pubmed", digest: digest, vocabularySize: 30_522, heldOut: 0.02),
                        settings: DatasetSettings(sequences: [32, 64], heldOut: 0.02, seed: 9, examples: examples)))
            }
        ) { path, _ in .file(path) }
    }

    private static func text(corpus: String = "corpus: pubmed", sequence: Int = 32, more: String = "") -> String {
        """
        name: sample
        model: {layers: 2, hidden: 64, heads: 4, positions: 128}
        \(corpus)
        lanes: 4
        seed: 7
        phases:
          - sequence: \(sequence)
            global_batch: 16
            steps: 10
            learning_rate: 1e-3
        \(more)
        """
    }

    private static func problems(_ text: String, examples: ExampleSettings = ExampleSettings()) -> [String] {
        JobText.problems(of: text, files: probe(examples: examples)).map {
            "\($0.line ?? 0) \($0.key ?? "-"): \($0.found); \($0.allowed)"
        }
    }

    @Test("takes from the folder what it doesn't say itself")
    func reading() throws {
        let built = ExampleSettings(shortSequenceShare: 0.3, nextSentence: false)
        for corpus in ["corpus: pubmed", "corpus: {built: pubmed, vocabulary: 30522, digest: \(Self.digest)}"] {
            let job = try JobFile.parse(
                Self.text(corpus: corpus), name: "job.yaml", directory: "/jobs", files: Self.probe(examples: built))
            #expect(
                job.corpus
                    == .built(
                        BuiltCorpus(
                            directory: "/jobs/pubmed", digest: Self.digest, vocabularySize: 30_522, heldOut: 0.02)))
            #expect(job.examples == built)
            #expect(job.corpus.vocabularySize == 30_522)
            #expect(job.corpus.heldOut == 0.02)
            #expect(job.seed == 7)
        }
    }

    @Test("travels as JSON and as YAML to the same job where the folder isn't")
    func travelling() throws {
        let job = try JobFile.parse(Self.text(), name: "job.yaml", directory: "/jobs", files: Self.probe())
        #expect(try JobFile.decode(json: JobFile.json(job)) == job)
        #expect(try JobFile.parse(JobFile.render(job), name: "rendered", files: .unchecked) == job)
    }

    @Test("may mask otherwise where masks are drawn anew each epoch")
    func masking() throws {
        let text = Self.text(more: "examples: {masked_share: 0.2, masking: whole_word}")
        let job = try JobFile.parse(text, name: "job.yaml", directory: "/jobs", files: Self.probe())
        #expect(job.examples == ExampleSettings(maskedShare: 0.2, masking: .wholeWord))
        #expect(job.phases[0].maskedPositions == 7)
        let built = ExampleSettings(staticMasks: 10)
        #expect(
            Self.problems(text, examples: built) == [
                "7 phases[0].masked_positions: 7; 5, as the corpus was built",
                "11 examples.masked_share: 0.2; 0.15, as the corpus was built",
                "11 examples.masking: whole_word; token, as the corpus was built",
            ])
    }

    @Test("is refused with key, finding and remedy where the folder contradicts it")
    func contradictions() {
        #expect(
            Self.problems(Self.text(sequence: 48)) == [
                "7 phases[0].sequence: 48; a length that the corpus was built for (32, 64); "
                    + "'wafermark corpus build' with --sequence 48 makes others"
            ])
        #expect(
            Self.problems(
                Self.text(
                    corpus:
                        "corpus: {built: pubmed, vocabulary: 8192, held_out: 0.1, digest: \(String(repeating: "b", count: 64))}",
                    more: "examples: {next_sentence: false, short_sequence_share: 0, static_masks: 4}")) == [
                    "3 corpus.digest: \(String(repeating: "b", count: 64)); \(Self.digest): "
                        + "the corpus was built anew since the job was written",
                    "3 corpus.vocabulary: 8192; 30522, as the corpus was built",
                    "3 corpus.held_out: 0.1; 0.02, as the corpus was built",
                    "11 examples.short_sequence_share: 0.0; 0.1, as the corpus was built",
                    "11 examples.next_sentence: false; true, as the corpus was built",
                    "11 examples.static_masks: 4; none, as the corpus was built",
                ])
    }

    @Test(
        "is refused where its corpus is no folder with a dataset, or said twice",
        arguments: [
            ("corpus: elsewhere", "3 corpus: '/jobs/elsewhere' (no such folder)"),
            ("corpus: {built: elsewhere}", "3 corpus.built: '/jobs/elsewhere' (no such folder)"),
            ("corpus: {built: pubmed, text: a.txt}", "3 corpus.text: both 'text' and 'built'; one of the two"),
            ("corpus: [pubmed]", "3 corpus: a list"), ("corpus: \"\"", "3 corpus: an empty path"),
            ("corpus: {built: [a]}", "3 corpus.built: a list"),
            (
                "corpus: {synthetic: {documents: 100}, vocabulary: 512, digest: ab}",
                "3 corpus.digest: ab; nothing: a digest goes with 'corpus.built'"
            ),
        ])
    func refusals(corpus: String, says: String) {
        let found = Self.problems(Self.text(corpus: corpus))
        #expect(found.count == 1 && found.first?.hasPrefix(says) == true, "\(found)")
    }

    @Test("finds the folder on the disk, and refuses one that is none, isn't built, or was changed")
    func fileSystem() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "wafermark-jobs-\(UUID().uuidString)")
            .resolvingSymlinksInPath()
        defer { try? FileManager.default.removeItem(at: folder) }
        let dataset = folder.appending(path: "pubmed/dataset")
        try FileManager.default.createDirectory(at: dataset, withIntermediateDirectories: true)
        func finding(_ path: String = "pubmed") -> CorpusProbe.Finding {
            CorpusProbe.fileSystem(path, relativeTo: folder.path)
        }
        func reason(_ path: String = "pubmed") -> String {
            guard case .refused(_, let reason) = finding(path) else { return "taken" }
            return reason
        }
        #expect(reason().contains("holds no dataset"))
        #expect(reason("none") == "no such folder")
        try Data("x".utf8).write(to: folder.appending(path: "file"))
        #expect(reason("file").contains("is no folder"))

        let manifest = Data(
            """
            {"format": 2, "vocabulary_size": 600, "more": [], "settings": {"sequences": [64], "held_out": 0.05, "seed": 18446744073709551615,
            "examples": {"masked_share": 0.15, "masking": "whole_word", "short_sequence_share": 0.1, "next_sentence": true}}}
            """.utf8)
        try manifest.write(to: dataset.appending(path: "manifest.json"))
        let digest = manifest.withUnsafeBytes { SHA256.hexadecimal(of: $0) }
        try Data("\(digest)  manifest.json\n".utf8).write(to: dataset.appending(path: "manifest.sha256"))
        #expect(
            finding()
                == .built(
                    BuiltDataset(
                        corpus: BuiltCorpus(
                            directory: folder.appending(path: "pubmed").path, digest: digest, vocabularySize: 600,
                            heldOut: 0.05),
                        settings: DatasetSettings(
                            sequences: [64], seed: .max, examples: ExampleSettings(masking: .wholeWord)))))
        try (manifest + Data(" ".utf8)).write(to: dataset.appending(path: "manifest.json"))
        #expect(reason().contains("has changed since it was written"))
    }
}
