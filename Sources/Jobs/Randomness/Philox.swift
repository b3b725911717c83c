/// Philox 4x32-10: a counter-based generator. Four random words are a pure function of a 128-bit counter and a 64-bit
/// key, so any example of any step can be drawn anywhere, in any order, to the same bits.
///
/// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"; constants and known answers as in Random123.
public enum Philox {
    /// The four words at `counter` under `key`.
    @inlinable
    public static func words(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var counter = counter
        var key = key
        for _ in 0..<10 {
            let product0 = UInt64(0xD251_1F53) &* UInt64(counter.x)
            let product1 = UInt64(0xCD9E_8D57) &* UInt64(counter.z)
            counter = SIMD4(
                UInt32(truncatingIfNeeded: product1 >> 32) ^ counter.y ^ key.x,
                UInt32(truncatingIfNeeded: product1),
                UInt32(truncatingIfNeeded: product0 >> 32) ^ counter.w ^ key.y,
                UInt32(truncatingIfNeeded: product0))
            key = SIMD2(key.x &+ 0x9E37_79B9, key.y &+ 0xBB67_AE85)
        }
        return counter
    }
}
