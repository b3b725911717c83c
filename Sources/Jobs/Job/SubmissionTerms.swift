/// When a run's turn comes, and by what its submission is known again.
public struct SubmissionTerms: Hashable, Sendable, Codable {
    /// Runs of a higher number come first; of equal ones, those that were asked for first.
    public var priority: Int
    /// Runs that must have finished before this one begins.
    public var after: [RunID]
    /// Whoever submits twice with the same key gets one run; nil for none.
    public var key: String?

    /// What a priority may be.
    public static let priorities = -100...100
    /// The most runs that one may follow.
    public static let afterLimit = 64
    /// The longest key.
    public static let keyLimit = 128

    /// The given terms; by default, those of a run that takes its turn.
    public init(priority: Int = 0, after: [RunID] = [], key: String? = nil) {
        self.priority = priority
        self.after = after
        self.key = key
    }

    /// What is wrong with the terms; nil where nothing is.
    public var problem: String? {
        if !Self.priorities.contains(priority) {
            return
                "the priority is \(priority); \(Self.priorities.lowerBound) to \(Self.priorities.upperBound) are allowed"
        }
        if after.count > Self.afterLimit {
            return "the run is to follow \(after.count) runs; \(Self.afterLimit) are allowed"
        }
        guard let key else { return nil }
        let isPlain = key.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard isPlain, (1...Self.keyLimit).contains(key.utf8.count) else {
            return "a submission's key is 1 to \(Self.keyLimit) printable ASCII characters without spaces"
        }
        return nil
    }
}
