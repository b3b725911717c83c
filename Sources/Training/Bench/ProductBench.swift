import Jobs
import Kernels
import Synchronization

/// Measures what the matrix-product library reaches by itself on a model's shapes.
public enum ProductBench {
    /// One dense layer's product in one direction.
    private struct Product {
        let m: Int, n: Int, k: Int
        let transposeA: Bool, transposeB: Bool
    }

    /// GFLOP/s over one encoder layer's dense products, forward and both backward, with one product a thread at a time.
    ///
    /// - Parameters:
    ///   - model: the shape.
    ///   - tokens: rows of each thread's matrices.
    ///   - threads: how many compute side by side.
    /// - Returns: the best of several rounds, all threads together.
    public static func encoderRate(model: ModelShape, tokens: Int, threads: Int) throws -> Double {
        let (hidden, wide) = (model.hidden, model.intermediate)
        let products = [(3 * hidden, hidden), (hidden, hidden), (wide, hidden), (hidden, wide)].flatMap { out, width in
            [
                Product(m: tokens, n: out, k: width, transposeA: false, transposeB: true),
                Product(m: tokens, n: width, k: out, transposeA: false, transposeB: false),
                Product(m: out, n: width, k: tokens, transposeA: true, transposeB: false),
            ]
        }
        let operations = products.reduce(0.0) { $0 + 2 * Double($1.m) * Double($1.n) * Double($1.k) }
        let largest = max(tokens, hidden) * max(3 * hidden, wide)
        let crew = ThreadCrew(count: threads)
        let memory = (0..<threads).map { _ in (0..<3).map { _ in FloatBuffer(count: largest) } }
        // Half a second in all, at some 50 GFLOP/s a thread; two rounds or more.
        let rounds = max(2, min(200, Int(25e9 / operations)))
        let best = Mutex(Double.infinity)
        for buffers in memory {
            for index in 0..<2 { buffers[index].buffer.update(repeating: 0.5) }
        }
        for _ in 0..<rounds {
            let start = MonotonicInstant.now()
            try crew.run { thread in
                let (a, b, c) = (memory[thread][0], memory[thread][1], memory[thread][2])
                for product in products {
                    try GEMM.multiply(
                        transposeA: product.transposeA, transposeB: product.transposeB, m: product.m, n: product.n,
                        k: product.k, a: UnsafePointer(a.pointer), b: UnsafePointer(b.pointer), c: c.pointer)
                }
            }
            let seconds = MonotonicInstant.now().elapsed(since: start).seconds
            best.withLock { $0 = min($0, seconds) }
        }
        return operations * Double(threads) / best.withLock { $0 } * 1e-9
    }
}
