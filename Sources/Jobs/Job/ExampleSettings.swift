/// How text becomes examples (Devlin et al. 2019, section 3.1).
public struct ExampleSettings: Hashable, Sendable, Codable {
    /// What is chosen for prediction at once.
    public enum Masking: String, Hashable, Sendable, Codable, CaseIterable {
        /// Single word pieces, as in the paper.
        case token
        /// All pieces of a word, as in BERT's later releases ("Whole Word Masking", May 2019).
        case wholeWord = "whole_word"
        /// Runs of whole words (Joshi et al. 2020, "SpanBERT", section 3.1).
        case span
    }

    /// The share of tokens that is predicted.
    public var maskedShare: Double
    /// What is chosen for prediction at once.
    public var masking: Masking
    /// How many masked forms an example has, each seen every so many epochs; nil where it is masked anew each time.
    public var staticMasks: Int?
    /// The chance that a pair is made from a document's start to a shorter length, so that short inputs are seen.
    public var shortSequenceShare: Double
    /// Whether sentence pairs are drawn for next-sentence prediction.
    public var nextSentence: Bool

    /// The paper's settings unless given, with masks drawn anew each epoch (Liu et al. 2019, "RoBERTa", section 4.1).
    public init(
        maskedShare: Double = 0.15, masking: Masking = .token, staticMasks: Int? = nil,
        shortSequenceShare: Double = 0.1, nextSentence: Bool = true
    ) {
        self.maskedShare = maskedShare
        self.masking = masking
        self.staticMasks = staticMasks
        self.shortSequenceShare = shortSequenceShare
        self.nextSentence = nextSentence
    }

    /// Masked positions of a sequence of `sequence` tokens at most, by convention: the masked share of a full sequence,
    /// rounded up (20 of 128 and 77 of 512 at 15 %).
    public func maskedPositions(ofSequence sequence: Int) -> Int {
        let share = maskedShare.isFinite && (0...1).contains(maskedShare) ? maskedShare : 0.15
        return max(1, Int((Double(min(max(sequence, 1), 1 << 30)) * share).rounded(.up)))
    }
}

/// What shapes a dataset, beside its text and its vocabulary.
public struct DatasetSettings: Hashable, Sendable, Codable {
    /// The lengths that examples are made for, in tokens, `[CLS]` and `[SEP]` included; ascending, each once.
    public var sequences: [Int]
    /// The share of documents that is kept out of training; in (0, 0.5].
    public var heldOut: Double
    /// The key of the held-out split and of the packing, and of the masks where these are static.
    public var seed: UInt64
    /// How text becomes examples. Where masks are drawn anew each epoch, a job may choose their share and their kind
    /// itself; the rest is fixed when the dataset is made.
    public var examples: ExampleSettings

    /// Settings of the given parts.
    public init(sequences: [Int], heldOut: Double = 0.05, seed: UInt64, examples: ExampleSettings = ExampleSettings()) {
        self.sequences = Set(sequences).sorted()
        self.heldOut = heldOut
        self.seed = seed
        self.examples = examples
    }
}
