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

@Suite("Kernels for sparse weights")
struct SparseKernelTests {
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
        let (inputGap, outputGap) = (3, 5)
        let x = numbers.row(tokens * (columns + inputGap))
        let before = numbers.row(tokens * (rows + outputGap))
        for accumulate in [false, true] {
            var (y, scratch) = (before, pattern.scratch)
            pattern.with {
                kernels.functions.sparse_product(
                    $0, pattern.gather(weight), tokens, x, columns + inputGap, accumulate ? 1 : 0, &y,
                    rows + outputGap, &scratch)
            }
            var reference = before.map(Double.init)
            for token in 0..<tokens {
                for row in 0..<rows {
                    var sum = accumulate ? reference[token * (rows + outputGap) + row] : 0
                    for column in 0..<columns {
                        sum += Double(weight[row * columns + column]) * Double(x[token * (columns + inputGap) + column])
                    }
                    reference[token * (rows + outputGap) + row] = sum
                }
            }
            #expect(difference(y, reference) < 2e-6)
        }
    }

    @Test("give the gradient of the kept weights, and add to what is there", arguments: tables, sizes)
    func gradient(kernels: FusedKernels, size: Size) {
        var numbers = Numbers(6)
        let (tokens, rows, columns) = (size.tokens, size.rows, size.columns)
        let pattern = Pattern.random(rows: rows, columns: columns, density: size.density, &numbers)
        let (x, slopes) = (numbers.row(tokens * (columns + 1)), numbers.row(tokens * (rows + 2)))
        let before = pattern.masked(numbers.row(rows * columns))
        var (entries, scratch) = (pattern.gather(before), pattern.scratch)
        pattern.with {
            kernels.functions.sparse_gradient(
                $0, tokens, slopes, rows + 2, x, columns + 1, &entries, &scratch)
        }
        var dense = [Float](repeating: .nan, count: rows * columns)
        pattern.with { wm_sparse_scatter($0, entries, 0, &dense) }
        var reference = before.map(Double.init)
        for index in reference.indices where pattern.kept[index] {
            let (row, column) = index.quotientAndRemainder(dividingBy: columns)
            for token in 0..<tokens {
                reference[index] += Double(slopes[token * (rows + 2) + row]) * Double(x[token * (columns + 1) + column])
            }
        }
        #expect(difference(dense, reference) < 2e-6)
        #expect(zip(dense, pattern.kept).allSatisfy { $1 || $0 == 0 })
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
        pattern.with {
            kernels.functions.sparse_product(
                $0, pattern.gather(numbers.row(rows * columns)), tokens, x, columns, 0, &y, rows, &scratch)
        }
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
            let part = Array(x[range.lowerBound * columns..<range.upperBound * columns])
            pattern.with {
                kernels.functions.sparse_product($0, values, range.count, part, columns, 0, &y, rows, &scratch)
            }
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
        turned.with { wm_sparse_scatter($0, values, 0, &back) }
        var masked = dense
        wm_mask_apply(rows, columns, pattern.words, &masked)
        #expect(masked == pattern.masked(dense))
        #expect(back == (0..<rows * columns).map { masked[$0 % rows * columns + $0 / rows] })
    }
}
