import Foundation
import Kernels
import Testing

private let sizes = [(1, 1), (3, 7), (2, 16), (5, 33), (7, 64), (9, 131), (4, 256)]

@Suite("Kernels over rows agree with plain references at odd sizes")
struct RowKernelTests {
    private func gelu(_ x: Double) -> Double { x * 0.5 * (1 + erf(x / 2.0.squareRoot())) }
    private func geluSlope(_ x: Double) -> Double {
        0.5 * (1 + erf(x / 2.0.squareRoot())) + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
    }

    @Test("bias and GELU forward", arguments: tables, sizes)
    func biasGELU(kernels: FusedKernels, size: (Int, Int)) {
        let (rows, width) = size
        var numbers = Numbers(1)
        let bias = numbers.row(width)
        let before = numbers.row(rows * width, times: 4)
        var pre = before
        var activation = [Float](repeating: 0, count: rows * width)
        kernels.functions.bias_gelu(rows, width, width, bias, &pre, &activation)
        let sums = before.indices.map { Double(before[$0] + bias[$0 % width]) }
        #expect(difference(pre, sums) == 0)
        #expect(difference(activation, sums.map(gelu)) < 3e-7)
    }

    @Test("GELU backward gives the slope, GELU itself and the bias gradient", arguments: tables, sizes)
    func geluBackward(kernels: FusedKernels, size: (Int, Int)) {
        let (rows, width) = size
        var numbers = Numbers(2)
        let x = numbers.row(rows * width, times: 4)
        let dy = numbers.row(rows * width)
        var pre = x
        var gradient = dy
        var bias = [Float](repeating: 1, count: width)
        kernels.functions.gelu_backward(rows, width, width, &pre, &gradient, &bias)
        let slopes = x.indices.map { Double(dy[$0]) * geluSlope(Double(x[$0])) }
        #expect(difference(pre, x.map { gelu(Double($0)) }) < 3e-7)
        #expect(difference(gradient, slopes) < 5e-7)
        #expect(difference(bias, columnSums(slopes, width, from: 1)) < 1e-6)
    }

    @Test("ReLU forward and backward", arguments: tables, sizes)
    func relu(kernels: FusedKernels, size: (Int, Int)) {
        let (rows, width) = size
        var numbers = Numbers(12)
        var (pre, bias) = (numbers.row(rows * width), numbers.row(width))
        pre[0] = -bias[0]
        let sums = pre.indices.map { pre[$0] + bias[$0 % width] }
        var activation = [Float](repeating: 9, count: rows * width)
        kernels.functions.bias_relu(rows, width, width, bias, &pre, &activation)
        #expect(pre == sums && activation == sums.map { max($0, 0) })
        let dy = numbers.row(rows * width)
        var gradient = dy
        bias = [Float](repeating: 1, count: width)
        kernels.functions.relu_backward(rows, width, width, &pre, &gradient, &bias)
        let slopes = zip(sums, dy).map { $0 > 0 ? $1 : 0 }
        #expect(pre == activation && gradient == slopes)
        #expect(difference(bias, columnSums(slopes.map(Double.init), width, from: 1)) < 1e-6)
    }

    @Test("tanh forward and backward", arguments: tables, sizes)
    func hyperbolicTangent(kernels: FusedKernels, size: (Int, Int)) {
        let (rows, width) = size
        var numbers = Numbers(3)
        let bias = numbers.row(width)
        let x = numbers.row(rows * width, times: 2)
        var values = x
        kernels.functions.bias_tanh(rows, width, width, bias, &values)
        #expect(difference(values, x.indices.map { tanh(Double(x[$0] + bias[$0 % width])) }) < 3e-7)
        let dy = numbers.row(rows * width)
        var gradient = dy
        var sums = [Float](repeating: 0, count: width)
        kernels.functions.tanh_backward(rows, width, width, values, &gradient, &sums)
        let slopes = values.indices.map { Double(dy[$0]) * (1 - Double(values[$0]) * Double(values[$0])) }
        #expect(difference(gradient, slopes) < 5e-7)
        #expect(difference(sums, columnSums(slopes, width, from: 0)) < 1e-6)
    }

