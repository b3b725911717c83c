import Runs

/// A dataset that is ready to be read, as the preparing process describes it on its standard output.
public struct PreparedDataset: Hashable, Sendable, Codable {
    /// The dataset's folder.
    public var directory: String
    /// What the text amounted to.
    public var facts: CorpusFacts
    /// The share of held-out tokens that the training text's most frequent token makes up.
    public var baselineAccuracy: Double
    /// Sequences of invalid UTF-8 in the text, each read as U+FFFD.
    public var replacedSequences: Int

    /// A dataset of the given parts.
    public init(directory: String, facts: CorpusFacts, baselineAccuracy: Double, replacedSequences: Int = 0) {
        self.directory = directory
        self.facts = facts
        self.baselineAccuracy = baselineAccuracy
        self.replacedSequences = replacedSequences
    }
}
