import Corpus
import Foundation
import Jobs
import Runs

/// The body of `wafermark prepare-dataset`: finds or makes the dataset of a job in a folder of datasets, each named by the
/// digest of what it was made from.
public enum DatasetCache {
    /// The dataset of `job` under `datasets`, prepared now unless an equal one is there and sound.
    ///
    /// - Throws: `CorpusError`.
    public static func dataset(for job: Job, under datasets: String) throws -> PreparedDataset {
        let request = DatasetRequest(job: job)
        let directory = datasets + "/" + String(try DatasetPreparation.digest(of: request).prefix(32))
        if let manifest = try? Dataset(opening: directory).manifest {
            return PreparedDataset(directory: directory, manifest: manifest)
        }
        try? FileManager.default.removeItem(atPath: directory)
        let manifest = try DatasetPreparation.prepare(request, into: directory)
        return PreparedDataset(directory: directory, manifest: manifest)
    }
}

extension PreparedDataset {
    fileprivate init(directory: String, manifest: DatasetManifest) {
        self.init(
            directory: directory,
            facts: CorpusFacts(
                isSynthetic: manifest.isSynthetic, trainingDocuments: manifest.training.documents,
                heldOutDocuments: manifest.heldOutCounts.documents, trainingTokens: manifest.training.tokens,
                vocabularySize: manifest.vocabularySize, digest: manifest.digest),
            baselineAccuracy: manifest.mostFrequentToken.heldOutShare,
            replacedSequences: manifest.sources.reduce(0) { $0 + $1.replacedSequences })
    }
}
