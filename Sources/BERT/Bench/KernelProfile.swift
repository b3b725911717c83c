import Glibc

/// What an engine's time is booked under.
public enum EngineKernel: String, CaseIterable, Sendable, Codable {
    /// Matrix products of the encoder's dense layers, and of the heads'.
    case encoderProducts = "encoder_products"
    case headProducts = "head_products"
    case embedding
    case embeddingBackward = "embedding_backward"
    case attention
    case attentionBackward = "attention_backward"
    case residualNorm = "residual_norm"
    case residualNormBackward = "residual_norm_backward"
    case gelu
    case geluBackward = "gelu_backward"
    case crossEntropy = "cross_entropy"
    case crossEntropyBackward = "cross_entropy_backward"
}

/// Work of one kernel: how often, how long, how much.
public struct KernelWork: Hashable, Sendable {
    /// Calls.
    public internal(set) var calls = 0
    /// Nanoseconds of host time.
    public internal(set) var nanoseconds: UInt64 = 0
    /// Bytes that cannot but be moved: every operand once, whether it comes from cache or memory.
    public internal(set) var bytes = 0
    /// Floating-point operations of matrix products; 0 where there are none.
    public internal(set) var operations = 0

    static func += (sum: inout KernelWork, other: KernelWork) {
        sum.calls += other.calls
        sum.nanoseconds += other.nanoseconds
        sum.bytes += other.bytes
        sum.operations += other.operations
    }
}

/// Rows, columns and depth of a matrix product.
public struct ProductShape: Hashable, Sendable {
    /// The product is `[m, n]`, summed over `k`.
    public let m: Int, n: Int, k: Int
}

/// Host time and work by kernel and by shape of product, added up while an engine has one.
public struct KernelProfile: Sendable {
    /// Work by kernel.
    public internal(set) var kernels: [EngineKernel: KernelWork] = [:]
    /// Work by shape of product.
    public internal(set) var products: [ProductShape: KernelWork] = [:]

    /// An empty profile.
    public init() {}
}

extension LaneEngine {
    /// Runs `body` and, where measuring was asked for, books its time and work.
    @inline(__always)
    func measure(_ kernel: EngineKernel, floats: Int, operations: Int = 0, _ body: () -> Void) {
        guard profile != nil else { return body() }
        let start = hostNanoseconds()
        body()
        profile?.kernels[kernel, default: KernelWork()] += KernelWork(
            calls: 1, nanoseconds: hostNanoseconds() - start, bytes: floats * MemoryLayout<Float>.stride,
            operations: operations)
    }

    /// Runs a matrix product, counts its operations and, where measuring was asked for, books its time.
    @inline(__always)
    func measureProduct(_ kernel: EngineKernel, m: Int, n: Int, k: Int, _ body: () throws -> Void) throws {
        productOperations += 2 * m * n * k
        guard profile != nil else { return try body() }
        let start = hostNanoseconds()
        try body()
        let work = KernelWork(
            calls: 1, nanoseconds: hostNanoseconds() - start,
            bytes: (m * k + k * n + m * n) * MemoryLayout<Float>.stride, operations: 2 * m * n * k)
        profile?.kernels[kernel, default: KernelWork()] += work
        profile?.products[ProductShape(m: m, n: n, k: k), default: KernelWork()] += work
    }
}

private func hostNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
