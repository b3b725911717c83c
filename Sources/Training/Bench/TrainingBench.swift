import BERT
import Jobs

/// Measures whole training steps: the answer of `wafermark bench train`.
public enum TrainingBench {
    /// What was measured. Times are on the host clock.
    public struct Result: Hashable, Sendable, Codable {
        /// The batch divided by the median step.
        public var sequencesPerSecond: Double
        /// Seconds of a step: median, fastest, slowest.
        public var stepSecondsMedian: Double
        public var stepSecondsMin: Double
        public var stepSecondsMax: Double
        /// Medians of a step's parts: waiting for input; forward and backward passes and the lanes' sum; the gradient's
        /// norm and the update.
        public var inputSecondsMedian: Double
        public var computeSecondsMedian: Double
        public var optimizerSecondsMedian: Double
        /// Seconds from the process's start to the first step: weights drawn, memory mapped, examples made.
        public var startSeconds: Double
        /// FLOPs of the matrix products that a step computes: dense layers and heads, by oneDNN; attention.
        public var denseFlopPerStep: Double
        public var attentionFlopPerStep: Double
        /// FLOPs of products with kept weights of sparse matrices, and those that zeros would have cost.
        public var sparseFlopPerStep: Double
        public var skippedFlopPerStep: Double
        /// Zeros among results of the activation function, and among gradients behind dropout: a share of 1 each.
        public var activationZeroShare: Double
        public var droppedGradientZeroShare: Double
        /// These FLOPs divided by the median step.
        public var gemmGflops: Double
        /// What oneDNN reaches by itself on the products that it computes, one product a thread at a time on as many threads.
        public var gemmPeakGflops: Double
        /// The ratio of the two.
        public var gemmEfficiency: Double
        /// FLOPs that the textbook counts for a step, over the median step: to compare with other programs' figures.
        public var textbookFlopPerStep: Double
        public var textbookGflops: Double
        /// The process's largest resident memory up to the end of the steps.
        public var peakRssBytes: Int
        /// Parameters of the network.
        public var parameters: Int
        /// Lanes, and the sequences that each computes at once.
        public var lanes: Int
        public var microBatch: Int
        /// The last step's loss.
        public var loss: Double
        /// By how much longer a step takes at which the lanes' gradients are measured for the gradient noise scale, as a
        /// share of one at which they are not; nil where that was not asked for, or there is one lane.
        public var gradientNoiseCost: Double?
    }

    /// Runs the steps, then the library's products alone.
    ///
    /// - Throws: `TrainingError.plan` for settings that no step can be made of; `BERTError`.
    public static func run(_ settings: BenchSettings) throws -> Result {
        let begin = MonotonicInstant.now()
        var steps = try BenchSteps(settings)
        let trainer = steps.trainer
        try trainer.loadStep(StepNumber(0))
        let start = HostProcess.secondsSinceStart ?? MonotonicInstant.now().elapsed(since: begin).seconds
        try steps.run(settings.warmup, measured: false)
        try steps.run(settings.steps, measured: true)
        let peak = HostProcess.peakResidentBytes
        let profile = try steps.profileOfOneStep()

        let median = steps.median(\.total)
        let attention = [StepKernel.attention, .attentionBackward].reduce(0) {
            $0 + (profile.kernels[$1]?.operations ?? 0)
        }
        let sparse = profile.kernels[.sparseProducts]
        let threads = min(settings.threads, settings.lanes)
        let best = try ProductBench.bestSeconds(of: profile.products.keys, threads: threads)
        let library = ProductBench.rate(
            of: profile.products.map { ($0, $1.calls) }, best: best, threads: threads)
        let rate = Double(profile.operations) / median * 1e-9
        let totals = steps.parts.map(\.total)
        return Result(
            sequencesPerSecond: Double(settings.batch) / median, stepSecondsMedian: median,
            stepSecondsMin: totals.min() ?? 0, stepSecondsMax: totals.max() ?? 0,
            inputSecondsMedian: steps.median(\.input), computeSecondsMedian: steps.median(\.compute),
            optimizerSecondsMedian: steps.median(\.optimizer), startSeconds: start,
            denseFlopPerStep: Double(profile.operations - attention - (sparse?.operations ?? 0)),
            attentionFlopPerStep: Double(attention), sparseFlopPerStep: Double(sparse?.operations ?? 0),
            skippedFlopPerStep: Double(sparse?.skipped ?? 0),
            activationZeroShare: profile.zeros[.activations]?.share ?? 0,
            droppedGradientZeroShare: profile.zeros[.droppedGradients]?.share ?? 0,
            gemmGflops: rate, gemmPeakGflops: library, gemmEfficiency: rate / library,
            textbookFlopPerStep: settings.textbookOperations,
            textbookGflops: settings.textbookOperations / median * 1e-9, peakRssBytes: peak,
            parameters: trainer.plan.layout.parameterCount, lanes: settings.lanes, microBatch: settings.laneMicroBatch,
            loss: steps.loss, gradientNoiseCost: steps.gradientNoiseCost)
    }
}

extension BenchSteps {
    /// What one more step consists of, over all threads.
    fileprivate mutating func profileOfOneStep() throws -> KernelProfile {
        trainer.startProfile(countingZeros: true)
        try run(1, measured: false)
        return trainer.endProfile()
    }
}
