import Jobs
import PerformanceModel

/// Measures shapes with as many lanes side by side, each in turn with one reference shape.
///
/// What else runs on a machine, and the clock that its cores may have at the moment, move all kernels about alike. What
/// counts is therefore how long a shape's kernels take over the reference's: shapes that were measured minutes apart are
/// then as if they had been measured at once.
struct KernelGroup {
    /// Host seconds that a shape, and the reference, is measured for at a time, about.
    private static let shapeSeconds = 0.5
    private static let referenceSeconds = 0.25
    /// The standard error of the median ratio, as a share of it, with which a shape was measured often enough.
    private static let tolerance = 0.01
    /// The quantile of the reference's measurements that is taken for the machine by itself: a few meet a core that may run
    /// faster than it can for long.
    private static let undisturbedShare = 0.1

    /// A shape's kernels beside the reference's right before and after.
    private struct Sample {
        var measurement: KernelShape.Measurement
        var referenceKernelSeconds: Double
        var ratio: Double { measurement.kernelSeconds / referenceKernelSeconds }
    }

    private let reference: KernelShape
    private let shapes: [KernelShape]
    /// What was measured of each shape.
    private var samples: [[Sample]]
    /// What the reference's kernels took, each time.
    private var referenceKernelSeconds: [Double] = []

    /// Nothing measured yet.
    ///
    /// - Parameters:
    ///   - reference: what each shape is measured beside, with as many lanes side by side.
    ///   - shapes: what is measured.
    init(reference: KernelShape, shapes: [KernelShape]) {
        self.reference = reference
        self.shapes = shapes
        samples = shapes.map { _ in [] }
    }

    /// Whether every shape was measured often enough.
    var isEnough: Bool { samples.allSatisfy(Self.isEnough) }

    private static func isEnough(_ samples: [Sample]) -> Bool {
        let ratios = Quantiles(samples.map(\.ratio))
        guard samples.count >= Repetition.least, let median = ratios.median, let error = ratios.medianStandardError
        else { return false }
        return error <= tolerance * median
    }

    /// What the reference's kernels take on the machine by itself; nil where none was measured.
    private var undisturbedSeconds: Double? { Quantiles(referenceKernelSeconds).quantile(Self.undisturbedShare) }

    /// How much longer they took in the median, as a share.
    var disturbance: Double {
        guard let median = Quantiles(referenceKernelSeconds).median, let undisturbedSeconds else { return 0 }
        return median / undisturbedSeconds - 1
    }

    /// Measures once more every shape that was not measured often enough, between two measurements of the reference.
    mutating func round() async throws {
        var last: Double?
        for (place, shape) in shapes.enumerated() where !Self.isEnough(samples[place]) {
            let before = if let last { last } else { try await measureReference() }
            let measurement = try await shape.measure(seconds: Self.shapeSeconds)
            let after = try await measureReference()
            samples[place].append(Sample(measurement: measurement, referenceKernelSeconds: (before + after) / 2))
            last = after
        }
    }

    private mutating func measureReference() async throws -> Double {
        let seconds = try await reference.measure(seconds: Self.referenceSeconds).kernelSeconds
        referenceKernelSeconds.append(seconds)
        return seconds
    }

    /// Of each shape those of the sample with the median ratio (kernels that were measured one after the other belong
    /// together), as quick as beside the undisturbed reference.
    var rates: [HostMachine.Rates] {
        guard let undisturbedSeconds else { return [] }
        return samples.compactMap { samples in
            guard !samples.isEmpty else { return nil }
            let median = samples.sorted { $0.ratio < $1.ratio }[samples.count / 2]
            return median.measurement.rates.slowed(by: undisturbedSeconds / median.referenceKernelSeconds)
        }
    }
}

extension HostMachine.Rates {
    /// The rates of kernels that take `factor` times as long.
    fileprivate func slowed(by factor: Double) -> Self {
        var rates = self
        for rate in [
            \Self.encoderGigaflopsPerSecond, \.lastLayerGigaflopsPerSecond, \.headGigaflopsPerSecond,
            \.elementwiseGigabytesPerSecond,
        ] { rates[keyPath: rate] /= factor }
        for time in [\Self.attentionNanoseconds, \.logitNanoseconds, \.embeddingNanoseconds] {
            rates[keyPath: time] *= factor
        }
        return rates
    }
}
