import Kernels
import Testing

@Suite("The optimizer's kernels, to the same bits by every table")
struct OptimizerKernelTests {
    /// Sizes below, at and beyond whole vectors.
    static let counts = [0, 1, 15, 16, 17, 31, 32, 100, 1_003]

    private let scalars = wm_optimizer_scalars(
        gradient_scale: 0.125, beta1: 0.9, one_minus_beta1: 0.1, beta2: 0.999, one_minus_beta2: 0.001, epsilon: 1e-6,
        decay_factor: 0.9999, step_size: 3e-3, weight_decay: 0.01, inverse_root2: 12.5, inverse_first: 3.7)

    /// What one range of a tensor consists of.
    private struct Range: Equatable {
        var weights: [Float]
        var first: [Float]
        var second: [Float]
        var gradient: [Float]

        init(_ count: Int) {
            var numbers = Numbers(23)
            (weights, first) = (numbers.row(count), numbers.row(count, times: 1e-2))
            (second, gradient) = (numbers.row(count, times: 1e-4).map(abs), numbers.row(count))
        }
    }

    /// The moments of element `index`, and what the step divides by: `optimizer.h`, each operation rounded on its own.
    private func moments(_ range: inout Range, at index: Int) -> Float {
        let gradient = range.gradient[index] * scalars.gradient_scale
        let (first, second) = (range.first[index], range.second[index])
        range.first[index] = first + scalars.one_minus_beta1 * (gradient - first)
        range.second[index] = scalars.beta2 * second + scalars.one_minus_beta2 * (gradient * gradient)
        return range.second[index].squareRoot() * scalars.inverse_root2 + scalars.epsilon
    }

    /// In 16 running sums, as vectors are.
    private func sum(_ squares: [Double]) -> Double {
        var sums = [Double](repeating: 0, count: 16)
        for (index, square) in squares.enumerated() { sums[index % 16] += square }
        return sums.reduce(0, +)
    }

    @Test("AdamW", arguments: counts)
    func adamW(count: Int) {
        var expected = Range(count)
        for index in 0..<count {
            let denominator = moments(&expected, at: index)
            let step = scalars.step_size * expected.first[index] / denominator
            expected.weights[index] = scalars.decay_factor * expected.weights[index] - step
        }
        for table in tables {
            var found = Range(count)
            withUnsafePointer(to: scalars) {
                table.functions.adamw(count, $0, found.gradient, &found.weights, &found.first, &found.second)
            }
            #expect(found == expected, "\(table)")
        }
    }

    @Test("LAMB: the update with its norms, and its application", arguments: counts)
    func lamb(count: Int) {
        var expected = Range(count)
        for index in 0..<count {
            let denominator = moments(&expected, at: index)
            let step = expected.first[index] * scalars.inverse_first / denominator
            expected.gradient[index] = step + scalars.weight_decay * expected.weights[index]
        }
        let weights = sum(expected.weights.map { Double($0) * Double($0) })
        let update = sum(expected.gradient.map { Double($0) * Double($0) })
        let applied = zip(expected.weights, expected.gradient).map { $0 - 0.003 * $1 }
        for table in tables {
            var found = Range(count)
            let norms = withUnsafePointer(to: scalars) {
                table.functions.lamb_update(
                    count, $0, found.weights, &found.gradient, &found.first, &found.second)
            }
            #expect(found == expected, "\(table)")
            #expect(norms.weights == weights && norms.update == update, "\(table)")
            table.functions.lamb_apply(count, 0.003, found.gradient, &found.weights)
            #expect(found.weights == applied, "\(table)")
        }
    }

    @Test("the sum of squares, in an order that the number of elements settles", arguments: counts)
    func sumOfSquares(count: Int) {
        var numbers = Numbers(29)
        let values = numbers.row(count)
        // Two vectors at a time go into sums of their own, which are joined before what is left over.
        var (even, odd) = ([Double](repeating: 0, count: 16), [Double](repeating: 0, count: 16))
        let whole = count / 32 * 32
        for index in 0..<whole {
            let square = Double(values[index]) * Double(values[index])
            if index % 32 < 16 { even[index % 16] += square } else { odd[index % 16] += square }
        }
        for lane in 0..<16 { even[lane] += odd[lane] }
        for index in whole..<count { even[index % 16] += Double(values[index]) * Double(values[index]) }
        let expected = even.reduce(0, +)
        for table in tables { #expect(table.functions.sum_of_squares(count, values) == expected, "\(table)") }
    }

    @Test("normal numbers: addressed by element, of the deviation that was asked for, the same by every table")
    func normal() {
        let count = 64 * 500 + 7
        var numbers: [[UInt32]] = []
        for table in tables {
            var whole = [Float](repeating: 0, count: count)
            table.functions.fill_normal(count, 3, 11, 12, 1 << 40 | 5, 0.5, &whole)
            var part = [Float](repeating: 0, count: 100)
            table.functions.fill_normal(100, 3 + 7, 11, 12, 1 << 40 | 5, 0.5, &part)
            #expect(Array(whole[(7 * 64)..<(7 * 64 + 100)]) == part, "\(table)")
            numbers.append(whole.map(\.bitPattern))
        }
        #expect(Set(numbers).count == 1)
        let values = numbers[0].map { Double(Float(bitPattern: $0)) }
        let mean = values.reduce(0, +) / Double(count)
        let deviation = (values.reduce(0) { $0 + $1 * $1 } / Double(count) - mean * mean).squareRoot()
        // Five standard errors of each.
        #expect(abs(mean) < 5 * 0.5 / Double(count).squareRoot())
        #expect(abs(deviation - 0.5) < 5 * 0.5 / Double(2 * count).squareRoot())
        // Of 32,007 numbers, 68.27 % are within one deviation (binomial: 0.26 % standard error).
        let within = Double(values.filter { abs($0) < 0.5 }.count) / Double(count)
        #expect(abs(within - 0.6827) < 5 * 0.0026)
    }

    @Test("sums without their zeros", arguments: counts)
    func packing(count: Int) {
        var numbers = Numbers(31)
        let values = numbers.row(count).enumerated().map { $0 % 3 == 0 ? $1 : 0 }
        var packings: [[UInt8]] = []
        for table in tables {
            var packed = [UInt8](repeating: 0, count: 8 * count + 8)
            let used = table.functions.pack_nonzero(count, values, packed.count, &packed)
            packings.append(Array(packed.prefix(used)))
            var back = [Float](repeating: 1, count: count)
            #expect(table.functions.unpack_nonzero(count, packed, used, &back) != 0 && back == values, "\(table)")
        }
        #expect(Set(packings).count == 1)
    }
}
