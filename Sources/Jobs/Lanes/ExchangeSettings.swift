/// How the workers of a cluster share lanes and exchange gradients. The bits don't depend on any of it.
///
/// A value is always possible: its one range, the bucket's, is checked when it is made.
public struct ExchangeSettings: Hashable, Sendable {
    /// Who sums what.
    public var algorithm: CollectiveAlgorithm
    /// How sums travel.
    public var transport: Transport
    /// By what the lanes are shared.
    public var laneShares: LaneShareRule
    /// The size of the buckets in which gradients are exchanged, as f32.
    public let bucket: Bytes

    /// The size of a bucket where nobody says otherwise: large enough that a frame's cost is small beside it, small enough
    /// that most of the gradient has left before the backward pass ends, and that what arrives is added up in the cache.
    public static let usualBucket = Bytes.mebibytes(1)

    /// The least and the most bytes of a bucket: a cache line, and what a receiver must be ready to hold of each peer at
    /// once.
    public static let bucketRange = 64...(256 << 20)

    /// A bucket that is too small or too large.
    public struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
        /// Its bytes.
        public let bucketBytes: Int

        public var description: String {
            "a gradient bucket of \(bucketBytes) bytes; allowed: \(bucketRange.lowerBound) to \(bucketRange.upperBound)"
        }
    }

    /// The given settings, with buckets of the usual size.
    public init(
        algorithm: CollectiveAlgorithm = .direct, transport: Transport = .sharedMemory,
        laneShares: LaneShareRule = .speed
    ) {
        self.algorithm = algorithm
        self.transport = transport
        self.laneShares = laneShares
        bucket = Self.usualBucket
    }

    /// The given settings.
    ///
    /// - Throws: `Violation` where the bucket is outside `bucketRange`.
    public init(
        algorithm: CollectiveAlgorithm = .direct, transport: Transport = .sharedMemory,
        laneShares: LaneShareRule = .speed, bucket: Bytes
    ) throws(Violation) {
        guard Self.bucketRange.contains(bucket.count) else { throw Violation(bucketBytes: bucket.count) }
        self.algorithm = algorithm
        self.transport = transport
        self.laneShares = laneShares
        self.bucket = bucket
    }
}