    @Test("added biases and column sums", arguments: tables, sizes)
    func columns(kernels: FusedKernels, size: (Int, Int)) {
        let (rows, width) = size
        var numbers = Numbers(4)
        let bias = numbers.row(width)
        let x = numbers.row(rows * width)
        var values = x
        kernels.functions.add_bias(rows, width, width, bias, &values)
        #expect(difference(values, x.indices.map { Double(x[$0] + bias[$0 % width]) }) == 0)
        var sums = [Float](repeating: 2, count: width)
        kernels.functions.column_sum(rows, width, width, x, &sums)
        #expect(difference(sums, columnSums(x.map(Double.init), width, from: 2)) < 1e-6)
    }

    @Test("dropout, residual and layer norm forward and backward", arguments: tables, sizes)
    func residualNorm(kernels: FusedKernels, size: (Int, Int)) {
        let (rows, width) = size
        for dropout in [noDropout, someDropout] {
            var numbers = Numbers(5)
            let (bias, weight, shift) = (numbers.row(width), numbers.row(width), numbers.row(width))
            let (x, residual, dy) = (numbers.row(rows * width), numbers.row(rows * width), numbers.row(rows * width))
            let tokens = TokenRows(rows)
            let mask = x.indices.map { index in
                MaskReference.factor(
                    dropout, example: tokens.examples[index / width], row: Int(tokens.positions[index / width]),
                    groups: (width + 127) / 128, element: index % width)
            }
            var sum = x
            var (normalised, dx, inner) = (x, x, x)
            var (mean, deviation) = ([Float](repeating: 0, count: rows), [Float](repeating: 0, count: rows))
            let zeros = [Float](repeating: 0, count: width)
            var (weightSums, shiftSums, biasSums) = (zeros, zeros, zeros)
            tokens.with { tokens in
                kernels.functions.residual_norm(
                    tokens, width, width, bias, residual, weight, shift, 1e-5, dropout, &sum, &normalised, &mean,
                    &deviation)
                kernels.functions.residual_norm_backward(
                    tokens, width, width, dy, sum, weight, mean, deviation, dropout, &dx, &inner,
                    &weightSums, &shiftSums, &biasSums)
            }

            let sumReference = x.indices.map {
                (Double(x[$0]) + Double(bias[$0 % width])) * mask[$0] + Double(residual[$0])
            }
            #expect(difference(sum, sumReference) < 1e-6)
            let reference = NormReference(sum.map(Double.init), width, weight, shift, dy)
            #expect(difference(normalised, reference.normalised) < 3e-6)
            #expect(difference(dx, reference.gradient) < 2e-5)
            let masked = zip(reference.gradient, mask).map { $0 * $1 }
            #expect(difference(inner, masked) < 2e-5)
            #expect(difference(weightSums, reference.weightGradient) < 1e-5)
            #expect(difference(shiftSums, columnSums(dy.map(Double.init), width, from: 0)) < 1e-6)
            if width > 1 { #expect(difference(biasSums, columnSums(masked, width, from: 0)) < 2e-5) }
        }
    }

    @Test("embeddings: sum, norm and dropout, and back", arguments: tables, sizes)
    func embeddings(kernels: FusedKernels, size: (Int, Int)) {
        let (rows, width) = size
        var numbers = Numbers(6)
        let (word, position, type) = (numbers.row(11 * width), numbers.row(7 * width), numbers.row(2 * width))
        let (weight, shift, dy) = (numbers.row(width), numbers.row(width), numbers.row(rows * width))
        let ids = (0..<rows).map { Int32(($0 * 5) % 11) }
        let types = (0..<rows).map { UInt8($0 % 2) }
        let tokens = TokenRows(rows)
        var sum = [Float](repeating: 0, count: rows * width)
        var normalised = sum
        var (mean, deviation) = ([Float](repeating: 0, count: rows), [Float](repeating: 0, count: rows))
        let zeros = [Float](repeating: 0, count: width)
        var (weightSums, shiftSums) = (zeros, zeros)
        var gradient = dy
        func empty(like row: [Float]) -> [Float] { [Float](repeating: 0, count: row.count) }
        var (words, positions, kinds) = (empty(like: word), empty(like: position), empty(like: type))
        tokens.with { tokens in
            kernels.functions.embed(
                tokens, width, width, ids, types, word, position, type, weight, shift, 1e-5, someDropout, &sum,
                &normalised,
                &mean, &deviation)
            kernels.functions.embed_backward(
                tokens, width, width, &gradient, sum, weight, mean, deviation, someDropout, &weightSums, &shiftSums)
            kernels.functions.embed_scatter(
                tokens, width, width, ids, types, gradient, &words, &positions, &kinds)
        }

        let mask = dy.indices.map { index in
            MaskReference.factor(
                someDropout, example: tokens.examples[index / width], row: Int(tokens.positions[index / width]),
                groups: (width + 127) / 128, element: index % width)
        }
        let masked = zip(dy, mask).map { Float(Double($0) * $1) }
        let reference = NormReference(sum.map(Double.init), width, weight, shift, masked)
        #expect(difference(normalised, zip(reference.normalised, mask).map { $0 * $1 }) < 3e-6)
        #expect(difference(gradient, reference.gradient) < 2e-5)
        #expect(difference(weightSums, reference.weightGradient) < 1e-5)
        #expect(difference(shiftSums, columnSums(masked.map(Double.init), width, from: 0)) < 1e-6)
        var expected = [Double](repeating: 0, count: word.count)
        for index in gradient.indices where ids[index / width] != 0 {
            expected[Int(ids[index / width]) * width + index % width] += Double(gradient[index])
        }
        #expect(difference(words, expected) < 1e-6)
        #expect(words.prefix(width).allSatisfy { $0 == 0 }, "[PAD] has no gradient")
        let total = gradient.reduce(0.0) { $0 + Double($1) }
        for part in [positions, kinds] {
            #expect(abs(part.reduce(0.0) { $0 + Double($1) } - total) < 1e-4)
        }
    }
}

/// Sums of columns, in double.
private func columnSums(_ values: [Double], _ width: Int, from start: Double) -> [Double] {
    var sums = [Double](repeating: start, count: width)
    for (index, value) in values.enumerated() { sums[index % width] += value }
    return sums
}

/// Layer normalisation and its gradients, straight from the definition.
private struct NormReference {
    var normalised: [Double] = []
    var gradient: [Double] = []
    var weightGradient: [Double]

    init(_ x: [Double], _ width: Int, _ weight: [Float], _ shift: [Float], _ dy: [Float]) {
        weightGradient = [Double](repeating: 0, count: width)
        for start in stride(from: 0, to: x.count, by: width) {
            let row = x[start..<start + width]
            let mean = row.reduce(0, +) / Double(width)
            let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
            let deviation = 1 / (variance + 1e-5).squareRoot()
            let n = row.map { ($0 - mean) * deviation }
            let dn = (0..<width).map { Double(dy[start + $0]) * Double(weight[$0]) }
            let meanGradient = dn.reduce(0, +) / Double(width)
            let meanProduct = zip(dn, n).reduce(0) { $0 + $1.0 * $1.1 } / Double(width)
            for i in 0..<width {
                normalised.append(n[i] * Double(weight[i]) + Double(shift[i]))
                gradient.append(deviation * (dn[i] - meanGradient - n[i] * meanProduct))
                weightGradient[i] += Double(dy[start + i]) * n[i]
            }
        }
    }
}
