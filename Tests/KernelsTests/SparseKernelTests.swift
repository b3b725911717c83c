import Foundation
import Kernels
import Testing

/// A random mask `[rows, columns]` in all its forms.
private struct Pattern {
    let rows: Int
    let columns: Int
    let kept: [Bool]
    let starts: [UInt32]
    let indices: [UInt8]
    let words: [UInt64]

    init(rows: Int, columns: Int, kept: [Bool]) {
        (self.rows, self.columns, self.kept) = (rows, columns, kept)
        let perRow = wm_mask_words(columns)
        var words = [UInt64](repeating: 0, count: rows * perRow)
        for (index, keeps) in kept.enumerated() where keeps {
            let (row, column) = index.quotientAndRemainder(dividingBy: columns)
            words[row * perRow + column / 64] |= 1 << UInt64(column % 64)
        }
        var starts = [UInt32](repeating: 0, count: rows * perRow + 1)
        var indices = [UInt8](repeating: 0, count: max(1, wm_mask_count(words.count, words)))
        wm_sparse_pattern(rows, columns, words, &starts, &indices)
        (self.words, self.starts, self.indices) = (words, starts, indices)
    }

    static func random(rows: Int, columns: Int, density: Float, _ numbers: inout Numbers) -> Pattern {
        Pattern(rows: rows, columns: columns, kept: numbers.row(rows * columns).map { ($0 + 1) / 2 < density })
    }

    var count: Int { Int(starts[starts.count - 1]) }
    var scratch: [Float] { [Float](repeating: .nan, count: wm_sparse_scratch(rows, columns)) }

    func with<Result>(_ body: (UnsafePointer<wm_sparse>) -> Result) -> Result {
        starts.withUnsafeBufferPointer { starts in
            indices.withUnsafeBufferPointer { indices in
                guard let starts = starts.baseAddress, let indices = indices.baseAddress else {
                    preconditionFailure("neither list is ever empty")
                }
                return withUnsafePointer(
                    to: wm_sparse(rows: rows, columns: columns, starts: starts, columns_in_block: indices), body)
            }
        }
    }

    func gather(_ dense: [Float]) -> [Float] {
        var values = [Float](repeating: 0, count: max(1, count))
        with { wm_sparse_gather($0, dense, columns, 1, &values) }
        return values
    }

    func masked(_ dense: [Float]) -> [Float] { zip(dense, kept).map { $1 ? $0 : 0 } }
}

/// A dense operand `[n, m]` of random numbers, with gaps between its rows, or turned.
private struct Operand {
    var values: [Float]
    let stride: Int
    let liesTurned: Bool

    init(_ n: Int, _ m: Int, gap: Int, liesTurned: Bool, _ numbers: inout Numbers) {
        stride = (liesTurned ? n : m) + gap
        self.liesTurned = liesTurned
        values = numbers.row((liesTurned ? m : n) * stride)
    }

    func place(_ i: Int, _ j: Int) -> Int { liesTurned ? j * stride + i : i * stride + j }

    mutating func with(_ body: (wm_dense) -> Void) {
        let (stride, turned) = (stride, liesTurned ? 1 : 0)
        values.withUnsafeMutableBufferPointer {
            guard let start = $0.baseAddress else { preconditionFailure("an operand without elements") }
            body(wm_dense(start: start, stride: stride, turned: Int32(turned)))
        }
    }
}

@Suite("Kernels for sparse matrices")
struct SparseKernelTests {
    /// `y [tokens, rows] = x [tokens, columns] W^T`, without gaps.
    private func multiply(
        _ kernels: FusedKernels, _ pattern: Pattern, _ values: [Float], _ tokens: Int, _ x: inout [Float],
        _ y: inout [Float], _ scratch: inout [Float]
    ) {
        x.withUnsafeMutableBufferPointer { x in
            y.withUnsafeMutableBufferPointer { y in
                guard let x = x.baseAddress, let y = y.baseAddress else { return }
                pattern.with {
                    kernels.functions.sparse_product(
                        $0, values, tokens, wm_dense(start: x, stride: pattern.columns, turned: 0), 0,
                        wm_dense(start: y, stride: pattern.rows, turned: 0), &scratch)
                }
            }
        }
    }

