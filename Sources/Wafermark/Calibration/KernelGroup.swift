import Jobs
import PerformanceModel

/// Measures shapes with as many lanes side by side, each in turn with one reference shape.
///
/// What else runs on a machine, and the clock that its cores may have at the moment, move all kernels about alike. What
/// counts is therefore how long a shape's kernels take over the reference's: shapes that were measured minutes apart are
/// then as if they had been measured at once.
struct KernelGroup {
    /// Host seconds that a shape is measured for at a time, about.
    private static let shapeSeconds = 0.5
    /// The standard error of the median ratio, as a share of it, with which a shape was measured often enough.
    private static let tolerance = 0.01
    /// The quantile of the reference's measurements that is taken for the machine by itself: a few meet a core that may run
    /// faster than it can for long.
    private static let undisturbedShare = 0.1

    /// A shape's kernels beside the reference's right before and after.
    private struct Sample {
        var rates: HostMachine.Rates
        /// What they took over what the reference's did.
        var ratio: Double
    }

    private let reference: KernelShape
    private let shapes: [KernelShape]
    /// What was measured of each shape.
    private var samples: [[Sample]]
    /// What was measured of the reference, each time.
    private var references: [KernelShape.Measurement] = []

    /// Nothing measured yet.
    ///
    /// - Parameters:
    ///   - shapes: what is measured.
    ///   - reference: what each of them is measured beside, with as many lanes side by side.
    init(_ shapes: [KernelShape], beside reference: KernelShape) {
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

    /// What the reference's kernels took, each time.
    private var referenceSeconds: Quantiles { Quantiles(references.map(\.kernelSeconds)) }

    /// What they take on the machine by itself; nil where nothing was measured.
    private var undisturbedSeconds: Double? { referenceSeconds.quantile(Self.undisturbedShare) }

    /// How much longer they took in the median, as a share.
    var disturbance: Double {
        guard let median = referenceSeconds.median, let undisturbedSeconds else { return 0 }
        return median / undisturbedSeconds - 1
    }

    /// Measures once more every shape that was not measured often enough, between two measurements of the reference.
    mutating func round() async throws {
        var last: Double?
        for (place, shape) in shapes.enumerated() where !Self.isEnough(samples[place]) {
            let before = if let last { last } else { try await measureReference() }
            let now = try await shape.measure(seconds: Self.shapeSeconds)
            let after = try await measureReference()
            samples[place].append(Sample(rates: now.rates, ratio: now.kernelSeconds / ((before + after) / 2)))
            last = after
        }
    }

    private mutating func measureReference() async throws -> Double {
        let now = try await reference.measure(seconds: KernelShape.referenceSeconds)
        references.append(now)
        return now.kernelSeconds
    }

    /// The rates of each shape beside the undisturbed reference, and of the reference itself: each kernel's median share of
    /// the shape's time, and all together the median ratio.
    var rates: [HostMachine.Rates] {
        guard let undisturbedSeconds else { return [] }
        let own = reference.rates(of: references.map(\.rates), kernelSeconds: undisturbedSeconds)
        let others = zip(shapes, samples).map { shape, samples in
            Quantiles(samples.map(\.ratio)).median.flatMap {
                shape.rates(of: samples.map(\.rates), kernelSeconds: $0 * undisturbedSeconds)
            }
        }
        return ([own] + others).compactMap { $0 }
    }
}

extension KernelShape {
    /// Rates of the median shares of time that kernels have in `samples`, all together `kernelSeconds`; nil without any.
    fileprivate func rates(of samples: [HostMachine.Rates], kernelSeconds: Double) -> HostMachine.Rates? {
        guard var median = samples.first else { return nil }
        let alike = samples.map { $0.scaled(by: 1 / self.kernelSeconds(at: $0)) }
        for rate in HostMachine.Rates.kernels + [\.overhead] {
            median[keyPath: rate] = Quantiles(alike.map { $0[keyPath: rate] }).median ?? median[keyPath: rate]
        }
        return median.scaled(by: kernelSeconds / self.kernelSeconds(at: median))
    }
}

extension HostMachine.Rates {
    private static let speeds: [WritableKeyPath<Self, Double> & Sendable] = [
        \.encoderGigaflopsPerSecond, \.lastLayerGigaflopsPerSecond, \.headGigaflopsPerSecond,
        \.elementwiseGigabytesPerSecond,
    ]
    private static let times: [WritableKeyPath<Self, Double> & Sendable] = [
        \.attentionNanoseconds, \.attentionElementNanoseconds, \.logitNanoseconds, \.embeddingNanoseconds,
    ]
    fileprivate static var kernels: [WritableKeyPath<Self, Double>] { speeds + times }

    /// The rates of kernels that take `factor` times as long.
    fileprivate func scaled(by factor: Double) -> Self {
        var rates = self
        for rate in Self.speeds { rates[keyPath: rate] /= factor }
        for time in Self.times { rates[keyPath: time] *= factor }
        return rates
    }
}
