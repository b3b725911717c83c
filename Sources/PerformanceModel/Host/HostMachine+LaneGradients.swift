extension HostMachine {
    /// What a lane's gradient costs around its passes, in nanoseconds an element on each thread.
    public struct LaneGradients: Hashable, Sendable, Codable {
        /// Adding it to another's.
        public var sum: Double
        /// Its squared norm.
        public var norm: Double

        /// Costs of the given parts.
        public init(sum: Double, norm: Double) {
            self.sum = sum
            self.norm = norm
        }
    }
}

extension HostMachine.LaneGradients: KeyedFigures {
    static let zero = Self(sum: 0, norm: 0)
    static let allowed = 1e-9...1e9
    static var keys: [(String, WritableKeyPath<Self, Double>)] {
        [("sum_nanoseconds_per_element", \.sum), ("norm_nanoseconds_per_element", \.norm)]
    }
}
