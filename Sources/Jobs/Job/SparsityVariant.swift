/// A job's network as one of the variants that are compared: dense, or with a share of its weights held at zero.
public struct SparsityVariant: Hashable, Sendable {
    /// `dense`, or `sparse` and a percentage of zeros, such as `sparse75`.
    public let name: String
    /// Per cent of the weights that are zero; 0 for a dense network.
    public let percentZeros: Int

    /// The variant called `name`; nil where it is none.
    public init?(name: String) {
        self.name = name
        if name == "dense" {
            percentZeros = 0
        } else if name.hasPrefix("sparse"), let percent = Int(name.dropFirst(6)), 1...99 ~= percent,
            name == "sparse\(percent)"
        {
            percentZeros = percent
        } else {
            return nil
        }
    }

    /// `job` as this variant under `seed`: its own `sparsity` with another density, or static unstructured masks where it
    /// has none.
    public func job(_ job: Job, seed: UInt64) -> Job {
        var variant = job
        variant.seed = seed
        let ending = "-\(name)-\(seed)"
        variant.name = String(job.name.prefix(64 - ending.count)) + ending
        if percentZeros == 0 {
            variant.sparsity = nil
        } else {
            var sparsity = job.sparsity ?? SparsitySettings(density: 1)
            sparsity.density = Double(100 - percentZeros) / 100
            variant.sparsity = sparsity
        }
        return variant
    }
}
