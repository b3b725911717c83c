/// Where a job's examples come from.
public enum CorpusSource: Hashable, Sendable, Codable {
    /// Text that is made into a dataset before the run.
    case text(TextCorpus)
    /// A folder that `wafermark corpus build` has filled: its dataset is read as it lies there.
    case built(BuiltCorpus)

    /// Text that is made into a dataset before the run.
    public init(text: TextCorpus.Text, vocabulary: TextCorpus.Vocabulary, heldOut: Double = 0.05) {
        self = .text(TextCorpus(text: text, vocabulary: vocabulary, heldOut: heldOut))
    }

    /// The share of documents that is kept out of training, for evaluation; in (0, 0.5].
    public var heldOut: Double {
        switch self {
        case .text(let corpus): corpus.heldOut
        case .built(let corpus): corpus.heldOut
        }
    }

    /// The number of entries of the vocabulary, where it is known before the text is read.
    public var vocabularySize: Int? {
        switch self {
        case .text(let corpus):
            switch corpus.vocabulary {
            case .trained(let size): size
            case .file: nil
            }
        case .built(let corpus): corpus.vocabularySize
        }
    }

    /// The source without what doesn't change its contents where its digest is known: where a built folder lies.
    public var contents: CorpusSource {
        switch self {
        case .text: self
        case .built: withoutPlaces
        }
    }

    /// The source without what doesn't change its contents: where files and folders lie.
    public var withoutPlaces: CorpusSource {
        switch self {
        case .text(var corpus):
            if case .files = corpus.text { corpus.text = .files([]) }
            if case .file = corpus.vocabulary { corpus.vocabulary = .file("") }
            return .text(corpus)
        case .built(var corpus):
            corpus.directory = ""
            return .built(corpus)
        }
    }
}

/// Text and its vocabulary.
public struct TextCorpus: Hashable, Sendable, Codable {
    /// The text.
    public enum Text: Hashable, Sendable, Codable {
        /// Files of one sentence a line and a blank line between documents, `.gz` or plain, by absolute path.
        case files([String])
        /// Abstracts that the package writes itself, for jobs that must run with no file and no network.
        case synthetic(documents: Int, seed: UInt64)
    }

    /// The WordPiece vocabulary.
    public enum Vocabulary: Hashable, Sendable, Codable {
        /// Trained on the text, to exactly this many entries.
        case trained(size: Int)
        /// A `vocab.txt`, by absolute path.
        case file(String)
    }

    /// The text.
    public var text: Text
    /// The vocabulary.
    public var vocabulary: Vocabulary
    /// The share of documents that is kept out of training, for evaluation; in (0, 0.5].
    public var heldOut: Double

    /// A corpus of the given parts.
    public init(text: Text, vocabulary: Vocabulary, heldOut: Double = 0.05) {
        self.text = text
        self.vocabulary = vocabulary
        self.heldOut = heldOut
    }
}

/// A corpus folder whose dataset is built, as it was when the job was read: a folder that has been built anew since is
/// another corpus, and is refused.
public struct BuiltCorpus: Hashable, Sendable, Codable {
    /// The folder inside a corpus folder that holds its dataset.
    public static let datasetFolder = "dataset"

    /// The corpus folder, by absolute path.
    public var directory: String
    /// SHA-256 of the dataset's manifest, which names every other file by its digest.
    public var digest: String
    /// Entries of its vocabulary.
    public var vocabularySize: Int
    /// The share of documents that is kept out of training.
    public var heldOut: Double

    /// A corpus of the given parts.
    public init(directory: String, digest: String, vocabularySize: Int, heldOut: Double) {
        self.directory = directory
        self.digest = digest
        self.vocabularySize = vocabularySize
        self.heldOut = heldOut
    }

    /// Where its dataset lies.
    public var datasetDirectory: String { directory + "/" + Self.datasetFolder }
}
