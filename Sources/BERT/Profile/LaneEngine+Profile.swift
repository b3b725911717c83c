import Glibc
import Kernels

extension LaneEngine {
    /// Runs `body` and, where measuring was asked for, books its time and work.
    @inline(__always)
    func measure(_ kernel: StepKernel, floats: Int, operations: Int = 0, skipped: Int = 0, _ body: () -> Void) {
        guard profile != nil else { return body() }
        let start = hostNanoseconds()
        body()
        profile?.book(
            kernel,
            KernelWork(
                calls: 1, nanoseconds: hostNanoseconds() - start, bytes: floats * MemoryLayout<Float>.stride,
                operations: operations, skipped: skipped))
    }

    /// Counts zeros where that was asked for.
    func countZeros(_ site: ZeroSite, rows: Int, _ matrix: Matrix) {
        guard profile?.countsZeros == true else { return }
        let zeros = (0..<rows).reduce(0) { sum, row in
            let values = UnsafeBufferPointer(start: matrix.row(row), count: matrix.width)
            return values.reduce(sum) { $0 + ($1 == 0 ? 1 : 0) }
        }
        profile?.book(site, ZeroCount(zeros: zeros, elements: rows * matrix.width))
    }

    /// Computes `c = a b + beta c` and, where measuring was asked for, books its time and work under `kernel`.
    @inline(__always)
    func multiply(
        _ kernel: StepKernel, transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int,
        a: UnsafePointer<Float>, lda: Int, b: UnsafePointer<Float>, ldb: Int, beta: Float = 0, c: Floats, ldc: Int
    ) throws {
        let start = profile == nil ? 0 : hostNanoseconds()
        try GEMM.multiply(
            transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k, a: a, lda: lda, b: b, ldb: ldb,
            beta: beta, c: c, ldc: ldc)
        guard profile != nil else { return }
        let shape = ProductShape(
            m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB, lda: lda, ldb: ldb, ldc: ldc)
        profile?.book(
            kernel, shape,
            KernelWork(
                calls: 1, nanoseconds: hostNanoseconds() - start,
                bytes: (m * k + k * n + m * n) * MemoryLayout<Float>.stride, operations: shape.operations))
    }
}

private func hostNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
