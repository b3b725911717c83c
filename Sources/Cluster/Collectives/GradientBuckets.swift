import Jobs

/// How a flat gradient is cut: into buckets, which are exchanged as soon as the backward pass has filled them, and each
/// bucket into one segment for each worker, which sums that segment for all.
struct GradientBuckets: Hashable, Sendable {
    /// Elements that a cut falls between: a cache line, and the width of the widest vectors.
    static let grain = 16

    /// Elements of the gradient.
    let elementCount: Int
    /// The buckets, in ascending order.
    let buckets: [Range<Int>]
    private let workerCount: Int

    /// Buckets of about `bucket` bytes of f32 for `workerCount` workers.
    init(elementCount: Int, bucket: Bytes, workerCount: Int) {
        self.elementCount = elementCount
        self.workerCount = workerCount
        let size = max(Self.grain, bucket.count / MemoryLayout<Float>.stride / Self.grain * Self.grain)
        buckets = stride(from: 0, to: elementCount, by: size).map { $0..<min($0 + size, elementCount) }
    }

    /// The elements of bucket `bucket` that worker `rank` sums; empty where the bucket is too small to give it any.
    func segment(of bucket: Int, rank: Int) -> Range<Int> {
        let range = buckets[bucket]
        let grains = (range.count + Self.grain - 1) / Self.grain
        func edge(_ rank: Int) -> Int {
            min(range.lowerBound + grains * rank / workerCount * Self.grain, range.upperBound)
        }
        return edge(rank)..<edge(rank + 1)
    }
}