    @Test("take what ReLU leaves: positive numbers, and what is no number", arguments: [1, 63, 64, 130])
    func activeMask(columns: Int) {
        let some: [Float] = [1, -1, 0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude]
        let stride = columns + 2
        let values = (0..<3 * stride).map { some[$0 % some.count] }
        var mask = [UInt64](repeating: .max, count: 3 * wm_mask_words(columns))
        wm_mask_of_active(3, columns, stride, values, &mask)
        for row in 0..<3 {
            for column in 0..<wm_mask_words(columns) * 64 {
                let bit = mask[row * wm_mask_words(columns) + column / 64] >> UInt64(column % 64) & 1
                let value = column < columns ? values[row * stride + column] : 0
                #expect((bit == 1) == (value > 0 || value.isNaN))
            }
        }
    }

    struct Size: Sendable, CustomTestStringConvertible {
        var tokens: Int
        var rows: Int
        var columns: Int
        var density: Float
        var testDescription: String { "\(tokens) tokens, [\(rows), \(columns)] at \(density)" }
    }

    // Panels of 32, 64 and 128 tokens, bands of 512 rows, blocks of 64 columns: below, at, and beyond each.
    static let sizes = [
        Size(tokens: 1, rows: 1, columns: 1, density: 1), Size(tokens: 3, rows: 5, columns: 70, density: 0.3),
        Size(tokens: 8, rows: 16, columns: 64, density: 0.5), Size(tokens: 65, rows: 33, columns: 129, density: 0.1),
        Size(tokens: 131, rows: 514, columns: 66, density: 0.25), Size(tokens: 29, rows: 48, columns: 200, density: 0),
        Size(tokens: 257, rows: 20, columns: 63, density: 1),
    ]

    @Test("multiply as a dense product with zeros does, forward and for the input's gradient", arguments: tables, sizes)
    func product(kernels: FusedKernels, size: Size) {
        var numbers = Numbers(5)
        let (tokens, rows, columns) = (size.tokens, size.rows, size.columns)
        let pattern = Pattern.random(rows: rows, columns: columns, density: size.density, &numbers)
        let weight = pattern.masked(numbers.row(rows * columns))
        let values = pattern.gather(weight)
        for (index, accumulate) in [false, true, false, true].enumerated() {
            var x = Operand(tokens, columns, gap: 3, liesTurned: index % 3 != 0, &numbers)
            var y = Operand(tokens, rows, gap: 5, liesTurned: index > 1, &numbers)
            var scratch = pattern.scratch
            var reference = y.values.map(Double.init)
            for token in 0..<tokens {
                for row in 0..<rows {
                    var sum = accumulate ? reference[y.place(token, row)] : 0
                    for column in 0..<columns {
                        sum += Double(weight[row * columns + column]) * Double(x.values[x.place(token, column)])
                    }
                    reference[y.place(token, row)] = sum
                }
            }
            pattern.with { pattern in
                x.with { x in
                    y.with { y in
                        kernels.functions.sparse_product(
                            pattern, values, tokens, x, accumulate ? 1 : 0, y, &scratch)
                    }
                }
            }
            #expect(difference(y.values, reference) < 2e-6)
        }
    }

