import Kernels
import Testing

@Suite("Numbers of 16 bits in memory of f32")
struct HalfTests {
    /// Bits of f32: zeros, ties and their neighbours in every exponent, subnormals, the ends of the ranges, infinities, NaN.
    static let bits: [UInt32] = {
        var bits: [UInt32] = [0, 1, 2, 0x7fffff, 0x800000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fbfffff, 0x7fc00000]
        bits += [0x7fff_ffff, 0x7fc0_1fff, 0x477f_e000, 0x477f_efff, 0x477f_f000, 0x477f_f001, 0x4780_0000]
        for exponent in UInt32(0)..<255 {
            // Around a tie of 8 bits after an even and an odd number, of 11 bits, and a carry into the exponent.
            for mantissa in [0, 1, 0x7fff, 0x8000, 0x8001, 0x1_7fff, 0x1_8000, 0x1_8001, 0xfff, 0x1000, 0x1001, 0x2fff]
                + [0x3000, 0x3001, 0x7f_ffff, 0x7f_8000, 0x7f_7fff, 0x7f_f000, 0x7f_efff] as [UInt32]
            { bits.append(exponent << 23 | mantissa) }
        }
        var numbers = Numbers(7)
        bits += (0..<2_000).map { _ in UInt32(truncatingIfNeeded: numbers.next() >> 13) }
        return bits + bits.map { $0 | 0x8000_0000 }
    }()

    static let scales: [Float] = [1, 1_024, 64, 0.25]

    /// The nearest of the two neighbours of `value` that have `precision` significant bits and no bit below `lowest`, ties to
    /// the even one, by exact arithmetic in Double.
    private func nearest(_ value: Float, precision: Int, lowest: Int, largest: Double) -> Double {
        let exact = Double(value)
        guard exact != 0, exact.isFinite else { return exact }
        // The exponent of the last bit that is kept.
        let last = max(Int(exact.exponent) - precision + 1, lowest)
        let unit = Double(sign: .plus, exponent: last, significand: 1)
        let rounded = (exact / unit).rounded(.toNearestOrEven) * unit
        let magnitude = abs(rounded) > largest ? Double.infinity : abs(rounded)
        return Double(signOf: exact, magnitudeOf: magnitude)
    }

    private func expected(_ value: Float, _ half: Vector.Half) -> Double {
        switch half {
        case .bfloat16:
            return nearest(value, precision: 8, lowest: -133, largest: Double(half.largest))
        case .float16(let scale):
            let exponent = Int(scale.exponent)
            return nearest(value, precision: 11, lowest: -24 - exponent, largest: Double(half.largest))
        }
    }

    private func check(_ found: [Float], _ values: [Float], _ half: Vector.Half, _ table: FusedKernels) {
        for (found, value) in zip(found, values) {
            if value.isNaN {
                #expect(found.isNaN, "\(value) \(table)")
            } else {
                let expected = expected(value, half)
                #expect(Double(found) == expected && found.sign == value.sign, "\(value) \(half) \(table)")
            }
        }
    }

    @Test("bfloat16: every number becomes the nearest, ties the even one, by every table")
    func bfloat16() {
        let values = Self.bits.map(Float.init(bitPattern:))
        for table in tables {
            var rounded = values
            table.functions.round_bf16(rounded.count, &rounded)
            check(rounded, values, .bfloat16, table)
            #expect(rounded.allSatisfy { $0.bitPattern & 0xffff == 0 })
        }
    }

    @Test("float16: every number becomes the nearest, beyond 65,504 over the scale infinity", arguments: scales)
    func float16(scale: Float) {
        // Times the scale, numbers near the end of f32 are none of f32.
        let values = Self.bits.map(Float.init(bitPattern:))
        for table in tables {
            var rounded = values
            table.functions.round_f16(rounded.count, scale, &rounded)
            check(rounded, values, .float16(scale: scale), table)
        }
        #expect(Vector.Half.float16(scale: scale).largest == 65_504 / scale)
    }

    // Swift has no Float16 on Intel Macs.
    #if os(Linux) || arch(arm64)
        @Test("float16: rounds as Swift's own Float16 does")
        func standardType() {
            var values = Self.bits.map(Float.init(bitPattern:)).filter { !$0.isNaN }
            let expected = values.map { Float(Float16($0)) }
            Vector.round(&values, count: values.count, to: .float16(scale: 1))
            #expect(values.map(\.bitPattern) == expected.map(\.bitPattern))
        }
    #endif

    static let halves: [Vector.Half] = [.bfloat16] + scales.map(Vector.Half.float16)

    @Test("16 bits and back lose nothing of what was rounded, at any count and address", arguments: halves)
    func packing(half: Vector.Half) {
        var all = Self.bits.map(Float.init(bitPattern:))
        Vector.round(&all, count: all.count, to: half)
        for table in tables {
            for (first, count) in [(0, all.count), (1, 16), (3, 17), (5, 1), (2, 31), (7, 1_000)] {
                let values = Array(all[first..<first + count])
                // One element in, so that neither lies at a multiple of a vector.
                var packed = [UInt16](repeating: 0xaaaa, count: count + 2)
                var unpacked = [Float](repeating: -7, count: count + 2)
                packed.withUnsafeMutableBufferPointer { packed in
                    unpacked.withUnsafeMutableBufferPointer { unpacked in
                        guard let packed = packed.baseAddress, let unpacked = unpacked.baseAddress else { return }
                        switch half {
                        case .bfloat16:
                            table.functions.pack_bf16(count, values, packed + 1)
                            table.functions.unpack_bf16(count, packed + 1, unpacked + 1)
                        case .float16(let scale):
                            table.functions.pack_f16(count, scale, values, packed + 1)
                            table.functions.unpack_f16(count, scale, packed + 1, unpacked + 1)
                        }
                    }
                }
                let back = Array(unpacked[1...count])
                let isEqual = zip(back, values).allSatisfy { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN }
                #expect(isEqual, "\(table) \(first) \(count)")
                #expect(packed[0] == 0xaaaa && packed[count + 1] == 0xaaaa)
                #expect(unpacked[0] == -7 && unpacked[count + 1] == -7)
            }
        }
    }

    @Test("sums are rounded once, to the same bits by every table", arguments: halves, [1, 15, 16, 17, 1_000])
    func sums(half: Vector.Half, count: Int) {
        var numbers = Numbers(3)
        let (left, right) = (numbers.row(count), numbers.row(count, times: 3))
        let exact = zip(left, right).map { $0 + $1 }
        for table in tables {
            var sum = [Float](repeating: .nan, count: count)
            var added = left
            switch half {
            case .bfloat16:
                table.functions.sum_bf16(count, left, right, &sum)
                table.functions.add_bf16(count, right, &added)
            case .float16(let scale):
                table.functions.sum_f16(count, scale, left, right, &sum)
                table.functions.add_f16(count, scale, right, &added)
            }
            #expect(sum.map(\.bitPattern) == added.map(\.bitPattern), "\(table)")
            check(sum, exact, half, table)
        }
    }
}
