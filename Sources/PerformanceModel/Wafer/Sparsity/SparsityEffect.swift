import Jobs

/// What a wafer gains from zeros among the weights: the same phase with and without them, each on its own plan.
public struct SparsityEffect: Hashable, Sendable, Codable {
    /// The share of the weights that are not zero, over the matrices that have zeros.
    public var density: Double
    /// Which weights are zero together.
    public var pattern: WeightSparsity.Pattern
    /// The share of all multiply-adds of a sample that remain.
    public var multiplyAddShare: Double
    /// Non-zero weights of the fullest core over the mean of its kernel's cores: the worst of all kernels.
    public var imbalance: Double
    /// A step without zeros, and with them.
    public var denseStep: ModelledSeconds
    public var sparseStep: ModelledSeconds
    /// The share of the step's time that is saved.
    public var savedShare: Double { 1 - sparseStep.seconds / denseStep.seconds }

    enum CodingKeys: String, CodingKey {
        case density, pattern
        case multiplyAddShare = "multiply_add_share"
        case imbalance
        case denseStep = "dense_step_seconds"
        case sparseStep = "sparse_step_seconds"
    }

    /// The effect of `sparsity` on phase `index` of `job` on the wafer `profile`, laid out as `layout` says of the rest.
    ///
    /// - Throws: as `StepModel.predict`; `unsupported` where the profile is no wafer.
    public init(
        job: Job, profile: HardwareProfile, phase index: Int, sparsity: WeightSparsity,
        layout: StepModel.Layout = StepModel.Layout(workers: 1)
    ) throws(PerformanceModelError) {
        var (dense, sparse) = (layout, layout)
        dense.sparsity = nil
        sparse.sparsity = sparsity
        let without = try WaferSchedule(job: job.dense, profile: profile, layout: dense, phase: index)
        let with = try WaferSchedule(job: job, profile: profile, layout: sparse, phase: index)
        self.init(without: without, with: with, sparsity: sparsity)
    }

    /// The effect between two schedules of the same phase.
    init(without: WaferSchedule, with: WaferSchedule, sparsity: WeightSparsity) {
        let kernels = with.graph.kernels
        let thinned = kernels.filter { $0.density < 1 }
        let places = thinned.reduce(0.0) { $0 + Double($1.parameters) }
        density =
            places > 0
            ? thinned.reduce(0.0) { $0 + Double($1.parameters) * $1.density } / places : 1
        pattern = sparsity.pattern
        multiplyAddShare =
            kernels.reduce(0) { $0 + $1.multiplyAdds } / kernels.reduce(0) { $0 + $1.denseMultiplyAdds }
        imbalance = with.worstImbalance
        denseStep = ModelledSeconds(without.seconds)
        sparseStep = ModelledSeconds(with.seconds)
    }
}