    @Test("give the gradient of the kept weights, and add to what is there", arguments: tables, sizes)
    func gradient(kernels: FusedKernels, size: Size) {
        var numbers = Numbers(6)
        let (tokens, rows, columns) = (size.tokens, size.rows, size.columns)
        let pattern = Pattern.random(rows: rows, columns: columns, density: size.density, &numbers)
        let before = pattern.masked(numbers.row(rows * columns))
        for liesTurned in [false, true] {
            var x = Operand(tokens, columns, gap: 1, liesTurned: !liesTurned, &numbers)
            var slopes = Operand(tokens, rows, gap: 2, liesTurned: liesTurned, &numbers)
            var (entries, scratch) = (pattern.gather(before), pattern.scratch)
            pattern.with { pattern in
                x.with { x in
                    slopes.with { kernels.functions.sparse_gradient(pattern, tokens, $0, x, &entries, &scratch) }
                }
            }
            let stride = columns + 3
            var dense = [Float](repeating: 7, count: rows * stride)
            pattern.with { wm_sparse_scatter($0, entries, 0, &dense, stride) }
            var reference = before.map(Double.init)
            for index in reference.indices where pattern.kept[index] {
                let (row, column) = index.quotientAndRemainder(dividingBy: columns)
                for token in 0..<tokens {
                    reference[index] +=
                        Double(slopes.values[slopes.place(token, row)]) * Double(x.values[x.place(token, column)])
                }
            }
            let found = (0..<rows * columns).map { dense[$0 / columns * stride + $0 % columns] }
            #expect(difference(found, reference) < 2e-6)
            #expect(zip(found, pattern.kept).allSatisfy { $1 || $0 == 0 })
            #expect((0..<rows).allSatisfy { dense[$0 * stride + columns] == 7 }, "what lies between rows is left alone")
        }
    }

    @Test("multiply no zero: what masked weights would be multiplied with may be anything", arguments: tables)
    func noZeros(kernels: FusedKernels) {
        var numbers = Numbers(7)
        let (tokens, rows, columns) = (70, 12, 130)
        let kept = (0..<rows * columns).map { $0 % columns % 2 == 0 }
        let pattern = Pattern(rows: rows, columns: columns, kept: kept)
        var x = numbers.row(tokens * columns)
        for index in x.indices where index % columns % 2 == 1 { x[index] = index % 4 == 1 ? .nan : .infinity }
        var (y, scratch) = ([Float](repeating: 0, count: tokens * rows), pattern.scratch)
        let values = pattern.gather(numbers.row(rows * columns))
        multiply(kernels, pattern, values, tokens, &x, &y, &scratch)
        #expect(y.allSatisfy { $0.isFinite })
    }

    @Test("give a token the same bits whatever the others are", arguments: tables)
    func neighbours(kernels: FusedKernels) {
        var numbers = Numbers(8)
        let (tokens, rows, columns) = (150, 40, 200)
        let pattern = Pattern.random(rows: rows, columns: columns, density: 0.3, &numbers)
        let (values, x) = (pattern.gather(numbers.row(rows * columns)), numbers.row(tokens * columns))
        func product(_ range: Range<Int>) -> [Float] {
            var (y, scratch) = ([Float](repeating: 0, count: range.count * rows), pattern.scratch)
            var part = Array(x[range.lowerBound * columns..<range.upperBound * columns])
            multiply(kernels, pattern, values, range.count, &part, &y, &scratch)
            return y
        }
        let whole = product(0..<tokens)
        for range in [0..<1, 3..<70, 77..<150] {
            #expect(product(range) == Array(whole[range.lowerBound * rows..<range.upperBound * rows]))
        }
    }

    @Test(
        "lay a transposed mask out so that its entries are the dense matrix's",
        arguments: [(5, 70), (64, 64), (130, 16)])
    func transposition(size: (Int, Int)) {
        var numbers = Numbers(9)
        let (rows, columns) = size
        let pattern = Pattern.random(rows: rows, columns: columns, density: 0.4, &numbers)
        let turned = Pattern(
            rows: columns, columns: rows,
            kept: (0..<rows * columns).map { pattern.kept[$0 % rows * columns + $0 / rows] })
        var words = [UInt64](repeating: 0, count: columns * wm_mask_words(rows))
        wm_mask_transpose(rows, columns, pattern.words, &words)
        #expect(words == turned.words)
        let dense = numbers.row(rows * columns)
        var values = [Float](repeating: 0, count: turned.count)
        turned.with { wm_sparse_gather($0, dense, 1, columns, &values) }
        var back = [Float](repeating: 0, count: rows * columns)
        turned.with { wm_sparse_scatter($0, values, 0, &back, rows) }
        var masked = dense
        wm_mask_apply(rows, columns, pattern.words, &masked)
        #expect(masked == pattern.masked(dense))
        #expect(back == (0..<rows * columns).map { masked[$0 % rows * columns + $0 / rows] })
    }
}
