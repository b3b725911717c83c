import Jobs
import Testing

@Suite("The counter-based generator")
struct PhiloxTests {
    // The known answers of Random123 1.14, tests/kat_vectors, "philox4x32 10".
    @Test(
        "gives the known answers of Random123",
        arguments: [
            (
                SIMD4<UInt32>(repeating: 0), SIMD2<UInt32>(repeating: 0),
                SIMD4<UInt32>(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)
            ),
            (
                SIMD4<UInt32>(repeating: .max), SIMD2<UInt32>(repeating: .max),
                SIMD4<UInt32>(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
            ),
            (
                SIMD4<UInt32>(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
                SIMD2<UInt32>(0xa409_3822, 0x299f_31d0),
                SIMD4<UInt32>(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
            ),
        ])
    func knownAnswers(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, expected: SIMD4<UInt32>) {
        #expect(Philox.words(counter: counter, key: key) == expected)
    }

    @Test("a stream is the same wherever it is drawn")
    func streamIsAPureFunctionOfItsAddress() {
        var first = CounterRandom(seed: 7, purpose: .masking, step: 3, example: 11)
        var second = CounterRandom(seed: 7, purpose: .masking, step: 3, example: 11)
        for _ in 0..<100 { #expect(first.next() == second.next()) }
    }

    @Test("streams of different addresses differ")
    func streamsDiffer() {
        func head(_ seed: UInt64, _ purpose: RandomPurpose, _ step: UInt64, _ example: UInt32) -> UInt64 {
            var random = CounterRandom(seed: seed, purpose: purpose, step: step, example: example)
            return random.next()
        }
        let heads = [
            head(1, .masking, 0, 0), head(2, .masking, 0, 0), head(1, .dropout, 0, 0), head(1, .masking, 1, 0),
            head(1, .masking, 1 << 40, 0), head(1, .masking, 0, 1),
        ]
        #expect(Set(heads).count == heads.count)
    }

    @Test("indices are spread evenly and stay below their bound", arguments: [1, 2, 3, 10, 1_000])
    func indicesAreEven(bound: Int) {
        var random = CounterRandom(seed: 5, purpose: .exampleOrder)
        var counts = [Int](repeating: 0, count: bound)
        let draws = 100 * bound
        for _ in 0..<draws { counts[random.nextIndex(below: bound)] += 1 }
        // Each count is binomial with mean 100; six standard deviations are about 60.
        #expect(counts.allSatisfy { bound == 1 || (40...160).contains($0) })
    }
}
