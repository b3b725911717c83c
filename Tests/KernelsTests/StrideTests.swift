import Kernels
import Testing

/// A matrix with `gap` floats after each row, all set to a mark.
private struct Gapped {
    let rows: Int
    let width: Int
    let gap: Int
    var values: [Float]
    private static let mark: Float = 12345

    init(_ dense: [Float], width: Int, gap: Int) {
        rows = dense.count / width
        self.width = width
        self.gap = gap
        values = (0..<rows).flatMap {
            dense[$0 * width..<($0 + 1) * width] + [Float](repeating: Self.mark, count: gap)
        }
    }

    var stride: Int { width + gap }
    var dense: [Float] { (0..<rows).flatMap { Array(values[$0 * stride..<$0 * stride + width]) } }
    var gapsAreLeftAlone: Bool {
        (0..<rows).allSatisfy { row in
            values[row * stride + width..<(row + 1) * stride].allSatisfy { $0 == Self.mark }
        }
    }
}

@Suite("Kernels over rows compute the same bits whatever lies between the rows, and leave it alone")
struct StrideTests {
    @Test(arguments: tables, [(1, 1), (3, 7), (6, 33), (9, 131)])
    func rowsApart(kernels: FusedKernels, size: (Int, Int)) {
        let (rows, width) = size
        var numbers = Numbers(11)
        let (a, b, c) = (numbers.row(rows * width), numbers.row(rows * width), numbers.row(rows * width))
        let vector = numbers.row(width)

        func outcome(gap: Int) -> [[Float]] {
            var (x, y, z) = (
                Gapped(a, width: width, gap: gap), Gapped(b, width: width, gap: gap),
                Gapped(c, width: width, gap: gap)
            )
            let stride = x.stride
            var (sums, shifts, biases) = (vector, vector, vector)
            var (mean, deviation) = ([Float](repeating: 0, count: rows), [Float](repeating: 0, count: rows))
            let table = kernels.functions
            table.add_bias(rows, width, stride, vector, &x.values)
            table.bias_gelu(rows, width, stride, vector, &x.values, &y.values)
            table.gelu_backward(rows, width, stride, &x.values, &y.values, &sums)
            table.bias_tanh(rows, width, stride, vector, &x.values)
            table.tanh_backward(rows, width, stride, x.values, &y.values, &sums)
            table.column_sum(rows, width, stride, y.values, &sums)
            TokenRows(rows).with { tokens in
                table.residual_norm(
                    tokens, width, stride, vector, y.values, vector, vector, 1e-5, someDropout, &x.values, &z.values,
                    &mean, &deviation)
                table.residual_norm_backward(
                    tokens, width, stride, z.values, x.values, vector, mean, deviation, someDropout, &y.values,
                    &z.values, &sums, &shifts, &biases)
                table.embed_backward(
                    tokens, width, stride, &y.values, x.values, vector, mean, deviation, someDropout, &sums, &shifts)
            }
            for matrix in [x, y, z] { #expect(matrix.gapsAreLeftAlone) }
            return [x.dense, y.dense, z.dense, sums, shifts, biases, mean, deviation]
        }
        let dense = outcome(gap: 0)
        for gap in [1, 16] { #expect(outcome(gap: gap).map(bits) == dense.map(bits)) }
    }

    private func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }
}
