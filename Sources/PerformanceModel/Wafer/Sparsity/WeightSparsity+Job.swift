import Jobs

extension WeightSparsity {
    /// The zeros of a sparse job, once its density has fallen as far as it is to.
    ///
    /// - Throws: `unsupported` for a density that is not above 0 and up to 1.
    public init(_ settings: SparsitySettings) throws(PerformanceModelError) {
        let pattern: Pattern =
            switch settings.pattern {
            case .unstructured: .unstructured
            case .block4: .block4
            case .nOfM: .nOfM
            }
        try self.init(density: settings.density, pattern: pattern, roles: Set(settings.matrices.map(\.role)))
    }
}

extension StepModel.Layout {
    /// The zeros that a wafer sees: those that were asked for, else the job's own.
    func weightSparsity(of job: Job) throws(PerformanceModelError) -> WeightSparsity? {
        if let sparsity { return sparsity }
        guard let settings = job.sparsity else { return nil }
        return try WeightSparsity(settings)
    }
}

extension Job {
    /// The job with all weights kept.
    var dense: Job {
        var job = self
        job.sparsity = nil
        return job
    }
}

extension SparsitySettings.Matrix {
    /// The operator on a wafer whose weights these are.
    fileprivate var role: WaferKernel.Role {
        switch self {
        case .queryKeyValue: .queryKeyValue
        case .attentionOutput: .attentionOutput
        case .intermediate: .feedForwardIn
        case .output: .feedForwardOut
        }
    }
}
