#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// When masks change, and how dense the weights are in between: a function of the job and the step alone, so that every
/// worker does the same, and does it again after a restart.
public struct SparsitySchedule: Hashable, Sendable {
    /// What happens to the masks at a step, with its gradient and before its update.
    public enum Change: Hashable, Sendable {
        /// This share of the weights is kept, the largest.
        case prune(density: Double)
        /// This share of the kept weights, the smallest, gives way to those with the largest gradients.
        case exchange(share: Double)
    }

    /// The density up to which zeros are not multiplied; above it dense products are faster.
    ///
    /// One number for every machine, pattern and product, because results of the two differ in their last bits: with a
    /// break-even measured on each machine, one job would have different bits on different machines. `wafermark bench
    /// kernels --sparse` draws the curve that it was read from.
    public static let densityLimit = 0.4

    /// What the job says.
    public let settings: SparsitySettings

    /// The schedule of a job's settings.
    public init(_ settings: SparsitySettings) { self.settings = settings }

    /// The change at step `step`, if any.
    public func change(at step: Int) -> Change? {
        switch settings.method {
        case .fixed: return nil
        case .magnitude(let ramp):
            let since = step - ramp.startStep
            guard since >= 0, since <= ramp.rampSteps, since % ramp.updateEvery == 0 || since == ramp.rampSteps else {
                return nil
            }
            return .prune(density: density(ramp, since: since))
        case .regrow(let regrowth):
            guard step > 0, step < regrowth.stopStep, step % regrowth.updateEvery == 0 else { return nil }
            let share = regrowth.share / 2 * (1 + cos(Double.pi * Double(step) / Double(regrowth.stopStep)))
            return .exchange(share: share)
        }
    }

    /// The share of weights that step `step` computes with: that after all changes of the steps before.
    public func density(of step: Int) -> Double {
        guard case .magnitude(let ramp) = settings.method else { return settings.density }
        let since = step - 1 - ramp.startStep
        guard since >= 0 else { return 1 }
        if since >= ramp.rampSteps { return settings.density }
        return density(ramp, since: since / ramp.updateEvery * ramp.updateEvery)
    }

    /// Zhu and Gupta 2017, equation 1.
    private func density(_ ramp: MagnitudeRamp, since: Int) -> Double {
        guard since < ramp.rampSteps else { return settings.density }
        let left = 1 - Double(since) / Double(ramp.rampSteps)
        return 1 - (1 - settings.density) * (1 - left * left * left)
    }

    /// Whether step `step` multiplies with the kept weights alone, or with all of them, zeros included.
    public func skipsZeros(at step: Int) -> Bool { density(of: step) <= Self.densityLimit }

    /// Whether step `step` needs the gradients of weights that are not kept.
    public func needsAllGradients(at step: Int) -> Bool {
        if case .exchange = change(at: step) { true } else { false }
    }
}
