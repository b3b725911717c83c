import BERT
import Jobs

/// Measures what lanes' gradients cost around their passes, where a training step has them: each just written by a backward
/// pass, and in memory among weights and other lanes' gradients.
public enum LaneGradientBench {
    /// What was measured, on the host clock, in nanoseconds an element on each thread.
    public struct Result: Sendable {
        /// Adding a lane's gradient to another's.
        public var sumNanosecondsPerElement: Double
        /// The squared norm of a lane's gradient.
        public var normNanosecondsPerElement: Double
    }

    /// Lanes of each thread.
    private static let lanes = 4
    private static let steps = 8

    /// Trains 17 million parameters for some steps, a sequence of 32 tokens a lane. Blocks.
    ///
    /// - Throws: `TrainingError.plan` for a number of threads that no step can have; `BERTError`.
    public static func run(threads: Int) throws -> Result {
        var settings = BenchSettings(
            model: ModelShape(layers: 4, hidden: 512, heads: 8), batch: threads * lanes, sequence: 32, threads: threads,
            vocabularySize: 8192)
        settings.lanesPerThread = lanes
        settings.measuresGradientNoise = true
        var steps = try BenchSteps(settings)
        try steps.run(settings.warmup, measured: false)
        steps.trainer.startProfile()
        try steps.run(Self.steps, measured: false)
        let kernels = steps.trainer.passProfile.kernels
        _ = steps.trainer.endProfile()
        /// A kernel that moves `floats` floats an element.
        func nanoseconds(_ kernel: StepKernel, floats: Int) -> Double {
            let work = kernels[kernel] ?? KernelWork()
            let elements = Double(work.bytes / MemoryLayout<Float>.stride / floats)
            return Double(work.nanoseconds) / max(1, elements)
        }
        return Result(
            sumNanosecondsPerElement: nanoseconds(.laneSums, floats: 3),
            normNanosecondsPerElement: nanoseconds(.gradientNorm, floats: 1))
    }
}
