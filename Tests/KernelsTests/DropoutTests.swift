import Kernels
import Testing

@Suite("Dropout masks")
struct DropoutTests {
    @Test("every table draws the reference's mask", arguments: tables, [1, 16, 127, 128, 129, 768])
    func masks(kernels: FusedKernels, width: Int) {
        var row = [Float](repeating: -1, count: width)
        kernels.functions.dropout_row(someDropout, 41, 13, width, &row)
        let reference = (0..<width).map {
            MaskReference.factor(someDropout, example: 41, row: 13, groups: (width + 127) / 128, element: $0)
        }
        #expect(row.map(Double.init) == reference)
    }

    @Test("the reference's generator is Philox 4x32-10")
    func knownAnswer() {
        // Random123's known answer for counter and key of pi's digits.
        let words = MaskReference.words(
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], (0xa409_3822, 0x299f_31d0))
        #expect(words == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
    }

    @Test("the share of dropped elements is the probability, and rows differ")
    func share() {
        var dropped = 0
        var rows: Set<[Float]> = []
        for index in 0..<64 {
            var row = [Float](repeating: 0, count: 1024)
            FusedKernels.active.functions.dropout_row(someDropout, UInt32(index), 3, 1024, &row)
            dropped += row.count { $0 == 0 }
            rows.insert(row)
        }
        // 13107 / 65536 = 0.2; five standard deviations of 65536 draws are 0.008.
        #expect(abs(Double(dropped) / 65536 - 0.2) < 0.008)
        #expect(rows.count == 64)
    }
}
