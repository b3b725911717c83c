import Jobs

/// A document's MinHash signature: the share of equal places in two signatures estimates the Jaccard similarity of the
/// documents' sets of shingles.
///
/// One-permutation hashing (Li, Owen, Zhang 2012) with optimal densification (Shrivastava 2017, "Optimal Densification for
/// Fast and Accurate Minwise Hashing", algorithm 1): one hash a shingle, whatever the signature's length. 16 bits of each
/// minimum are kept (b-bit minwise hashing, Li and König 2010). The estimate's standard error is at most 0.044. A document
/// of so few shingles that a donor is hard to find takes the next filled place (by rotation: Shrivastava, Li 2014).
struct MinHash {
    /// Places of a signature.
    static let places = 128
    /// Bytes of a stored signature.
    static let bytes = 2 * places

    /// The least hash of each place's shingles.
    private var least = [UInt64](repeating: .max, count: places)
    private var isFilled = [Bool](repeating: false, count: places)

    /// Forgets what was added.
    mutating func reset() {
        for place in 0..<Self.places {
            least[place] = .max
            isFilled[place] = false
        }
    }

    /// Adds a shingle by its hash.
    @inline(__always)
    mutating func add(_ hash: UInt64) {
        let place = Int(hash >> 57)
        isFilled[place] = true
        least[place] = min(least[place], hash)
    }

    /// Donors that are tried: where a fifth of the places is filled, which 28 shingles do, 97 in 100 find theirs.
    private static let tries: UInt64 = 16

    /// The signature of what was added, which is at least one shingle.
    func signature() -> [UInt16] {
        let next = nextFilled
        return (0..<Self.places).map { place in
            var donor = place
            var attempt: UInt64 = 0
            // The same sequence of donors for every document, so that equal documents borrow equal values.
            while !isFilled[donor], attempt < Self.tries {
                attempt += 1
                donor = Int(WordScan.mix(UInt64(place) << 32 | attempt) >> 57)
            }
            if !isFilled[donor] { donor = next[place] }
            // Other bits for each place: a document of few words borrows the same hash everywhere, of which 16 bits would
            // not tell it from others.
            return UInt16(truncatingIfNeeded: WordScan.mix(least[donor] &+ UInt64(place) &* 0x9e37_79b9_7f4a_7c15))
        }
    }

    /// For each place the first filled one from there on, around the end.
    private var nextFilled: [Int] {
        var next = [Int](repeating: 0, count: Self.places)
        var last = isFilled.firstIndex(of: true) ?? 0
        for place in (0..<Self.places).reversed() {
            if isFilled[place] { last = place }
            next[place] = last
        }
        return next
    }

    /// The share of equal places of two stored signatures.
    static func similarity(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Double {
        var equal = 0
        for offset in stride(from: 0, to: bytes, by: 2) {
            let same =
                left.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
                == right.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
            equal += same ? 1 : 0
        }
        return Double(equal) / Double(places)
    }

    /// How signatures are cut into bands: documents that agree on all rows of a band are compared.
    struct Bands: Hashable {
        /// Places of a band.
        var rows: Int
        /// Bands of a signature.
        var count: Int { places / rows }

        /// The longest bands that find documents of `similarity` with a probability of at least 90 % (1 - (1 - s^r)^b:
        /// Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", section 3.4.2).
        init(similarity: Double) {
            func finds(_ rows: Int) -> Double {
                var agree = 1.0
                for _ in 0..<rows { agree *= similarity }
                var none = 1.0
                for _ in 0..<(places / rows) { none *= 1 - agree }
                return 1 - none
            }
            rows = [32, 16, 8, 4].first { finds($0) >= 0.9 } ?? 2
        }

        /// The key of band `band` of a stored signature.
        func key(_ signature: UnsafeRawBufferPointer, band: Int) -> UInt64 {
            var key = UInt64(band) &+ 1
            for place in (band * rows)..<((band + 1) * rows) {
                let value = signature.loadUnaligned(fromByteOffset: 2 * place, as: UInt16.self)
                key = WordScan.mix(key &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(UInt16(littleEndian: value)))
            }
            return key
        }
    }
}
