import BERT
import Jobs
import Kernels

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Measures training steps on random token batches: no corpus, no exchange, everything else of a real step.
///
/// The work is that of the peer it is compared with: all sequences full, 15 % of positions masked and only these through
/// the MLM head, dropout on, AdamW. Its gradients' global norm is computed as well, as every run's is.
public enum TrainingBench {
    /// What is measured.
    public struct Settings: Hashable, Sendable {
        /// The network.
        public var model: ModelShape
        /// Sequences of a step.
        public var batch: Int
        /// Tokens of a sequence.
        public var sequence: Int
        /// Threads, each computing a lane.
        public var threads: Int
        /// Steps measured.
        public var steps: Int
        /// Steps before them.
        public var warmup: Int
        /// Entries of the vocabulary.
        public var vocabularySize: Int
        /// Sequences that a lane computes at once; all of its own unless given.
        public var microBatch: Int?
        /// The optimizer.
        public var optimizer: OptimizerSettings.Kind

        /// Settings; 8 steps after 3 over a vocabulary of 30,522 unless given.
        public init(
            model: ModelShape, batch: Int, sequence: Int, threads: Int, steps: Int = 8, warmup: Int = 3,
            vocabularySize: Int = 30522, microBatch: Int? = nil, optimizer: OptimizerSettings.Kind = .adamw
        ) {
            self.model = model
            self.batch = batch
            self.sequence = sequence
            self.threads = threads
            self.steps = steps
            self.warmup = warmup
            self.vocabularySize = vocabularySize
            self.microBatch = microBatch
            self.optimizer = optimizer
        }

        /// Masked positions of a sequence.
        var maskedPositions: Int { max(1, Int((Double(sequence) * 0.15).rounded(.toNearestOrEven))) }

        /// Lanes: the most that the threads can compute at once and that divide the batch.
        var lanes: Int { (1...max(1, min(threads, batch))).last { batch % $0 == 0 } ?? 1 }

        /// FLOPs of the matrix products of one step, counted as the peer's script counts them: three products a dense
        /// layer (forward, two backward), attention's two products, and the MLM head over the masked positions.
        var productOperations: Double {
            let (layers, hidden) = (Double(model.layers), Double(model.hidden))
            let (length, masked) = (Double(sequence), Double(maskedPositions))
            let dense = length * layers * (4 * hidden * hidden + 2 * Double(model.intermediate) * hidden)
            let attention = layers * 2 * length * length * hidden
            let head = masked * (hidden * Double(vocabularySize) + hidden * hidden)
            return 6 * (dense + attention + head) * Double(batch)
        }
    }

    /// What was measured. Times are on the host clock.
    public struct Result: Hashable, Sendable, Codable {
        /// The batch divided by the median step.
        public var sequencesPerSecond: Double
        /// Seconds of a step.
        public var stepSecondsMedian: Double
        /// Seconds of the fastest step.
        public var stepSecondsMin: Double
        /// Seconds of the slowest step.
        public var stepSecondsMax: Double
        /// Medians of a step's parts: waiting for input, forward and backward, norm and optimizer.
        public var inputSecondsMedian: Double
        /// Forward and backward passes and the lanes' sum.
        public var computeSecondsMedian: Double
        /// The gradient's norm and the update.
        public var optimizerSecondsMedian: Double
        /// Seconds from the start to the first step: weights drawn, memory mapped, examples made.
        public var startSeconds: Double
        /// Matrix products' FLOPs of a step, divided by the median step.
        public var gemmGflops: Double
        /// What the matrix-product library reaches on the encoder's shapes on as many threads.
        public var gemmPeakGflops: Double
        /// The ratio of the two.
        public var gemmEfficiency: Double
        /// The process's largest resident memory up to the end of the steps.
        public var peakRssBytes: Int
        /// Parameters of the network.
        public var parameters: Int
        /// Lanes, and the sequences that each computes at once.
        public var lanes: Int
        /// Sequences that a lane computes at once.
        public var microBatch: Int
        /// The last step's loss.
        public var loss: Double

        private enum CodingKeys: String, CodingKey {
            case sequencesPerSecond = "sequences_per_second"
            case stepSecondsMedian = "step_seconds_median"
            case stepSecondsMin = "step_seconds_min"
            case stepSecondsMax = "step_seconds_max"
            case inputSecondsMedian = "input_seconds_median"
            case computeSecondsMedian = "compute_seconds_median"
            case optimizerSecondsMedian = "optimizer_seconds_median"
            case startSeconds = "start_seconds"
            case gemmGflops = "gemm_gflops"
            case gemmPeakGflops = "gemm_peak_gflops"
            case gemmEfficiency = "gemm_efficiency"
            case peakRssBytes = "peak_rss_bytes"
            case parameters
            case lanes
            case microBatch = "micro_batch"
            case loss
        }
    }

