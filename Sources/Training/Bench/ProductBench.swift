import BERT
import Jobs
import Kernels

/// Measures what the matrix-product library reaches by itself: no other work, operands as near as caches hold them.
public enum ProductBench {
    /// Seconds of one product of each shape, with one such product on every thread at a time.
    ///
    /// - Parameters:
    ///   - shapes: what is multiplied.
    ///   - threads: how many compute side by side, each its own product of the same shape.
    ///   - seconds: how long each shape is repeated at least; twice in any case.
    /// - Returns: the best of each shape's repetitions, until the slowest thread had ended.
    public static func bestSeconds(
        of shapes: some Collection<ProductShape>, threads: Int, repeatingFor seconds: Double = 0.05
    ) throws -> [ProductShape: Double] {
        let crew = ThreadCrew(count: threads)
        let memory = (0..<threads).map { _ in
            [
                FloatBuffer(count: shapes.map(\.floats.a).max() ?? 0),
                FloatBuffer(count: shapes.map(\.floats.b).max() ?? 0),
                FloatBuffer(count: shapes.map(\.floats.c).max() ?? 0),
            ]
        }
        for buffers in memory {
            for buffer in buffers { buffer.buffer.update(repeating: 0.5) }
        }
        var best: [ProductShape: Double] = [:]
        for shape in shapes {
            // Short products are repeated within a measurement, so that starting the threads doesn't count.
            let inner = max(1, min(1000, 20_000_000 / max(1, shape.operations)))
            var spent = 0.0
            var least = Double.infinity
            var rounds = 0
            while rounds < 3 || spent < seconds {
                let start = MonotonicInstant.now()
                try crew.run { thread in
                    let (a, b, c) = (memory[thread][0], memory[thread][1], memory[thread][2])
                    for _ in 0..<inner {
                        try GEMM.multiply(
                            transposeA: shape.transposeA, transposeB: shape.transposeB, m: shape.m, n: shape.n,
                            k: shape.k, a: UnsafePointer(a.pointer), lda: shape.lda, b: UnsafePointer(b.pointer),
                            ldb: shape.ldb, c: c.pointer, ldc: shape.ldc)
                    }
                }
                let elapsed = MonotonicInstant.now().elapsed(since: start).seconds
                spent += elapsed
                least = min(least, elapsed / Double(inner))
                rounds += 1
            }
            best[shape] = least
        }
        return best
    }

    /// GFLOP/s over one encoder layer's dense products, forward and both backward.
    ///
    /// - Parameters:
    ///   - model: the shape.
    ///   - tokens: rows of each thread's matrices.
    ///   - threads: how many compute side by side.
    /// - Returns: that of all threads together.
    public static func encoderRate(model: ModelShape, tokens: Int, threads: Int) throws -> Double {
        let (hidden, wide) = (model.hidden, model.intermediate)
        let shapes = [(3 * hidden, hidden), (hidden, hidden), (wide, hidden), (hidden, wide)].flatMap { out, width in
            [
                ProductShape(m: tokens, n: out, k: width, transposeB: true),
                ProductShape(m: tokens, n: width, k: out),
                ProductShape(m: out, n: width, k: tokens, transposeA: true),
            ]
        }
        let best = try bestSeconds(of: shapes, threads: threads)
        return rate(of: shapes.map { ($0, 1) }, best: best, threads: threads)
    }

    /// GFLOP/s of a mixture of products, each `calls` times, that take the `best` seconds.
    static func rate(
        of products: [(shape: ProductShape, calls: Int)], best: [ProductShape: Double], threads: Int
    ) -> Double {
        let operations = products.reduce(0.0) { $0 + Double($1.shape.operations) * Double($1.calls) }
        let seconds = products.reduce(0.0) { $0 + (best[$1.shape] ?? .infinity) * Double($1.calls) }
        return operations / seconds * Double(threads) * 1e-9
    }
}
