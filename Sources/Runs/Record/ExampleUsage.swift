/// Which examples a finished run used: the proof that each was used exactly once in every pass, whatever was killed or
/// resized meanwhile.
public struct ExampleUsage: Hashable, Sendable, Codable {
    /// Examples that the steps on record used, and whole passes through the training examples.
    public var examples: Int
    public var wholePasses: Int
    /// The sum, modulo 2^64, of a hash of each example that was read; and what it must be by the dataset and the job alone.
    public var checksum: UInt64
    public var checksumDue: UInt64

    /// Usage of the given parts.
    public init(examples: Int, wholePasses: Int, checksum: UInt64, checksumDue: UInt64) {
        self.examples = examples
        self.wholePasses = wholePasses
        self.checksum = checksum
        self.checksumDue = checksumDue
    }

    /// Whether every example was used as often as it had to be.
    public var isProved: Bool { checksum == checksumDue }
}
