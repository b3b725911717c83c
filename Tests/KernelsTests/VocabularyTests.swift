import Foundation
import Kernels
import Testing

@Suite("Cross-entropy by vocabulary tiles")
struct VocabularyTests {
    @Test("tiles give the loss, the best column and the gradient of a whole softmax", arguments: tables)
    func tiles(kernels: FusedKernels) {
        let (rows, vocabulary, width) = (5, 103, 32)
        var numbers = Numbers(8)
        let logits = (0..<rows).map { _ in numbers.row(vocabulary, times: 9) }
        let bias = numbers.row(vocabulary)
        let labels: [Int32] = [0, 31, 32, 102, 70]
        var (maximum, sum) = ([Float](repeating: -.infinity, count: rows), [Float](repeating: 0, count: rows))
        var (best, labelLogit) = ([Int32](repeating: -1, count: rows), [Float](repeating: 0, count: rows))
        var tiles: [(first: Int, values: [Float], maximum: [Float])] = []
        for first in stride(from: 0, to: vocabulary, by: width) {
            let end = min(first + width, vocabulary)
            var values = logits.flatMap { $0[first..<end] }
            var top = [Float](repeating: 0, count: rows)
            kernels.functions.vocabulary_tile(
                rows, end - first, end - first, Int32(first), Array(bias[first..<end]), labels, &values, &top, &maximum,
                &sum, &best,
                &labelLogit)
            tiles.append((first, values, top))
        }
        let logSum = zip(maximum, sum).map { $0 + log($1) }
        var biasGradient = [Float](repeating: 0, count: vocabulary)
        var gradients = [[Float]](repeating: [Float](repeating: 0, count: vocabulary), count: rows)
        for tile in tiles {
            let columns = tile.values.count / rows
            var values = tile.values
            var sums = [Float](repeating: 0, count: columns)
            kernels.functions.vocabulary_tile_backward(
                rows, columns, columns, Int32(tile.first), labels, 0.25, tile.maximum, logSum, &values, &sums)
            for column in 0..<columns {
                biasGradient[tile.first + column] = sums[column]
                for row in 0..<rows { gradients[row][tile.first + column] = values[row * columns + column] }
            }
        }

        var sums = [Double](repeating: 0, count: vocabulary)
        for row in 0..<rows {
            let values = (0..<vocabulary).map { Double(logits[row][$0] + bias[$0]) }
            let exact = log(values.reduce(0) { $0 + exp($1) })
            #expect(abs(Double(logSum[row]) - exact) < 1e-5)
            #expect(labelLogit[row] == Float(values[Int(labels[row])]))
            #expect(Int(best[row]) == values.indices.max { values[$0] < values[$1] })
            let slopes = values.indices.map { 0.25 * (exp(values[$0] - exact) - ($0 == Int(labels[row]) ? 1 : 0)) }
            #expect(difference(gradients[row], slopes) < 3e-6)
            for column in values.indices { sums[column] += slopes[column] }
        }
        #expect(difference(biasGradient, sums) < 3e-6)
    }

    @Test("a logit that is not a number reaches the loss", arguments: tables)
    func notANumber(kernels: FusedKernels) {
        var values = [Float](repeating: 0.5, count: 40)
        values[17] = .nan
        var (top, maximum, sum): ([Float], [Float], [Float]) = ([0], [-.infinity], [0])
        var (best, labelLogit): ([Int32], [Float]) = ([0], [0])
        kernels.functions.vocabulary_tile(
            1, 40, 40, 0, [Float](repeating: 0, count: 40), [3], &values, &top, &maximum, &sum, &best, &labelLogit)
        #expect(sum[0].isNaN)
    }
}
