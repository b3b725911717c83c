import Jobs
import PerformanceModel

/// What the job would take if each device kept its share of the batch, so that the global batch grows with the cluster:
/// until it passes the critical batch, more devices need fewer steps; beyond it they need more examples instead.
///
/// Examples for the same quality at a global batch B go as 1 + B / B_crit (McCandlish et al. 2018, eq. 2.7), B_crit being the
/// gradient noise scale that a run measured.
public struct BatchGrowth: Sendable, Encodable {
    /// One size of the cluster.
    public struct Point: Sendable, Encodable {
        /// Devices, and the sequences of a step of the first phase.
        public var devices: Int
        public var globalBatch: Int
        /// Examples for the same quality over those that the job has.
        public var examplesRatio: Double
        /// The whole job, and the ends of the 90 % interval of its steps.
        public var timeModelledSeconds: Double
        public var lowModelledSeconds: Double
        public var highModelledSeconds: Double
    }

    /// The run whose last evaluation measured the noise scale, and that.
    public var runId: String
    public var criticalBatchSequences: Double
    /// Sequences of a step of the first phase that each device has.
    public var sequencesPerDevice: Int
    /// As many devices as make one batch, then twice as many each time.
    public var points: [Point]
    /// The most devices up to which each doubling cuts the time by a fifth or more.
    public var worthwhileDevices: Int

    /// What tells how far a batch can grow.
    public struct Noise: Sendable {
        /// The run that measured it.
        public var runId: String
        /// The simple noise scale, in sequences.
        public var scaleSequences: Double
        /// Devices that shared that run's batch.
        public var devices: Int

        /// Noise of the given parts.
        public init(runId: String, scaleSequences: Double, devices: Int) {
            self.runId = runId
            self.scaleSequences = scaleSequences
            self.devices = devices
        }
    }

    /// The growth of `job` over `devices`, ascending, each of which keeps the share that it had of the run that measured
    /// `noise`; nil where the batch can't be shared so.
    init?(
        job: Job, profile: HardwareProfile, vocabularySize: Int?, devices: [Int], noise: Noise
    ) {
        guard let first = job.phases.first, noise.scaleSequences > 0, noise.devices > 0,
            first.globalBatch.isMultiple(of: noise.devices)
        else { return nil }
        runId = noise.runId
        criticalBatchSequences = noise.scaleSequences
        sequencesPerDevice = first.globalBatch / noise.devices
        points = devices.compactMap { devices in
            Self.point(job, on: profile, vocabularySize, devices: devices, noise: noise)
        }
        if points.isEmpty { return nil }
        worthwhileDevices = ModelledScaling.worthwhile(points.map { ($0.devices, $0.timeModelledSeconds) })
    }

    private static func point(
        _ job: Job, on profile: HardwareProfile, _ vocabularySize: Int?, devices: Int, noise: Noise
    ) -> Point? {
        var grown = job
        for (index, phase) in job.phases.enumerated() {
            let batch = phase.globalBatch * devices / noise.devices
            guard batch >= devices else { return nil }
            let ratio = examplesRatio(of: batch, to: phase.globalBatch, noise)
            let steps = Double(phase.steps) * ratio * Double(phase.globalBatch) / Double(batch)
            grown.phases[index].globalBatch = batch
            grown.phases[index].microBatch = min(phase.microBatch, batch / devices)
            grown.phases[index].steps = max(1, Int(steps.rounded(.up)))
        }
        guard
            let prediction = try? JobPrediction(
                job: grown, profile: profile,
                layout: StepModel.Layout(workers: devices, vocabularySize: vocabularySize))
        else { return nil }
        return Point(
            devices: devices, globalBatch: grown.phases[0].globalBatch,
            examplesRatio: examplesRatio(of: grown.phases[0].globalBatch, to: job.phases[0].globalBatch, noise),
            timeModelledSeconds: prediction.time.seconds, lowModelledSeconds: prediction.low.seconds,
            highModelledSeconds: prediction.high.seconds)
    }

    private static func examplesRatio(of batch: Int, to usual: Int, _ noise: Noise) -> Double {
        let law = ConvergenceLaw(leastSamples: 1, criticalBatch: noise.scaleSequences)
        return law.samples(globalBatch: Double(batch)) / law.samples(globalBatch: Double(usual))
    }
}
