import Jobs

/// Zeros among a network's weights, as far as a wafer's time depends on them: a core starts a multiply-add for a weight
/// that is not zero, and for no other.
public struct WeightSparsity: Hashable, Sendable, Codable {
    /// Which weights may be zero together.
    public enum Pattern: String, Hashable, Sendable, Codable, CaseIterable {
        /// Each weight by itself.
        case unstructured
        /// Runs of four weights.
        case block4
        /// As many in every group of neighbours, so that every core has the same number.
        case nOfM = "n_of_m"
    }

    /// A weight matrix of the network.
    public struct Matrix: Hashable, Sendable, Codable {
        /// The operator that it belongs to.
        public var role: WaferKernel.Role
        /// The encoder layer from 0; nil outside the encoder.
        public var layer: Int?

        /// The matrix of an operator of a layer.
        public init(role: WaferKernel.Role, layer: Int?) {
            self.role = role
            self.layer = layer
        }
    }

    /// The encoder's weight matrices: those that sparse pre-training thins out (Thangarasa et al. 2023, arXiv 2303.10464).
    public static let encoderMatrices: Set<WaferKernel.Role> = [
        .queryKeyValue, .attentionOutput, .feedForwardIn, .feedForwardOut,
    ]

    /// The share of weights that are not zero, above 0 and up to 1.
    public let density: Double
    /// Which weights may be zero together.
    public let pattern: Pattern
    /// The operators whose weights it applies to.
    public let roles: Set<WaferKernel.Role>
    /// Shares that a run counted, matrix by matrix; they go before `density`.
    public let counted: [Matrix: Double]

    /// Zeros of the given kind.
    ///
    /// - Throws: `unsupported` for a density that is not above 0 and up to 1.
    public init(
        density: Double, pattern: Pattern = .unstructured, roles: Set<WaferKernel.Role> = Self.encoderMatrices,
        counted: [Matrix: Double] = [:]
    ) throws(PerformanceModelError) {
        for share in [density] + counted.values where !(share > 0 && share <= 1) {
            throw .unsupported("found a density of \(share); allowed: above 0 and up to 1")
        }
        self.density = density
        self.pattern = pattern
        self.roles = roles
        self.counted = counted
    }

    /// The share of the weights of an operator that are not zero.
    func density(of role: WaferKernel.Role, layer: Int?) -> Double {
        counted[Matrix(role: role, layer: layer)] ?? (roles.contains(role) ? density : 1)
    }
}
