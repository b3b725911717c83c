import BERT
import Jobs
import Kernels

/// The operands of a feed-forward layer whose inner activations are partly zero, for each thread.
struct ActivationBenchStage: Sendable {
    private let tokens: Int
    private let hidden: Int
    private let wide: Int
    private let weight: FloatBuffer
    private let memory: [Operands]
    private let kernels = FusedKernels.active

    /// One thread's matrices, with the engine's distances between rows.
    ///
    /// `@unchecked Sendable`: each thread of the crew uses its own.
    private struct Operands: @unchecked Sendable {
        /// `[tokens, wide]`: activations, and the gradient of them.
        let inner: FloatBuffer
        let innerSlopes: FloatBuffer
        /// `[tokens, hidden]`: input, output, and the gradient of the output.
        let x: FloatBuffer
        let y: FloatBuffer
        let slopes: FloatBuffer
        let gradient: FloatBuffer
        let packed: PackedActivations
    }

    /// Activations of which `density` are positive, the others negative.
    init(
        tokens: Int, hidden: Int, wide: Int, density: Double, weight: FloatBuffer, crew: ThreadCrew
    ) throws {
        (self.tokens, self.hidden, self.wide, self.weight) = (tokens, hidden, wide, weight)
        let (narrowStride, wideStride) = (SparseBenchStage.stride(hidden), SparseBenchStage.stride(wide))
        let memory = (0..<crew.count).map { _ in
            Operands(
                inner: FloatBuffer(count: tokens * wideStride), innerSlopes: FloatBuffer(count: tokens * wideStride),
                x: FloatBuffer(count: tokens * narrowStride), y: FloatBuffer(count: tokens * narrowStride),
                slopes: FloatBuffer(count: tokens * narrowStride), gradient: FloatBuffer(count: hidden * wide),
                packed: PackedActivations(tokens: tokens, width: wide, densityLimit: 1))
        }
        self.memory = memory
        try crew.run { thread in
            let operands = memory[thread]
            for buffer in [operands.x, operands.slopes, operands.innerSlopes] {
                NormalKernel.fill(buffer.buffer, key: SIMD2(1, 2), stream: 3, start: 0, deviation: 1)
            }
            var random = CounterRandom(seed: 1, purpose: .sparsityMask, example: UInt32(thread))
            for index in 0..<tokens * wideStride {
                operands.inner.pointer[index] = Float(density - Double(random.nextUnit()))
            }
        }
    }

    /// The products, zeros and all.
    func dense(_ thread: Int) throws {
        let operands = memory[thread]
        let (w, narrow, broad) = (weight.pointer, SparseBenchStage.stride(hidden), SparseBenchStage.stride(wide))
        try GEMM.multiply(
            transposeB: true, m: tokens, n: hidden, k: wide, a: operands.inner.pointer, lda: broad, b: w, ldb: wide,
            c: operands.y.pointer, ldc: narrow)
        try GEMM.multiply(
            m: tokens, n: wide, k: hidden, a: operands.slopes.pointer, lda: narrow, b: w, ldb: wide,
            c: operands.innerSlopes.pointer, ldc: broad)
        try GEMM.multiply(
            transposeA: true, m: hidden, n: wide, k: tokens, a: operands.slopes.pointer, lda: narrow,
            b: operands.inner.pointer, ldb: broad, c: operands.gradient.pointer, ldc: wide)
        try GEMM.multiply(
            transposeA: true, m: wide, n: hidden, k: tokens, a: operands.innerSlopes.pointer, lda: broad,
            b: operands.x.pointer, ldb: narrow, c: operands.gradient.pointer, ldc: hidden)
        try GEMM.multiply(
            m: tokens, n: hidden, k: wide, a: operands.innerSlopes.pointer, lda: broad, b: w, ldb: hidden, beta: 1,
            c: operands.y.pointer, ldc: narrow)
    }

    /// The same with what ReLU leaves alone, packed anew for the forward and for the backward pass.
    func sparse(_ thread: Int) {
        let operands = memory[thread]
        let (packed, table, w) = (operands.packed, kernels.table.pointee, weight.pointer)
        let (narrow, broad) = (SparseBenchStage.stride(hidden), SparseBenchStage.stride(wide))
        _ = packed.pack(operands.inner.pointer, tokens: tokens, width: wide, stride: broad)
        packed.output(
            table, hidden: hidden, activations: operands.inner.pointer, stride: broad, weight: w,
            into: operands.y.pointer, yStride: narrow)
        _ = packed.pack(operands.inner.pointer, tokens: tokens, width: wide, stride: broad)
        packed.slopes(
            table, hidden: hidden, outputSlopes: operands.slopes.pointer, outputStride: narrow, weight: w,
            into: operands.innerSlopes.pointer, stride: broad)
        packed.outputWeight(
            table, hidden: hidden, activations: operands.inner.pointer, stride: broad,
            outputSlopes: operands.slopes.pointer, outputStride: narrow, accumulate: false,
            into: operands.gradient.pointer)
        packed.inputWeight(
            table, hidden: hidden, slopes: operands.innerSlopes.pointer, stride: broad, input: operands.x.pointer,
            inputStride: narrow, accumulate: false, into: operands.gradient.pointer)
        packed.inputSlopes(table, hidden: hidden, weight: w, into: operands.y.pointer, xStride: narrow)
    }
}
