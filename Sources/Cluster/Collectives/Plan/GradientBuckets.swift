import Jobs
import Messaging

/// How a flat gradient is cut: into buckets, which are exchanged as soon as the backward pass has filled them, and each
/// bucket into segments, which different workers may sum.
package struct GradientBuckets: Hashable, Sendable {
    /// Elements that a cut falls between: a cache line, and the width of the widest vectors.
    package static let grain = 16
    /// The largest bucket: what a receiver must be ready to hold of each peer at once.
    package static let largest = Bytes(Socket.Options.largestGradientFrame)

    /// Elements of the gradient.
    package let elementCount: Int
    /// Elements of every bucket but the last, which may be smaller.
    package let bucketSize: Int

    /// Buckets of about `bucket` bytes of f32: at least a grain, at most `largest`.
    package init(elementCount: Int, bucket: Bytes) {
        self.elementCount = elementCount
        let size = min(bucket.count, Self.largest.count) / MemoryLayout<Float>.stride
        bucketSize = max(Self.grain, size / Self.grain * Self.grain)
    }

    /// The number of buckets.
    package var count: Int { (elementCount + bucketSize - 1) / bucketSize }

    /// The elements of bucket `bucket`.
    package subscript(bucket: Int) -> Range<Int> {
        bucket * bucketSize..<min((bucket + 1) * bucketSize, elementCount)
    }

    /// How many buckets end at or before element `end`.
    package func filled(upTo end: Int) -> Int { end >= elementCount ? count : end / bucketSize }

    /// Bucket `bucket` cut into `parts` even segments; those that a small bucket has nothing for are empty.
    package func segments(of bucket: Int, parts: Int) -> [Range<Int>] {
        let range = self[bucket]
        let grains = (range.count + Self.grain - 1) / Self.grain
        func edge(_ part: Int) -> Int { min(range.lowerBound + grains * part / parts * Self.grain, range.upperBound) }
        return (0..<parts).map { edge($0)..<edge($0 + 1) }
    }
}
