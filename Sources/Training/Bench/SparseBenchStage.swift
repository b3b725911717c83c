import BERT
import Jobs
import Kernels

/// The operands of a layer's products, and the threads that multiply them.
struct SparseBenchStage {
    private let shapes: [(rows: Int, columns: Int)]
    private let tokens: Int
    private let crew: ThreadCrew
    private let memory: [Operands]
    private let weight: FloatBuffer
    private let kernels = FusedKernels.active

    /// One thread's activations and results, with the engine's distances between rows.
    private struct Operands: Sendable {
        let x: FloatBuffer
        let y: FloatBuffer
        let gradient: FloatBuffer
        let scratch: FloatBuffer
        let entries: FloatBuffer
    }

    init(_ shapes: [(Int, Int)], tokens: Int, threads: Int) {
        self.shapes = shapes.map { ($0.0, $0.1) }
        self.tokens = tokens
        crew = ThreadCrew(count: threads)
        let widest = shapes.map { max($0.0, $0.1) }.max() ?? 0
        let largest = shapes.map { $0.0 * $0.1 }.max() ?? 0
        weight = FloatBuffer(count: largest)
        Self.fill(weight)
        memory = (0..<threads).map { _ in
            let (x, y) = (
                FloatBuffer(count: tokens * Self.stride(widest)), FloatBuffer(count: tokens * Self.stride(widest))
            )
            Self.fill(x)
            Self.fill(y)
            return Operands(
                x: x, y: y, gradient: FloatBuffer(count: largest), scratch: FloatBuffer(count: 256 * widest),
                entries: FloatBuffer(count: largest))
        }
    }

    /// Floats from one row of `width` to the next, as the engine lays them out.
    static func stride(_ width: Int) -> Int { (width + 15) / 16 * 16 + 16 }

    private static func fill(_ buffer: FloatBuffer) {
        NormalKernel.fill(buffer.buffer, key: SIMD2(1, 2), stream: 3, start: 0, deviation: 1)
    }

    /// Seconds of the dense products.
    func dense() throws -> SparseBench.Seconds {
        var sum = SparseBench.Seconds()
        for (rows, columns) in shapes {
            let (xs, ys) = (Self.stride(columns), Self.stride(rows))
            let (w, tokens) = (weight, tokens)
            sum.forward += try best { operands in
                try GEMM.multiply(
                    transposeB: true, m: tokens, n: rows, k: columns, a: operands.x.pointer, lda: xs, b: w.pointer,
                    ldb: columns, c: operands.y.pointer, ldc: ys)
            }
            sum.inputGradient += try best { operands in
                try GEMM.multiply(
                    m: tokens, n: columns, k: rows, a: operands.y.pointer, lda: ys, b: w.pointer, ldb: columns,
                    c: operands.x.pointer, ldc: xs)
            }
            sum.weightGradient += try best { operands in
                try GEMM.multiply(
                    transposeA: true, m: rows, n: columns, k: tokens, a: operands.y.pointer, lda: ys,
                    b: operands.x.pointer, ldb: xs, c: operands.gradient.pointer, ldc: columns)
            }
        }
        return sum
    }

    /// Seconds of the products with a random mask of `pattern` at `density`.
    func sparse(_ pattern: SparsityPattern, density: Double) throws -> SparseBench.Seconds {
        var sum = SparseBench.Seconds()
        for (rows, columns) in shapes {
            let packed = mask(rows, columns, pattern, density)
            let (xs, ys) = (Self.stride(columns), Self.stride(rows))
            var packing = Double.infinity
            for _ in 0..<3 {
                let start = MonotonicInstant.now()
                packed.gather(weight.pointer)
                packing = min(packing, MonotonicInstant.now().elapsed(since: start).seconds)
            }
            sum.packing += packing
            let (kernels, tokens) = (kernels, tokens)
            sum.forward += try best { operands in
                packed.forward.multiply(
                    kernels.table.pointee, tokens: tokens, wm_dense(operands.x.pointer, stride: xs),
                    into: wm_dense(operands.y.pointer, stride: ys), scratch: operands.scratch.pointer)
            }
            sum.inputGradient += try best { operands in
                packed.backward.multiply(
                    kernels.table.pointee, tokens: tokens, wm_dense(operands.y.pointer, stride: ys),
                    into: wm_dense(operands.x.pointer, stride: xs), scratch: operands.scratch.pointer)
            }
            sum.weightGradient += try best { operands in
                packed.forward.gradient(
                    kernels.table.pointee, tokens: tokens, slopes: wm_dense(operands.y.pointer, stride: ys),
                    wm_dense(operands.x.pointer, stride: xs), into: operands.gradient.pointer,
                    entries: operands.entries.pointer, scratch: operands.scratch.pointer)
            }
        }
        return sum
    }

    /// The feed-forward layer's five products that see what ReLU leaves, at a share of it, against dense ones.
    func activations(density: Double) throws -> SparseBench.ActivationPoint {
        guard let (hidden, wide) = shapes.last else { preconditionFailure("a layer has matrices") }
        let stage = try ActivationBenchStage(
            tokens: tokens, hidden: hidden, wide: wide, density: density, weight: weight, crew: crew)
        let dense = try best { thread, _ in try stage.dense(thread) }
        let sparse = try best { thread, _ in stage.sparse(thread) }
        return SparseBench.ActivationPoint(
            density: density, seconds: sparse, denseSeconds: dense, ratio: sparse / dense)
    }

    private func mask(_ rows: Int, _ columns: Int, _ pattern: SparsityPattern, _ density: Double) -> PackedWeight {
        var words = [UInt64](repeating: 0, count: rows * ((columns + 63) / 64))
        return words.withUnsafeMutableBufferPointer { words in
            guard let start = words.baseAddress else { preconditionFailure("a matrix without rows") }
            TensorMask(rows: rows, columns: columns, pattern: pattern, words: start)
                .keepAtRandom(density: density, seed: 1, name: "\(rows) x \(columns)")
            return PackedWeight(rows: rows, columns: columns, mask: start)
        }
    }

    /// The best of three rounds at least, until the slowest thread has ended.
    private func best(_ body: @Sendable (Operands) throws -> Void) throws -> Double {
        try best { _, operands in try body(operands) }
    }

    private func best(_ body: @Sendable (Int, Operands) throws -> Void) throws -> Double {
        var least = Double.infinity
        var (spent, rounds) = (0.0, 0)
        while rounds < 3 || spent < 0.05 {
            let start = MonotonicInstant.now()
            try crew.run { [memory] in try body($0, memory[$0]) }
            let elapsed = MonotonicInstant.now().elapsed(since: start).seconds
            least = min(least, elapsed)
            (spent, rounds) = (spent + elapsed, rounds + 1)
        }
        return least
    }
}
