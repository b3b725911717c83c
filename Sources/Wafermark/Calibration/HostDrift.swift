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

    /// Measures it by passes like those of `job` in its first phase, as `layout` has them, against what `host` says of the
    /// same shape.
    static func measure(_ job: Job, layout: HostStep.Layout, on host: HostMachine) throws -> HostDrift {
        let phase = job.phases[0]
        let sequences = Double(phase.globalBatch) / Double(job.lanes)
        let tokens = sequences * Double(phase.sequence) * layout.lengths.fill
        let busy = min(layout.workers * layout.threads, host.cores)
        // The calibrated shape that is nearest, so that both have rates of the very same passes.
        let sizes = KernelCalibration.tokens(width: job.model.hidden, length: phase.sequence)
        let size = sizes.min { abs(log(Double($0) / tokens)) < abs(log(Double($1) / tokens)) } ?? phase.sequence
        let now = try KernelCalibration().measure(
            width: job.model.hidden, length: phase.sequence, tokens: size, busy: busy)
        let then = host.rates(hidden: job.model.hidden, sequence: phase.sequence, tokens: size, busy: busy)
        let work = LanePassWork(
            model: job.model, vocabularySize: KernelCalibration.vocabulary, sequences: sequences, tokens: tokens,
            masked: sequences * Double(phase.maskedPositions))
        let sum = MemoryCalibration().sum() * 1e9
        return HostDrift(
            compute: work.seconds(now) / work.seconds(then), memory: sum / host.sumNanosecondsPerElement)
    }

    /// The drift between two measurements: the geometric mean.
    func between(_ other: HostDrift) -> HostDrift {
        HostDrift(
            compute: (compute * other.compute).squareRoot(), memory: (memory * other.memory).squareRoot())
    }
}
