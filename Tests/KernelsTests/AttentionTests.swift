import Foundation
import Kernels
import Testing

@Suite("Attention agrees with a plain reference")
struct AttentionTests {
    @Test(
        "forward and backward, all queries or some, with and without dropout", arguments: tables,
        [(1, 4), (2, 12), (7, 16), (49, 20), (130, 64), (200, 33)])
    func attention(kernels: FusedKernels, size: (Int, Int)) {
        let (n, d) = size
        for dropout in [noDropout, someDropout] {
            for queries in [Array(0..<n), Array(stride(from: n / 3, to: n, by: 3)), []] {
                check(kernels, n, d, queries, dropout)
            }
        }
    }

    private func check(_ kernels: FusedKernels, _ n: Int, _ d: Int, _ queries: [Int], _ dropout: wm_dropout) {
        let stride = 3 * d + 5
        var numbers = Numbers(UInt64(n))
        let rows = numbers.row(n * stride, times: 1.5)
        let bias = numbers.row(3 * d)
        let slope = numbers.row(n * d)
        func atQueries(_ values: [Float], _ width: Int) -> [Float] {
            queries.flatMap { values[$0 * width..<$0 * width + d] } + [0]
        }
        let (query, querySlope) = (atQueries(rows, stride), atQueries(slope, d))
        let scratch = FloatBuffer(count: FusedKernels.attentionScratch(length: n, width: d))
        // What an earlier call left in scratch must not matter.
        scratch.buffer.update(repeating: .nan)
        var context = [Float](repeating: 0, count: querySlope.count)
        var queryGradient = context
        var logSum = [Float](repeating: 0, count: queries.count + 1)
        var gradient = [Float](repeating: 0, count: n * stride)
        let positions = queries.map { UInt32($0) } + [0]
        positions.withUnsafeBufferPointer { positions in
            rows.withUnsafeBufferPointer { rows in
                bias.withUnsafeBufferPointer { bias in
                    gradient.withUnsafeMutableBufferPointer { gradient in
                        guard let x = rows.baseAddress, let b = bias.baseAddress, let g = gradient.baseAddress,
                            let positions = positions.baseAddress
                        else { return }
                        let shape = wm_attention(
                            length: n, queries: queries.count, positions_of_queries: positions, width: d,
                            query_stride: d, stride: stride, context_stride: d, example: 9, head: 3, row_groups: 2,
                            positions: 256, scale: 1 / Float(d).squareRoot(), scratch: scratch.pointer)
                        kernels.functions.attention(
                            shape, dropout, query, x + d, x + 2 * d, b, b + d, b + 2 * d, &context, &logSum)
                        kernels.functions.attention_backward(
                            shape, dropout, query, x + d, x + 2 * d, b, b + d, b + 2 * d, context, querySlope, logSum,
                            &queryGradient, g + d, g + 2 * d)
                    }
                }
            }
        }

        let isQuery = Set(queries)
        let readSlope = slope.indices.map { isQuery.contains($0 / d) ? slope[$0] : 0 }
        let reference = AttentionReference(n, d, stride, rows, bias, readSlope) { row, column in
            MaskReference.factor(dropout, example: 9, row: 3 * 256 + row, groups: 2, element: column)
        }
        func atQueries(_ values: [Double]) -> [Double] { queries.flatMap { values[$0 * d..<($0 + 1) * d] } }
        #expect(difference(context.dropLast(), atQueries(reference.context)) < 3e-6)
        #expect(difference(queryGradient.dropLast(), atQueries(reference.gradients[0])) < 1e-5)
        for part in 1..<3 {
            let found = (0..<n).flatMap { row in (0..<d).map { gradient[row * stride + part * d + $0] } }
            #expect(difference(found, reference.gradients[part]) < 1e-5)
        }
    }
}

/// softmax(Q K^T / sqrt(d)) with a mask, times V, and its gradients, in double.
private struct AttentionReference {
    var context: [Double]
    var gradients: [[Double]]

    init(
        _ n: Int, _ d: Int, _ stride: Int, _ rows: [Float], _ bias: [Float], _ slope: [Float],
        mask: (Int, Int) -> Double
    ) {
        func part(_ which: Int) -> [Double] {
            (0..<n * d).map { Double(rows[$0 / d * stride + which * d + $0 % d]) + Double(bias[which * d + $0 % d]) }
        }
        let (q, k, v) = (part(0), part(1), part(2))
        let scale = 1 / Double(d).squareRoot()
        context = [Double](repeating: 0, count: n * d)
        gradients = Array(repeating: context, count: 3)
        for i in 0..<n {
            let scores = (0..<n).map { j in (0..<d).reduce(0) { $0 + q[i * d + $1] * k[j * d + $1] } * scale }
            let top = scores.max() ?? 0
            let exponentials = scores.map { exp($0 - top) }
            let total = exponentials.reduce(0, +)
            let p = exponentials.map { $0 / total }
            let m = (0..<n).map { mask(i, $0) }
            let dp = (0..<n).map { j in (0..<d).reduce(0) { $0 + Double(slope[i * d + $1]) * v[j * d + $1] } * m[j] }
            let centre = zip(p, dp).reduce(0) { $0 + $1.0 * $1.1 }
            for j in 0..<n {
                let ds = p[j] * (dp[j] - centre) * scale
                for c in 0..<d {
                    context[i * d + c] += p[j] * m[j] * v[j * d + c]
                    gradients[0][i * d + c] += ds * k[j * d + c]
                    gradients[1][j * d + c] += ds * q[i * d + c]
                    gradients[2][j * d + c] += p[j] * m[j] * Double(slope[i * d + c])
                }
            }
        }
    }
}
