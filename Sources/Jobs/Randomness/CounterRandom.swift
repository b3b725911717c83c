/// What a random number is for. Each purpose has a stream of its own, so that adding draws to one never moves another.
public enum RandomPurpose: UInt32, Sendable, CaseIterable, Codable {
    case initialisation = 1
    case dropout = 2
    case masking = 3
    case exampleOrder = 4
    case sentencePairs = 5
    case heldOutSplit = 6
    case syntheticText = 7
    case sparsityMask = 8
    case statistics = 9
    case emulatedJitter = 10
    case emulatedLoss = 11
}

/// A stream of random numbers that is a pure function of (seed, purpose, step, example), never of the worker that draws.
public struct CounterRandom: RandomNumberGenerator, Sendable {
    private let key: SIMD2<UInt32>
    private var counter: SIMD4<UInt32>
    private var words = SIMD4<UInt32>()
    private var next32 = 4

    /// - Parameters:
    ///   - seed: the job's seed.
    ///   - purpose: what the numbers are for.
    ///   - step: the step, epoch or document that they belong to; 0 where none does.
    ///   - example: the example within it; 0 where none does.
    public init(seed: UInt64, purpose: RandomPurpose, step: UInt64 = 0, example: UInt32 = 0) {
        key = Self.key(seed: seed, purpose: purpose)
        // Word 0 counts the draws; the rest is the address of the stream.
        counter = SIMD4(
            0, example, UInt32(truncatingIfNeeded: step), UInt32(truncatingIfNeeded: step >> 32))
    }

    /// The Philox key of a purpose under a seed, for kernels that address the generator by element.
    public static func key(seed: UInt64, purpose: RandomPurpose) -> SIMD2<UInt32> {
        let mixed = Philox.words(
            counter: SIMD4(purpose.rawValue, 0, 0, 0x5741_4645),
            key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
        return SIMD2(mixed.x, mixed.y)
    }

    public mutating func next() -> UInt64 {
        let low = nextWord()
        return UInt64(low) | UInt64(nextWord()) << 32
    }

    /// The next 32 random bits.
    public mutating func nextWord() -> UInt32 {
        if next32 == 4 {
            words = Philox.words(counter: counter, key: key)
            counter.x &+= 1
            next32 = 0
        }
        defer { next32 += 1 }
        return words[next32]
    }

    /// A number in [0, 1) with 24 random bits.
    public mutating func nextUnit() -> Float {
        Float(nextWord() >> 8) * 0x1p-24
    }

    /// A number in `0..<bound` without bias (Lemire 2019, "Fast random integer generation in an interval").
    public mutating func nextIndex(below bound: Int) -> Int {
        precondition(bound > 0 && bound <= Int(UInt32.max), "a bound of \(bound) has no index below it")
        let bound32 = UInt32(bound)
        var product = UInt64(nextWord()) &* UInt64(bound32)
        if UInt32(truncatingIfNeeded: product) < bound32 {
            let threshold = (0 &- bound32) % bound32
            while UInt32(truncatingIfNeeded: product) < threshold {
                product = UInt64(nextWord()) &* UInt64(bound32)
            }
        }
        return Int(product >> 32)
    }
}
