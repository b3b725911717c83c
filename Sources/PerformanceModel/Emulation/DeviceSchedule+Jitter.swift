#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import Jobs

extension DeviceSchedule {
    /// The schedule at `step` of the device of `worker`, whose time wavers with coefficient of variation `jitter`: a pure
    /// function of the seed, the step and the worker.
    public func wavering(by jitter: Double, seed: UInt64, step: StepNumber, worker: WorkerRank) -> DeviceSchedule {
        guard jitter > 0 else { return self }
        var random = CounterRandom(
            seed: seed, purpose: .emulatedJitter, step: UInt64(step.index), example: UInt32(worker.index))
        // Box and Muller 1958; the shift keeps the logarithm's argument above zero.
        let (first, second) = (Double(random.nextUnit()) + 0x1p-25, Double(random.nextUnit()))
        let normal = (-2 * log(first)).squareRoot() * cos(2 * Double.pi * second)
        return slowed(by: max(0.1, 1 + jitter * normal))
    }
}
