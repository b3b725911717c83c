#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import Jobs
import PerformanceModel

/// The device that a worker stands for in an emulated run: what the coordinator tells the worker, as JSON.
public struct EmulatedDevice: Hashable, Sendable, Codable {
    /// The factor by which it is slowed; 0 where it holds nothing back, so that the host can be measured.
    public var dilation: Double
    /// When it is done with each part of a step, phase by phase of the job.
    public var schedules: [DeviceSchedule]
    /// The coefficient of variation of its time from step to step.
    public var jitter: Double

    /// A device of the given parts.
    public init(dilation: Double, schedules: [DeviceSchedule], jitter: Double = 0) {
        self.dilation = dilation
        self.schedules = schedules
        self.jitter = jitter
    }

    /// The device at `place` of `cluster`, slowed by `dilation`.
    public init(_ place: Int, of cluster: EmulatedCluster, dilation: Double) {
        self.init(dilation: dilation, schedules: cluster.schedules.map { $0[place] }, jitter: cluster.jitter)
    }

    /// What it does at `step` of `job`: its phase's schedule, by as much slower or faster as its time wavers. A pure
    /// function of the job's seed, the step and the worker.
    public func schedule(of step: StepNumber, in job: Job, worker: WorkerRank) -> DeviceSchedule? {
        guard let (index, _, _) = job.phase(at: step), schedules.indices.contains(index) else { return nil }
        guard jitter > 0 else { return schedules[index] }
        var random = CounterRandom(
            seed: job.seed, purpose: .emulatedJitter, step: UInt64(step.index), example: UInt32(worker.index))
        // Box and Muller 1958; the shift keeps the logarithm's argument above zero.
        let (first, second) = (Double(random.nextUnit()) + 0x1p-25, Double(random.nextUnit()))
        let normal = (-2 * log(first)).squareRoot() * cos(2 * Double.pi * second)
        return schedules[index].slowed(by: max(0.1, 1 + jitter * normal))
    }
}
