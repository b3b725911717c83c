/// How the workers of a cluster sum their gradients. Every algorithm gives the sum in the order of the lane tree, equal to
/// the bit; they differ in who adds what, and in what travels between whom.
public enum CollectiveAlgorithm: String, Hashable, Sendable, Codable, CaseIterable {
    /// Reduce-scatter and all-gather straight between all pairs.
    case direct
    /// One worker is the parameter server: it sums for all.
    case star
    /// Around a ring of workers, twice.
    case ring
    /// Up a binomial tree of workers, and down again.
    case tree
}
