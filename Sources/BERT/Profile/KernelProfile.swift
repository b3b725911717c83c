/// What a training step's time is booked under.
public enum StepKernel: String, CaseIterable, Sendable, Codable {
    /// Matrix products of the encoder's dense layers with all tokens' rows; of the last layer's with the rows that the heads
    /// read alone, too few to be as quick; and of the heads'.
    case encoderProducts = "encoder_products"
    case lastLayerProducts = "last_layer_products"
    case headProducts = "head_products"
    /// Products with sparse matrices, of weights or of activations; their operations are those of kept elements alone.
    case sparseProducts = "sparse_products"
    case embedding
    case embeddingBackward = "embedding_backward"
    case attention
    case attentionBackward = "attention_backward"
    case residualNorm = "residual_norm"
    case residualNormBackward = "residual_norm_backward"
    /// The activation function, whichever it is.
    case gelu
    case geluBackward = "gelu_backward"
    case crossEntropy = "cross_entropy"
    case crossEntropyBackward = "cross_entropy_backward"
    /// What ReLU leaves, looked through.
    case activationPacking = "activation_packing"
    /// Around the engine: gradients of lanes added up, their norm, the update of the weights.
    case laneSums = "lane_sums"
    case gradientNorm = "gradient_norm"
    case optimizer
    /// Values of sparse matrices taken from the new weights, and their patterns where masks have changed.
    case sparsePacking = "sparse_packing"
}

/// Where a step has operands with zeros of its own making.
public enum ZeroSite: String, CaseIterable, Sendable, Codable {
    /// Results of the activation function: operands of the feed-forward layer's second matrix.
    case activations
    /// Gradients behind dropout: operands of both its backward products.
    case droppedGradients = "dropped_gradients"
}

/// Zeros among the elements of matrices.
public struct ZeroCount: Hashable, Sendable {
    /// Elements that are zero, and all.
    public var zeros = 0
    public var elements = 0

    /// The share of zeros; 0 of none.
    public var share: Double { elements == 0 ? 0 : Double(zeros) / Double(elements) }

    static func + (left: ZeroCount, right: ZeroCount) -> ZeroCount {
        ZeroCount(zeros: left.zeros + right.zeros, elements: left.elements + right.elements)
    }
}

/// Work of one kernel: how often, how long, how much.
public struct KernelWork: Hashable, Sendable {
    /// Calls.
    public private(set) var calls: Int
    /// Nanoseconds of host time, added up over threads.
    public private(set) var nanoseconds: UInt64
    /// Bytes that cannot but be moved: every operand once, whether it comes from cache or memory.
    public private(set) var bytes: Int
    /// Floating-point operations of matrix products; 0 where there are none. What a backward pass computes a second time
    /// instead of keeping it doesn't count.
    public private(set) var operations: Int
    /// Operations that a dense product would have done with zeros that were left out.
    public private(set) var skipped: Int

    /// Work of the given parts.
    public init(calls: Int = 0, nanoseconds: UInt64 = 0, bytes: Int = 0, operations: Int = 0, skipped: Int = 0) {
        self.calls = calls
        self.nanoseconds = nanoseconds
        self.bytes = bytes
        self.operations = operations
        self.skipped = skipped
    }

    static func += (sum: inout KernelWork, other: KernelWork) {
        sum.calls += other.calls
        sum.nanoseconds += other.nanoseconds
        sum.bytes += other.bytes
        sum.operations += other.operations
        sum.skipped += other.skipped
    }
}

/// A matrix product as oneDNN is asked for it.
public struct ProductShape: Hashable, Sendable, Codable {
    /// The product is `[m, n]`, summed over `k`.
    public let m: Int, n: Int, k: Int
    /// Whether the operands lie transposed in memory, as `GEMM.multiply` means it.
    public let transposeA: Bool, transposeB: Bool
    /// Distances between the rows of `a`, `b` and `c` as they lie in memory.
    public let lda: Int, ldb: Int, ldc: Int

    /// A shape of the given parts; rows without gaps where no distance is given.
    public init(
        m: Int, n: Int, k: Int, transposeA: Bool = false, transposeB: Bool = false, lda: Int? = nil, ldb: Int? = nil,
        ldc: Int? = nil
    ) {
        self.m = m
        self.n = n
        self.k = k
        self.transposeA = transposeA
        self.transposeB = transposeB
        self.lda = lda ?? (transposeA ? m : k)
        self.ldb = ldb ?? (transposeB ? k : n)
        self.ldc = ldc ?? n
    }

    /// Floats that `a`, `b` and `c` take in memory.
    public var floats: (a: Int, b: Int, c: Int) {
        ((transposeA ? k : m) * lda, (transposeB ? n : k) * ldb, m * ldc)
    }

    /// Floating-point operations of one such product.
    public var operations: Int { 2 * m * n * k }
}

/// Host time and work by kernel and by shape of product, added up while an engine has one.
public struct KernelProfile: Sendable {
    /// Work by kernel.
    public private(set) var kernels: [StepKernel: KernelWork] = [:]
    /// Work by shape of product.
    public private(set) var products: [ProductShape: KernelWork] = [:]

    /// Zeros among activations and gradients, where they are counted.
    public private(set) var zeros: [ZeroSite: ZeroCount] = [:]
    /// Whether they are: counting takes time of its own.
    public let countsZeros: Bool

    /// An empty profile.
    public init(countsZeros: Bool = false) { self.countsZeros = countsZeros }

    /// Operations of all matrix products.
    public var operations: Int { kernels.values.reduce(0) { $0 + $1.operations } }
    /// Nanoseconds of host time in all kernels, added up over threads.
    public var nanoseconds: UInt64 { kernels.values.reduce(0) { $0 + $1.nanoseconds } }

    /// Adds a kernel's work.
    public mutating func book(_ kernel: StepKernel, _ work: KernelWork) {
        kernels[kernel, default: KernelWork()] += work
    }

    /// Adds the work of matrix products of one shape.
    mutating func book(_ kernel: StepKernel, _ shape: ProductShape, _ work: KernelWork) {
        book(kernel, work)
        products[shape, default: KernelWork()] += work
    }

    /// Adds zeros.
    mutating func book(_ site: ZeroSite, _ count: ZeroCount) {
        zeros[site, default: ZeroCount()] = zeros[site, default: ZeroCount()] + count
    }

    /// Adds another profile, of another thread or step.
    public static func += (sum: inout KernelProfile, other: KernelProfile) {
        sum.kernels.merge(other.kernels) { $0 + $1 }
        sum.products.merge(other.products) { $0 + $1 }
        sum.zeros.merge(other.zeros) { $0 + $1 }
    }
}

extension KernelWork {
    fileprivate static func + (left: KernelWork, right: KernelWork) -> KernelWork {
        var sum = left
        sum += right
        return sum
    }
}
