import Jobs
import PerformanceModel
import Training

/// How much slower this machine is now than when it was calibrated, since something else runs on it: what `calibrate`
/// measured, measured again in the same way, beside what the profile says of it.
struct HostPace: Sendable {
    /// What was measured at one time.
    struct Sample: Encodable, Sendable {
        /// What each lane's kernels take over what the profile says of them, some times in a row.
        var lanes: [[Double]]
        /// The same of an update of weights, which moves memory.
        var memory: Double
    }

    /// How many times in a row kernels are measured: so that the median has nothing of one that met a stall.
    private static let times = 4

    private let reference: KernelShape
    /// What the reference's kernels take in a step by the profile, in host seconds.
    private let kernelSeconds: Double
    /// What an update takes by the profile, in host nanoseconds a parameter.
    private let updateNanoseconds: Double

    /// The pace of `host` while `workers` lanes are computed side by side; nil where its profile has no rates of the
    /// reference.
    init?(of host: HostMachine, workers: Int) {
        let reference = KernelShape.reference(busy: min(workers, host.cores))
        guard let rates = host.rates.first(where: { KernelShape(of: $0) == reference }) else { return nil }
        self.reference = reference
        kernelSeconds = reference.kernelSeconds(at: rates)
        updateNanoseconds =
            reference.busy == 1 ? host.adamwNanosecondsPerParameterAlone : host.adamwNanosecondsPerParameter
    }

    /// What is measured now.
    func sample() async throws -> Sample {
        var lanes: [[Double]] = []
        for _ in 1...Self.times {
            let now = try await reference.measure(seconds: KernelShape.referenceSeconds)
            lanes.append(now.laneKernelSeconds.map { $0 / kernelSeconds })
        }
        let update = try await OwnThread.run { [reference] in
            try OptimizerBench.nanosecondsPerParameter(.adamw, threads: reference.busy)
        }
        return Sample(lanes: lanes, memory: update / updateNanoseconds)
    }
}

extension HostStep.Slowdown {
    /// The medians of what was measured at some times; of kernels the mean lane's, whose rates the profile has.
    init(_ samples: [HostPace.Sample]) {
        self.init(
            kernels: Quantiles(samples.flatMap(\.lanes).compactMap(mean)).median ?? 1,
            memory: Quantiles(samples.map(\.memory)).median ?? 1)
    }
}
