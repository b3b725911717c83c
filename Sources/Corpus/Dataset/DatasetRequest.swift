import Foundation
import Jobs

/// What a dataset is made of: text, vocabulary, settings, sequence lengths. Nothing of the model or the machine.
public struct DatasetRequest: Codable, Hashable, Sendable {
    /// A sequence length of some phase.
    public struct SequenceLength: Codable, Hashable, Sendable {
        /// Tokens of a sequence at most, `[CLS]` and `[SEP]` included.
        public var sequence: Int
        /// Masked positions of a sequence at most.
        public var maskedPositions: Int

        /// A length.
        public init(sequence: Int, maskedPositions: Int) {
            self.sequence = sequence
            self.maskedPositions = maskedPositions
        }
    }

    /// The text, the vocabulary and the held-out share.
    public var corpus: CorpusSource
    /// How text becomes examples.
    public var examples: ExampleSettings
    /// The lengths that examples are made for, ascending, each once.
    public var sequenceLengths: [SequenceLength]
    /// The key of the split and of the sentence pairs.
    public var seed: UInt64

    /// A request; of lengths given twice the larger number of masked positions counts.
    public init(corpus: CorpusSource, examples: ExampleSettings, sequenceLengths: [SequenceLength], seed: UInt64) {
        self.corpus = corpus
        self.examples = examples
        var masked: [Int: Int] = [:]
        for length in sequenceLengths {
            masked[length.sequence] = max(masked[length.sequence] ?? 0, length.maskedPositions)
        }
        self.sequenceLengths = masked.keys.sorted().map {
            SequenceLength(sequence: $0, maskedPositions: masked[$0] ?? 0)
        }
        self.seed = seed
    }

    /// What `job` needs.
    public init(job: Job) {
        self.init(
            corpus: job.corpus, examples: job.examples,
            sequenceLengths: job.phases.map {
                SequenceLength(sequence: $0.sequence, maskedPositions: $0.maskedPositions)
            }, seed: job.seed)
    }

    /// Throws `.badSetting` for the first value outside its range.
    func validate() throws {
        func require(_ condition: Bool, _ name: String, _ found: Any, _ allowed: String) throws {
            if !condition { throw CorpusError.badSetting(name: name, found: "\(found)", allowed: allowed) }
        }
        try require(!sequenceLengths.isEmpty, "sequence lengths", "none", "at least one")
        for length in sequenceLengths {
            try require((8...65_535).contains(length.sequence), "sequence", length.sequence, "8 to 65535")
            try require(
                (1..<length.sequence).contains(length.maskedPositions), "masked positions", length.maskedPositions,
                "1 to \(length.sequence - 1)")
        }
        try require(
            corpus.heldOut > 0 && corpus.heldOut <= 0.5, "held-out share", corpus.heldOut, "above 0, at most 0.5")
        try require(
            examples.maskedShare > 0 && examples.maskedShare < 1, "masked share", examples.maskedShare,
            "between 0 and 1")
        try require(
            (0...1).contains(examples.shortSequenceShare), "short sequence share", examples.shortSequenceShare, "0 to 1"
        )
        switch corpus.text {
        case .files(let paths): try require(!paths.isEmpty, "corpus files", "none", "at least one")
        case .synthetic(let documents, _):
            try require((2...10_000_000).contains(documents), "synthetic documents", documents, "2 to 10000000")
        }
        if case .trained(let size) = corpus.vocabulary {
            try require(
                (64...Vocabulary.largestSize).contains(size), "vocabulary size", size, "64 to \(Vocabulary.largestSize)"
            )
        }
    }
}
