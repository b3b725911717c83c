import Corpus
import Foundation
import Jobs
import Runs

/// The body of `wafermark prepare-dataset`: finds the dataset of a job where `corpus build` made it, or finds or makes it
/// in a folder of datasets, each named by the digest of what it was made from.
public enum DatasetCache {
    /// The dataset of `job`: that of the corpus folder that it names, or one under `datasets`, prepared now unless an
    /// equal one is there and sound.
    ///
    /// - Throws: `CorpusError`.
    public static func dataset(for job: Job, under datasets: String) throws -> PreparedDataset {
        switch job.corpus {
        case .text(let corpus):
            var manner = DatasetPreparation.Manner()
            // One that was damaged since is made again.
            manner.replaces = true
            return PreparedDataset(
                try DatasetPreparation.prepare(
                    DatasetRequest(corpus: corpus, for: job), under: datasets, manner: manner))
        case .built(let corpus):
            let dataset = try CorpusFolder(corpus.directory).dataset()
            guard dataset.digest == corpus.digest else {
                throw CorpusError.unfitDataset(
                    path: corpus.directory, key: "corpus.digest", found: dataset.digest,
                    allowed: "\(corpus.digest): the corpus was built anew since the job was read; launch it again")
            }
            try dataset.check(sequences: job.phases.map(\.sequence), examples: job.examples)
            return PreparedDataset(dataset)
        }
    }
}

extension PreparedDataset {
    fileprivate init(_ dataset: Dataset) {
        let manifest = dataset.manifest
        self.init(
            directory: dataset.directory,
            facts: CorpusFacts(
                isSynthetic: manifest.isSynthetic, trainingDocuments: manifest.training.counts.documents,
                heldOutDocuments: manifest.heldOut.counts.documents, trainingTokens: manifest.training.counts.tokens,
                vocabularySize: manifest.vocabularySize, digest: dataset.digest),
            baselineAccuracy: manifest.mostFrequentToken.heldOutShare,
            replacedSequences: manifest.sources.reduce(0) { $0 + $1.replacedSequences })
    }
}
