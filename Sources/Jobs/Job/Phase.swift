#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A stretch of training at one sequence length and one global batch.
public struct Phase: Hashable, Sendable, Codable {
    /// Tokens of a sequence, padding included.
    public var sequence: Int
    /// The most masked positions of a sequence.
    public var maskedPositions: Int
    /// Sequences of one optimizer step; the lanes divide it.
    public var globalBatch: Int
    /// The most sequences that a lane computes at once; further ones are accumulated within the lane.
    public var microBatch: Int
    /// Optimizer steps.
    public var steps: Int
    /// The learning rate over this phase.
    public var schedule: Schedule

    /// A phase of the given parts.
    public init(
        sequence: Int, maskedPositions: Int, globalBatch: Int, microBatch: Int, steps: Int, schedule: Schedule
    ) {
        self.sequence = sequence
        self.maskedPositions = maskedPositions
        self.globalBatch = globalBatch
        self.microBatch = microBatch
        self.steps = steps
        self.schedule = schedule
    }
}

/// A learning rate as a function of the step.
public struct Schedule: Hashable, Sendable, Codable {
    /// What follows the warm-up.
    public enum Decay: String, Hashable, Sendable, Codable, CaseIterable {
        /// The peak is kept.
        case constant
        /// A straight line to zero at the last step.
        case linear
        /// (1 - progress) to a power, to zero at the last step.
        case polynomial
        /// Half a cosine to zero at the last step.
        case cosine
    }

    /// The highest learning rate.
    public var peak: Float
    /// Steps of linear growth from zero to the peak.
    public var warmupSteps: Int
    /// What follows.
    public var decay: Decay
    /// The exponent of a polynomial decay.
    public var power: Float

    /// A schedule of the given parts.
    public init(peak: Float, warmupSteps: Int, decay: Decay, power: Float = 1) {
        self.peak = peak
        self.warmupSteps = warmupSteps
        self.decay = decay
        self.power = power
    }

    /// The learning rate of step `step` (from 0) of `total`.
    ///
    /// Warm-up: peak x (step + 1) / warmupSteps. Then, with progress = (step - warmupSteps) / (total - warmupSteps):
    /// linear peak x (1 - progress); polynomial peak x (1 - progress)^power; cosine peak x (1 + cos(pi x progress)) / 2.
    public func learningRate(step: Int, of total: Int) -> Float {
        if step < warmupSteps { return peak * Float(step + 1) / Float(warmupSteps) }
        let progress = Double(step - warmupSteps) / Double(max(1, total - warmupSteps))
        switch decay {
        case .constant: return peak
        case .linear: return peak * Float(1 - progress)
        case .polynomial: return peak * Float(pow(1 - progress, Double(power)))
        case .cosine: return peak * Float((1 + cos(Double.pi * progress)) / 2)
        }
    }
}
