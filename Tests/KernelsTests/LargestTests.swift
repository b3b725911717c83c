import Kernels
import Testing

@Suite("The largest numbers of a block, and sums without their zeros")
struct LargestTests {
    /// By sorting: largest magnitudes first, of equal ones the first.
    private func reference(_ gradient: [Float], _ residual: [Float], kept: Int) -> (given: [Float], held: [Float]) {
        let sums = zip(residual, gradient).map { $0 + $1 }
        let order = sums.indices.sorted {
            let (a, b) = (sums[$0].bitPattern & 0x7fff_ffff, sums[$1].bitPattern & 0x7fff_ffff)
            return a != b ? a > b : $0 < $1
        }
        var given = [Float](repeating: 0, count: sums.count)
        var held = sums
        for index in order.prefix(kept) {
            given[index] = sums[index]
            held[index] = 0
        }
        return (given, held)
    }

    /// Blocks of every kind: distinct numbers, many ties, mostly zeros, infinities and NaN among them.
    static let blocks: [[Float]] = {
        var numbers = Numbers(11)
        let distinct = numbers.row(1_024)
        let ties = distinct.map { ($0 * 4).rounded() }
        let zeros = distinct.enumerated().map { $0 % 97 == 0 ? $1 : 0 }
        var special = Array(distinct.prefix(100))
        special[3] = .nan
        special[50] = -.infinity
        special[51] = .infinity
        special[52] = -0.0
        return [distinct, ties, zeros, special, Array(repeating: 1, count: 33), [2], Array(repeating: 0, count: 17)]
            + [[0x1p-149, -0x1p-149, 0, 0x1p-126, 0x1p-127]]
    }()

    @Test("are those that sorting finds, by every table", arguments: 0..<blocks.count)
    func largest(index: Int) {
        let block = Self.blocks[index]
        var numbers = Numbers(13)
        for residual in [[Float](repeating: 0, count: block.count), numbers.row(block.count, times: 0.1)] {
            for kept in Set([1, 2, block.count / 20, block.count / 2, block.count])
            where (1...block.count).contains(kept) {
                let (given, held) = reference(block, residual, kept: kept)
                for table in tables {
                    var (gradient, rest) = (block, residual)
                    table.functions.keep_largest(block.count, kept, &gradient, &rest)
                    func same(_ found: [Float], _ expected: [Float]) -> Bool {
                        zip(found, expected).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
                    }
                    #expect(same(gradient, given) && same(rest, held), "\(kept) of \(block.count), \(table)")
                }
            }
        }
    }

    @Test(
        "nothing is lost: what is given and what is held back are the sum, each zero in the other",
        arguments: [1, 1_023, 1_024, 5_000])
    func conservation(count: Int) {
        var numbers = Numbers(17)
        let (before, held) = (numbers.row(count), numbers.row(count))
        var (gradient, residual) = (before, held)
        Vector.keepLargest(&gradient, residual: &residual, count: count, density: 0.05)
        for index in 0..<count {
            #expect(gradient[index] == 0 || residual[index] == 0)
            #expect(gradient[index] + residual[index] == held[index] + before[index])
        }
        let blocks = stride(from: 0, to: count, by: Vector.largestBlock).map { min(Vector.largestBlock, count - $0) }
        let due = blocks.reduce(0) { $0 + Int((0.05 * Double($1)).rounded(.up)) }
        #expect(gradient.filter { $0 != 0 }.count == due)
    }

    @Test("a sum comes back to the bit, -0 and NaN too", arguments: [1, 63, 64, 65, 128, 4_097])
    func packing(count: Int) {
        var numbers = Numbers(19)
        var values = numbers.row(count).enumerated().map { $0 % 9 == 0 ? $1 : 0 }
        values[count - 1] = count % 2 == 0 ? -0.0 : Float(bitPattern: 0x7fc0_1234)
        // Neither the packing nor the values lie at a multiple of anything.
        var packed = [UInt8](repeating: 0, count: 4 * count + 8)
        var back = [Float](repeating: 1, count: count + 1)
        packed.withUnsafeMutableBytes { packed in
            let packed = UnsafeMutableRawBufferPointer(rebasing: packed[3...])
            back.withUnsafeMutableBufferPointer { back in
                guard let start = packed.baseAddress, let target = back.baseAddress else { return }
                guard let used = Vector.packNonZeros(of: values, count: count, into: start) else { return }
                #expect(used < 4 * count)
                let bytes = UnsafeRawBufferPointer(rebasing: packed[..<used])
                #expect(Vector.unpackNonZeros(bytes, into: target + 1, count: count))
                #expect(
                    !Vector.unpackNonZeros(
                        UnsafeRawBufferPointer(rebasing: bytes.dropLast(4)), into: target + 1, count: count))
                #expect(
                    !Vector.unpackNonZeros(
                        UnsafeRawBufferPointer(rebasing: packed[..<(used + 4)]), into: target + 1, count: count))
                #expect(Vector.unpackNonZeros(bytes, into: target + 1, count: count))
            }
        }
        if count >= 63 { #expect(back.dropFirst().map(\.bitPattern) == values.map(\.bitPattern)) }
    }

    @Test("a sum of few zeros is left as it is")
    func dense() {
        let values = [Float](repeating: 1, count: 640)
        var packed = [UInt8](repeating: 0, count: 4 * 640)
        #expect(Vector.packNonZeros(of: values, count: 640, into: &packed) == nil)
    }

    @Test("bytes that are no packing are refused")
    func hostile() {
        var values = [Float](repeating: 0, count: 10)
        // A bit beyond the last number; too few bytes for the words; half a number.
        let beyond: [UInt8] = [0, 4, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]
        for bytes in [beyond, [0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0, 1, 2]] {
            bytes.withUnsafeBytes { #expect(!Vector.unpackNonZeros($0, into: &values, count: 10)) }
        }
        [UInt8]().withUnsafeBytes { #expect(!Vector.unpackNonZeros($0, into: &values, count: 10)) }
    }
}
