import Foundation
import Jobs

/// Builds the dataset of a corpus folder: the body of `wafermark corpus build`.
public enum CorpusBuild {
    /// The split of a folder whose vocabulary was brought from elsewhere.
    public static let usualSplit = (heldOut: 0.05, seed: UInt64(1))

    /// Builds the dataset of `folder`, or goes on with it where an earlier build of the same ended early. A dataset that
    /// was built otherwise is replaced; the same one is left as it is.
    ///
    /// - Parameters:
    ///   - sequences: the lengths that examples are made for.
    ///   - heldOut: the share of documents held out; that which the vocabulary wasn't learned from unless given.
    ///   - seed: of split and packing; that of the vocabulary's split unless given.
    /// - Throws: `CorpusError`; `.unfitDataset` where the vocabulary was learned from documents that would be held out.
    public static func run(
        in folder: CorpusFolder, sequences: [Int], heldOut: Double? = nil, seed: UInt64? = nil,
        examples: ExampleSettings, manner: DatasetPreparation.Manner
    ) throws -> Dataset {
        try folder.whileLocked { corpus in
            guard FileManager.default.fileExists(atPath: folder.vocabularyPath) else {
                throw CorpusError.missingVocabulary(path: folder.directory)
            }
            let vocabulary = try CorpusVocabulary(in: folder)
            let settings = DatasetSettings(
                sequences: sequences, heldOut: heldOut ?? vocabulary?.heldOut ?? usualSplit.heldOut,
                seed: seed ?? vocabulary?.seed ?? usualSplit.seed, examples: examples)
            try check(settings, against: vocabulary, folder)
            var manner = manner
            manner.keepsFinishedShards = true
            manner.replaces = true
            return try DatasetPreparation.prepare(
                DatasetRequest(
                    text: folder.text(of: corpus), vocabulary: .file(folder.vocabularyPath), settings: settings,
                    origin: DatasetManifest.Origin(corpus)), into: folder.datasetDirectory, manner: manner)
        }
    }

    /// Held-out text must have taught nothing, not even the vocabulary. The split goes by the documents' contents, so a
    /// vocabulary stays fit when more text is imported.
    private static func check(
        _ settings: DatasetSettings, against vocabulary: CorpusVocabulary?, _ folder: CorpusFolder
    ) throws {
        guard let share = vocabulary?.heldOut, let seed = vocabulary?.seed else { return }
        func refuse(_ key: String, _ found: String, _ learned: String) throws {
            throw CorpusError.unfitDataset(
                path: folder.vocabularyPath, key: key, found: found,
                allowed: "\(learned), as the vocabulary was learned, so that it knows nothing of held-out text; "
                    + "or learn it again with 'wafermark corpus vocabulary'")
        }
        if share != settings.heldOut { try refuse("held-out share", "\(settings.heldOut)", "\(share)") }
        if seed != settings.seed { try refuse("seed", "\(settings.seed)", "\(seed)") }
    }
}

extension DatasetManifest.Origin {
    /// Where the text of an imported corpus comes from.
    init(_ corpus: ImportedCorpus) {
        self.init(
            files: corpus.sources.map {
                File(
                    name: ($0.path as NSString).lastPathComponent, bytes: $0.bytes, digest: $0.digest,
                    documents: $0.counts.documents)
            }, licences: corpus.licences, otherLicences: corpus.otherLicences, withoutLicence: corpus.withoutLicence)
    }
}
