import COneDNN

/// Single-precision matrix products by oneDNN, row-major, on the calling thread.
public enum GEMM {
    /// `c [m, n] = alpha * a [m, k] b [k, n] + beta * c`, `a` and `b` transposed in memory where said.
    ///
    /// - Parameters:
    ///   - transposeA: `a` lies in memory as `[k, m]`.
    ///   - transposeB: `b` lies in memory as `[n, k]`.
    ///   - lda: distance between the rows of `a` as it lies in memory; `ldb` and `ldc` likewise. Dense where nil.
    /// - Throws: `GEMMError` where oneDNN refuses.
    public static func multiply(
        transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int, alpha: Float = 1,
        a: UnsafePointer<Float>, lda: Int? = nil, b: UnsafePointer<Float>, ldb: Int? = nil, beta: Float = 0,
        c: UnsafeMutablePointer<Float>, ldc: Int? = nil
    ) throws(GEMMError) {
        if m == 0 || n == 0 { return }
        if k == 0 {
            // An empty sum; oneDNN's answer to it is unspecified.
            for row in 0..<m {
                let values = c + row * (ldc ?? n)
                for column in 0..<n { values[column] = beta == 0 ? 0 : beta * values[column] }
            }
            return
        }
        let status = dnnl_sgemm(
            transposeA ? transposed : plain, transposeB ? transposed : plain, dnnl_dim_t(m), dnnl_dim_t(n),
            dnnl_dim_t(k), alpha, a, dnnl_dim_t(lda ?? (transposeA ? m : k)), b,
            dnnl_dim_t(ldb ?? (transposeB ? k : n)), beta, c, dnnl_dim_t(ldc ?? n))
        guard status == dnnl_success else {
            throw GEMMError(m: m, n: n, k: k, status: Int(status.rawValue))
        }
    }

    private static let plain = CChar(UInt8(ascii: "N"))
    private static let transposed = CChar(UInt8(ascii: "T"))
}

/// oneDNN refused a matrix product.
public struct GEMMError: Error, CustomStringConvertible, Sendable {
    /// Rows, columns and depth of the product.
    public let m: Int, n: Int, k: Int
    /// oneDNN's status: 1 is out of memory, 2 invalid arguments.
    public let status: Int

    /// One line with the product's size and the reason.
    public var description: String {
        let reason = status == 1 ? "out of memory" : status == 2 ? "invalid arguments" : "status \(status)"
        return "oneDNN refused a matrix product of \(m) x \(n) x \(k): \(reason)"
    }
}
