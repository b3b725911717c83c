/// The largest of a list of keys, equal ones by their place: the same choice whoever makes it.
struct LargestKeys {
    /// Keys above it are among the largest; of those equal to it, the first `ties`.
    private let threshold: UInt32
    private var ties: Int

    /// The `count` largest of `keys`. Two passes of counting, by the upper and by the lower halves of the keys.
    init(_ count: Int, of keys: UnsafeBufferPointer<UInt32>) {
        precondition(count >= 0 && count <= keys.count, "\(count) of \(keys.count) keys")
        guard count > 0 else {
            (threshold, ties) = (.max, 0)
            return
        }
        var counts = [Int](repeating: 0, count: 1 << 16)
        for key in keys { counts[Int(key >> 16)] += 1 }
        let (upper, left) = Self.place(of: count, in: counts)
        counts = [Int](repeating: 0, count: 1 << 16)
        for key in keys where Int(key >> 16) == upper { counts[Int(key & 0xffff)] += 1 }
        let (lower, ties) = Self.place(of: left, in: counts)
        (threshold, self.ties) = (UInt32(upper) << 16 | UInt32(lower), ties)
    }

    /// The bin, from above, in which the `count`th key is, and how many of that bin are needed.
    private static func place(of count: Int, in counts: [Int]) -> (bin: Int, needed: Int) {
        var left = count
        for bin in counts.indices.reversed() {
            if counts[bin] >= left { return (bin, left) }
            left -= counts[bin]
        }
        preconditionFailure("more keys wanted than there are")
    }

    /// Whether the next key is among the largest. Asked for every key, in order.
    mutating func takes(_ key: UInt32) -> Bool {
        if key > threshold { return true }
        guard key == threshold, ties > 0 else { return false }
        ties -= 1
        return true
    }
}
