/// Names an example by a number whose sums tell which examples were used: the sum, modulo 2^64, over an epoch is the same
/// in whatever order its examples came, and another one where any was left out or came twice (but for one chance in 2^64).
public enum ExampleChecksum {
    /// The number of example `number` of those with `sequence` tokens. The mixing is that of SplitMix64 (Steele, Lea and
    /// Flood 2014).
    public static func of(number: Int, sequence: Int) -> UInt64 {
        var hash =
            UInt64(bitPattern: Int64(number)) &+ UInt64(bitPattern: Int64(sequence)) << 40 &+ 0x9e37_79b9_7f4a_7c15
        hash = (hash ^ hash >> 30) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ hash >> 27) &* 0x94d0_49bb_1331_11eb
        return hash ^ hash >> 31
    }

    /// The sum over the first `count` examples of `sequence` tokens: what a whole epoch amounts to.
    public static func epoch(count: Int, sequence: Int) -> UInt64 {
        (0..<count).reduce(0) { $0 &+ of(number: $1, sequence: sequence) }
    }
}
