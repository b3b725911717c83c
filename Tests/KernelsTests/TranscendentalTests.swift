import Foundation
import Kernels
import Testing

@Suite("Vectorised transcendental functions")
struct TranscendentalTests {
    /// The largest error in units of the last place of the correctly rounded result.
    private func worstError(_ found: [Float], _ inputs: [Float], _ exact: (Double) -> Double) -> Double {
        zip(found, inputs).reduce(0) { worst, pair in
            let reference = exact(Double(pair.1))
            let unit = Double(max(Float(abs(reference)).ulp, Float.leastNormalMagnitude))
            return max(worst, abs(Double(pair.0) - reference) / unit)
        }
    }

    private func apply(
        _ function: (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void, _ inputs: [Float]
    ) -> [Float] {
        var results = [Float](repeating: 0, count: inputs.count)
        function(inputs.count, inputs, &results)
        return results
    }

    /// Dense near zero, spread up to `limit`, both signs; a count that leaves a tail.
    private func inputs(upTo limit: Float) -> [Float] {
        var numbers = Numbers(3)
        return (0..<100_003).map { index in
            let value = numbers.unit()
            return index % 3 == 0
                ? value * limit : index % 3 == 1 ? value : value * Float(pow(2.0, Double(-index % 40)))
        }
    }

    @Test("exp is within 2 ulp", arguments: tables)
    func exponential(kernels: FusedKernels) {
        let inputs = inputs(upTo: 87)
        let error = worstError(apply(kernels.functions.exponential, inputs), inputs, exp)
        #expect(error <= 2)
    }

    @Test("erf is within 2 ulp", arguments: tables)
    func errorFunction(kernels: FusedKernels) {
        let inputs = inputs(upTo: 6)
        let error = worstError(apply(kernels.functions.error_function, inputs), inputs, erf)
        #expect(error <= 2)
    }

    @Test("tanh is within 2 ulp", arguments: tables)
    func tangent(kernels: FusedKernels) {
        let inputs = inputs(upTo: 12)
        let error = worstError(apply(kernels.functions.tangent, inputs), inputs, tanh)
        #expect(error <= 2)
    }

    @Test("exp ends at zero below its range and lets NaN through", arguments: tables)
    func exponentialEdges(kernels: FusedKernels) {
        let results = apply(kernels.functions.exponential, [-.infinity, -200, 0, .nan, 1000])
        #expect(results[0] == 0 && results[1] == 0 && results[2] == 1 && results[3].isNaN && results[4] > 1e38)
    }
}
