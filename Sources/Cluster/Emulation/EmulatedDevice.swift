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
    /// The step at which its node fails; nil for one that doesn't.
    public var failure: StepNumber?
    /// Where it hears when its exchange is over, in a cluster some of whose devices are virtual; nil elsewhere.
    public var line: VirtualPlan.Line?

    /// A device of the given parts.
    public init(
        dilation: Double, schedules: [DeviceSchedule], jitter: Double = 0, failure: StepNumber? = nil
    ) {
        self.dilation = dilation
        self.schedules = schedules
        self.jitter = jitter
        self.failure = failure
    }

    /// The device at `place` of `cluster`, slowed by `dilation`, in a membership that begins after `stepsMade` steps.
    ///
    /// A node fails once: the step in which it did is made again by those that are left, who fill nodes anew.
    public init(_ place: Int, of cluster: EmulatedCluster, dilation: Double, stepsMade: Int) {
        let failure = cluster.nodeFailures[cluster.network.places[place].node]
        self.init(
            dilation: dilation, schedules: cluster.schedules.map { $0[place] }, jitter: cluster.jitter,
            failure: failure.flatMap { $0.index > stepsMade ? $0 : nil })
    }

    /// What it does at `step` of `job`: its phase's schedule, by as much slower or faster as its time wavers. A pure
    /// function of the job's seed, the step and the worker.
    public func schedule(of step: StepNumber, in job: Job, worker: WorkerRank) -> DeviceSchedule? {
        guard let (index, _, _) = job.phase(at: step), schedules.indices.contains(index) else { return nil }
        return schedules[index].wavering(by: jitter, seed: job.seed, step: step, worker: worker)
    }
}
