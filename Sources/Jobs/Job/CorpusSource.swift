/// Where a job's text comes from, and its vocabulary.
public struct CorpusSource: Hashable, Sendable, Codable {
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

    /// A source of the given parts.
    public init(text: Text, vocabulary: Vocabulary, heldOut: Double = 0.05) {
        self.text = text
        self.vocabulary = vocabulary
        self.heldOut = heldOut
    }
}

/// How text becomes examples (Devlin et al. 2019, section 3.1).
public struct ExampleSettings: Hashable, Sendable, Codable {
    /// The share of tokens that is predicted.
    public var maskedShare: Double
    /// The chance that a pair is made from a document's start to a shorter length, so that short inputs are seen.
    public var shortSequenceShare: Double
    /// Whether sentence pairs are drawn for next-sentence prediction.
    public var nextSentence: Bool

    /// The paper's settings unless given.
    public init(maskedShare: Double = 0.15, shortSequenceShare: Double = 0.1, nextSentence: Bool = true) {
        self.maskedShare = maskedShare
        self.shortSequenceShare = shortSequenceShare
        self.nextSentence = nextSentence
    }
}
