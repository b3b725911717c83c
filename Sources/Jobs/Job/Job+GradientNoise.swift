extension Job {
    /// Steps of one interval between evaluations whose lanes' gradients are measured: enough for an average, few enough
    /// that reading a gradient once more, which takes about a hundredth of a small lane's step, is not felt.
    private static let noiseSamples = 32

    /// Whether the norms of the lanes' gradients are measured at `step`, for the gradient noise scale: at the last step
    /// before every evaluation, and evenly between. One lane alone says nothing of noise; nor does a sum from which lanes held
    /// most of their gradients back.
    public func measuresGradientNoise(at step: StepNumber) -> Bool {
        guard tellsGradientNoise else { return false }
        let every = max(1, evaluation.everySteps)
        let stride = max(1, every / Self.noiseSamples)
        return (step.index % every + 1) % stride == 0 || (step.index + 1) % every == 0
    }

    private var tellsGradientNoise: Bool {
        if case .topK = compression { false } else { lanes > 1 }
    }

    /// The share of an interval's steps at which they are.
    public var gradientNoiseShare: Double {
        guard tellsGradientNoise else { return 0 }
        let every = max(1, evaluation.everySteps)
        let stride = max(1, every / Self.noiseSamples)
        return Double((every + stride - 1) / stride) / Double(every)
    }
}
