import BERT
import Jobs

/// Measures what training steps consist of, kernel by kernel: the answer of `wafermark bench kernels`.
public enum KernelBench {
    /// What was measured, on the host clock.
    public struct Result: Sendable, Codable {
        /// Seconds of a step: mean over the measured steps.
        public var stepSeconds: Double
        /// Threads with lanes.
        public var threads: Int
        /// Seconds that each of them spends in passes' kernels in a step: the slowest one holds the others up.
        public var passSeconds: [Double]
        /// Each kernel's work, the longest first.
        public var kernels: [KernelRow]
        /// Share of the step in which threads did something else or waited for each other.
        public var otherShare: Double
        /// Each shape of the products that oneDNN computed, the longest first.
        public var products: [ProductRow]
    }

    /// A kernel's work in one step.
    public struct KernelRow: Hashable, Sendable, Codable {
        /// The kernel.
        public var kernel: StepKernel
        /// Calls, by all threads.
        public var callsPerStep: Double
        /// Seconds that a thread spends in it, mean over threads.
        public var secondsPerStep: Double
        /// That time's share of the step.
        public var shareOfStep: Double
        /// Bytes that must move (every operand once) a second, of all threads together.
        public var bytesPerSecond: Double
        /// Floating-point operations of matrix products a second, of all threads together; 0 where there are none.
        public var flopPerSecond: Double
    }

    /// The work of one shape of product in one step.
    public struct ProductRow: Hashable, Sendable, Codable {
        /// The shape.
        public var shape: ProductShape
        /// Calls, by all threads.
        public var callsPerStep: Double
        /// Seconds that a thread spends in it, mean over threads.
        public var secondsPerStep: Double
        /// Floating-point operations a second, of all threads together.
        public var flopPerSecond: Double
        /// The same of oneDNN by itself.
        public var peakFlopPerSecond: Double
    }

    /// Runs the steps, then the library's products alone.
    ///
    /// - Parameter measuresLibrary: whether the products are run alone; without that, none are told of.
    /// - Throws: `TrainingError.plan` for settings that no step can be made of; `BERTError`.
    public static func run(_ settings: BenchSettings, measuresLibrary: Bool = true) throws -> Result {
        var steps = try BenchSteps(settings)
        try steps.run(settings.warmup, measured: false)
        steps.trainer.startProfile()
        try steps.run(settings.steps, measured: true)
        let threads = min(settings.threads, settings.lanes)
        let passes = steps.trainer.passNanoseconds.prefix(threads)
        let profile = steps.trainer.endProfile()

        let best = measuresLibrary ? try ProductBench.bestSeconds(of: profile.products.keys, threads: threads) : [:]
        let step = steps.parts.reduce(0) { $0 + $1.total } / Double(settings.steps)
        let scale = Scale(steps: Double(settings.steps), threads: Double(threads))
        let kernels = profile.kernels.map { kernel, work in
            let seconds = scale.secondsPerStep(work)
            return KernelRow(
                kernel: kernel, callsPerStep: Double(work.calls) / scale.steps, secondsPerStep: seconds,
                shareOfStep: seconds / step, bytesPerSecond: scale.rate(work.bytes, work),
                flopPerSecond: scale.rate(work.operations, work))
        }
        let products = profile.products.compactMap { shape, work in
            best[shape].map { seconds in
                ProductRow(
                    shape: shape, callsPerStep: Double(work.calls) / scale.steps,
                    secondsPerStep: scale.secondsPerStep(work), flopPerSecond: scale.rate(work.operations, work),
                    peakFlopPerSecond: Double(shape.operations) / seconds * scale.threads)
            }
        }
        return Result(
            stepSeconds: step, threads: threads,
            passSeconds: passes.map { Double($0) * 1e-9 / Double(settings.steps) },
            kernels: kernels.sorted { $0.secondsPerStep > $1.secondsPerStep },
            otherShare: 1 - kernels.reduce(0) { $0 + $1.shareOfStep },
            products: products.sorted { $0.secondsPerStep > $1.secondsPerStep })
    }

    /// From sums over steps and threads to one step of threads side by side.
    private struct Scale {
        let steps: Double
        let threads: Double

        func secondsPerStep(_ work: KernelWork) -> Double {
            Double(max(work.nanoseconds, 1)) * 1e-9 / steps / threads
        }

        func rate(_ amount: Int, _ work: KernelWork) -> Double {
            Double(amount) / (Double(max(work.nanoseconds, 1)) * 1e-9) * threads
        }
    }
}
