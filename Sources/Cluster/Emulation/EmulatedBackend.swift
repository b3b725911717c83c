import Foundation
import Jobs
import PerformanceModel
import Training

/// Makes steps as `ClusterBackend` does, and takes as long over them as a device of the emulated machine, slowed by the
/// dilation: each part of the gradient leaves when that device would have computed it, and a step ends when it would have
/// updated its weights. Everything is really computed; the numbers are the same to the bit.
struct EmulatedBackend: StepBackend {
    let trainer: Trainer
    /// Sums with the peers, and waits for virtual ones; nil for a worker that has neither.
    let exchange: (any GradientExchange)?
    /// Whether there are other workers, who must all have computed a step before anybody applies it.
    let hasPeers: Bool
    /// Tells when the membership is over.
    let monitor: ExchangeMonitor
    let device: EmulatedDevice
    let rank: WorkerRank
    /// How long a step's exchange may take once this worker has nothing else to do.
    let deadline: HostSeconds
    private let clock = EmulatedClock()

    func stoodStill(until instant: MonotonicInstant) { clock.stand(until: instant) }

    func makeStep(_ step: StepNumber, observer: any StepObserver) throws -> StepOutcome {
        var stopwatch = Stopwatch()
        var timings = StepTimings(from: stopwatch)
        try observer.reached(.input, of: step)
        try trainer.loadStep(step)
        timings.input = stopwatch.lap()
        guard let schedule = device.schedule(of: step, in: trainer.plan.job, worker: rank) else {
            throw TrainingError.outOfTurn(
                step: step, found: "no schedule of the emulated device", allowed: "one for each phase")
        }
        let start = device.dilation > 0 ? clock.start { !monitor.isInterrupted } : .now()
        _ = stopwatch.lap()
        timings.starts.compute = stopwatch.lapped
        var emulated = EmulatedTimings(dilation: device.dilation)
        let lanes = try compute(step, schedule, start: start, observer: observer, &emulated)
        timings.compute = stopwatch.lap()
        timings.starts.waiting = stopwatch.lapped
        try observer.reached(.exchange, of: step)
        let exchanged = try exchange?.finish(within: deadline)
        let blocked = stopwatch.lap()
        let summed = exchanged?.completed ?? .now()
        if hasPeers { try observer.awaitCommit(of: step) }
        let waiting = min(blocked, exchanged?.waiting ?? .zero)
        timings.starts.commit = stopwatch.lapped
        timings.starts.exposedCommunication = min(timings.starts.waiting + waiting, timings.starts.commit)
        timings.starts.optimizer = timings.starts.commit
        try observer.reached(.apply, of: step)
        let begun = MonotonicInstant.now()
        let optimizer = try trainer.applyOptimizer(step)
        emulated.optimizer = MonotonicInstant.now().elapsed(since: begun)
        // What has been applied must be reported, so a membership that is over only cuts the wait short.
        let end = summed.advanced(by: HostSeconds(schedule.updateSeconds * device.dilation))
        let late = Hold.until(end) { !monitor.isInterrupted }
        clock.end(at: end)
        timings.waiting = waiting
        timings.exposedCommunication = blocked - waiting
        timings.optimizer = stopwatch.lap()
        emulated.dilated = end.elapsed(since: start)
        emulated.lateness = max(emulated.lateness, max(late ?? .zero, exchanged?.lateness ?? .zero))
        return StepOutcome(
            lanes: lanes, optimizer: optimizer, timings: timings, sent: exchanged?.sent ?? Bytes(0),
            uncompressed: exchanged?.uncompressed ?? Bytes(0), emulated: late == nil ? nil : emulated)
    }

    /// Forward and backward pass, which end when the emulated device's do.
    private func compute(
        _ step: StepNumber, _ schedule: DeviceSchedule, start: MonotonicInstant, observer: any StepObserver,
        _ emulated: inout EmulatedTimings
    ) throws -> [LaneResult] {
        try exchange?.begin(step, at: start)
        let count = trainer.plan.layout.elementCount
        let release = GradientRelease(
            GradientRelease.parts(schedule, count: count, start: start, dilation: device.dilation), to: exchange,
            monitor: monitor)
        do {
            try observer.reached(.forward, of: step)
            // As when a machine loses its power: not a word to anybody.
            if step == device.failure { kill(getpid(), SIGKILL) }
            let lanes = try trainer.computeGradients(step) { range in
                try observer.reached(.sum, of: step)
                release.computed(upTo: range.upperBound)
                try observer.reached(.backward, of: step)
            }
            release.computed(upTo: count)
            emulated.compute = MonotonicInstant.now().elapsed(since: start)
            observer.computed(lanes, of: step)
            emulated.lateness = try release.finish()
            return lanes
        } catch {
            release.cancel()
            throw error
        }
    }
}
