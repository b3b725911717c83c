#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import Jobs
import PerformanceModel

/// How much slower this machine is now than when it was calibrated: 1 is as fast, 1.1 takes a tenth longer.
///
/// A shared machine's speed changes by tens of per cent within minutes. Measured beside a run, by kernels that the profile
/// has rates of, it tells that apart from what the model gets wrong.
struct HostDrift: Encodable, Sendable {
    /// Of the engine's passes.
    var compute: Double
    /// Of what goes through memory: adding gradients, the optimizer, copies between processes.
    var memory: Double

    /// Host seconds that a measurement takes, about: a machine that pauses for some hundredths of a second is not slow.
    private static let secondsEach = 0.8

    /// Measures it by passes like those of `job` in its first phase, as `layout` has them, against what `host` says of the
    /// same shape.
    static func measure(_ job: Job, layout: HostStep.Layout, on host: HostMachine) throws -> HostDrift {
        // What the run before wrote is still on its way to the disk, which would slow these kernels and not the run's.
        sync()
        let phase = job.phases[0]
        let sequences = Double(phase.globalBatch) / Double(job.lanes)
        let tokens = sequences * Double(phase.sequence) * layout.lengths.fill
        let busy = min(layout.workers * layout.threads, host.cores)
        // The calibrated shape that is nearest, so that both have rates of the very same passes.
        let sizes = KernelCalibration.tokens(width: job.model.hidden, length: phase.sequence)
        let size = sizes.min { abs(log(Double($0) / tokens)) < abs(log(Double($1) / tokens)) } ?? phase.sequence
        let now = try KernelCalibration(secondsEach: secondsEach).measure(
            width: job.model.hidden, length: phase.sequence, tokens: size, busy: busy)
        let then = host.rates(hidden: job.model.hidden, sequence: phase.sequence, tokens: size, busy: busy)
        let work = LanePassWork(
            model: job.model, vocabularySize: KernelCalibration.vocabulary, sequences: sequences, tokens: tokens,
            masked: sequences * Double(phase.maskedPositions))
        let sum = MemoryCalibration().sum() * 1e9
        return HostDrift(
            compute: work.seconds(now) / work.seconds(then), memory: sum / host.sumNanosecondsPerElement)
    }

    /// The drift among measurements: the geometric mean of each part; nil without any.
    init?(among drifts: [HostDrift]) {
        guard let compute = drifts.map(\.compute).geometricMean, let memory = drifts.map(\.memory).geometricMean
        else { return nil }
        self.init(compute: compute, memory: memory)
    }

    init(compute: Double, memory: Double) {
        self.compute = compute
        self.memory = memory
    }
}

extension [Double] {
    /// The geometric mean of positive numbers; nil of none.
    var geometricMean: Double? { isEmpty ? nil : exp(reduce(0) { $0 + log($1) } / Double(count)) }
}
