/// How often lengths occur, in buckets of doubling width: 1, 2, 3-4, 5-8, 9-16 and so on.
public struct LengthHistogram: Codable, Hashable, Sendable {
    /// The number of lengths in each bucket; bucket `b` holds those above 2^(b-1), up to 2^b.
    public private(set) var counts: [Int] = []
    /// The sum of all lengths.
    public private(set) var sum = 0
    /// The least length; 0 where there is none.
    public private(set) var least = 0
    /// The greatest length.
    public private(set) var most = 0

    /// A histogram of nothing.
    public init() {}

    /// The number of lengths.
    public var count: Int { counts.reduce(0, +) }

    /// The mean length; 0 where there is none.
    public var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }

    /// The lengths of bucket `index`.
    public func range(ofBucket index: Int) -> ClosedRange<Int> {
        index == 0 ? 1...1 : (1 << (index - 1)) + 1...1 << index
    }

    /// Counts a length, at least 1.
    mutating func add(_ length: Int) {
        let bucket = length <= 1 ? 0 : Int.bitWidth - (length - 1).leadingZeroBitCount
        if bucket >= counts.count { counts += Array(repeating: 0, count: bucket + 1 - counts.count) }
        least = sum == 0 ? length : min(least, length)
        most = max(most, length)
        counts[bucket] += 1
        sum += length
    }

    /// Counts the lengths of `other` too.
    mutating func add(_ other: LengthHistogram) {
        guard other.sum > 0 else { return }
        if other.counts.count > counts.count {
            counts += Array(repeating: 0, count: other.counts.count - counts.count)
        }
        for (bucket, count) in other.counts.enumerated() { counts[bucket] += count }
        least = sum == 0 ? other.least : min(least, other.least)
        most = max(most, other.most)
        sum += other.sum
    }
}
