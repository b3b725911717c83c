import Glibc

/// Groups of kernels that time is booked under.
public enum KernelGroup: String, CaseIterable, Sendable, Codable {
    case embedding
    case products
    case attention
    case layerNorm = "layer_norm"
    case gelu
    case crossEntropy = "cross_entropy"
}

/// Host time and work by kernel group, added up while an engine has one.
public struct KernelProfile: Sendable {
    /// Nanoseconds of host time in each group.
    public internal(set) var nanoseconds: [KernelGroup: UInt64] = [:]
    /// Floating-point operations of the matrix products.
    public internal(set) var productOperations = 0
    /// Time and operations of each shape of product.
    public internal(set) var products: [ProductShape: ProductTime] = [:]

    /// An empty profile.
    public init() {}
}

/// Rows, columns and depth of a matrix product.
public struct ProductShape: Hashable, Sendable {
    /// The product is `[m, n]`, summed over `k`.
    public let m: Int, n: Int, k: Int
}

/// How often a product ran, and how long.
public struct ProductTime: Sendable {
    /// Calls.
    public internal(set) var calls = 0
    /// Nanoseconds of host time.
    public internal(set) var nanoseconds: UInt64 = 0
}

extension LaneEngine {
    /// Runs `body` and books its time.
    @inline(__always)
    func measure(_ group: KernelGroup, _ body: () -> Void) {
        guard profile != nil else { return body() }
        let start = clock_gettime_nsec()
        body()
        profile?.nanoseconds[group, default: 0] += clock_gettime_nsec() - start
    }

    /// Runs a matrix product and books its time and operations.
    @inline(__always)
    func measureProduct(m: Int, n: Int, k: Int, _ body: () throws -> Void) throws {
        guard profile != nil else { return try body() }
        let start = clock_gettime_nsec()
        try body()
        let time = clock_gettime_nsec() - start
        profile?.nanoseconds[.products, default: 0] += time
        profile?.productOperations += 2 * m * n * k
        profile?.products[ProductShape(m: m, n: n, k: k), default: ProductTime()].calls += 1
        profile?.products[ProductShape(m: m, n: n, k: k), default: ProductTime()].nanoseconds += time
    }
}

private func clock_gettime_nsec() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