    /// Runs the steps, then the library's products alone.
    ///
    /// - Throws: `TrainingError.plan` for settings that no step can be made of; `BERTError`.
    public static func run(_ settings: Settings) throws -> Result {
        for (field, value) in [
            ("batch", settings.batch), ("sequence", settings.sequence), ("threads", settings.threads),
            ("steps", settings.steps), ("vocabulary", settings.vocabularySize),
            ("micro-batch", settings.microBatch ?? 1),
        ] where value < 1 || value > 1 << 24 {
            throw TrainingError.plan(field: field, found: "\(value)", allowed: "1 to \(1 << 24)")
        }
        let lanes = settings.lanes
        let microBatch = min(settings.microBatch ?? settings.batch / lanes, settings.batch / lanes)
        let start = MonotonicInstant.now()
        let trainer = try Trainer(
            plan: TrainingPlan(job: job(settings, microBatch: microBatch), vocabularySize: settings.vocabularySize),
            source: RandomStepSource(vocabularySize: settings.vocabularySize), threads: settings.threads)
        try trainer.loadStep(StepNumber(0))
        let begin = MonotonicInstant.now()
        var parts: [(input: Double, compute: Double, optimizer: Double)] = []
        var loss = 0.0
        for index in 0..<settings.warmup + settings.steps {
            let step = StepNumber(index)
            let instants = try measure(trainer, step, &loss)
            if index >= settings.warmup { parts.append(instants) }
        }
        let peak = peakMemory()
        let steps = parts.map { $0.input + $0.compute + $0.optimizer }
        let median = Self.median(steps)
        let rate = settings.productOperations / median * 1e-9
        let best = try ProductBench.encoderRate(
            model: settings.model, tokens: microBatch * settings.sequence, threads: min(settings.threads, lanes))
        return Result(
            sequencesPerSecond: Double(settings.batch) / median, stepSecondsMedian: median,
            stepSecondsMin: steps.min() ?? 0, stepSecondsMax: steps.max() ?? 0,
            inputSecondsMedian: Self.median(parts.map(\.input)),
            computeSecondsMedian: Self.median(parts.map(\.compute)),
            optimizerSecondsMedian: Self.median(parts.map(\.optimizer)),
            startSeconds: begin.elapsed(since: start).seconds, gemmGflops: rate, gemmPeakGflops: best,
            gemmEfficiency: rate / best, peakRssBytes: peak, parameters: trainer.plan.layout.parameterCount,
            lanes: lanes,
            microBatch: microBatch, loss: loss)
    }

    private static func measure(
        _ trainer: Trainer, _ step: StepNumber, _ loss: inout Double
    ) throws -> (input: Double, compute: Double, optimizer: Double) {
        let start = MonotonicInstant.now()
        if step.index > 0 { try trainer.loadStep(step) }
        let loaded = MonotonicInstant.now()
        loss = StepSummary(try trainer.computeGradients(step)).loss
        let computed = MonotonicInstant.now()
        _ = try trainer.applyOptimizer(step)
        let end = MonotonicInstant.now()
        return (
            loaded.elapsed(since: start).seconds, computed.elapsed(since: loaded).seconds,
            end.elapsed(since: computed).seconds
        )
    }

    private static func job(_ settings: Settings, microBatch: Int) -> Job {
        Job(
            name: "bench", model: settings.model,
            corpus: CorpusSource(
                text: .synthetic(documents: 2, seed: 1), vocabulary: .trained(size: settings.vocabularySize)),
            examples: ExampleSettings(), lanes: settings.lanes, seed: 1,
            phases: [
                Phase(
                    sequence: settings.sequence, maskedPositions: settings.maskedPositions, globalBatch: settings.batch,
                    microBatch: microBatch, steps: settings.warmup + settings.steps,
                    schedule: Schedule(peak: 1e-4, warmupSteps: 0, decay: .constant))
            ],
            optimizer: OptimizerSettings(kind: settings.optimizer),
            evaluation: EvaluationSettings(everySteps: 1 << 20, sequences: 1), target: nil,
            checkpoints: CheckpointSettings())
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// The process's largest resident memory so far, in bytes.
    static func peakMemory() -> Int {
        var usage = rusage()
        // RUSAGE_SELF, whose type differs from platform to platform.
        guard getrusage(0, &usage) == 0 else { return 0 }
        return Int(usage.ru_maxrss) * 1024
    }
}
