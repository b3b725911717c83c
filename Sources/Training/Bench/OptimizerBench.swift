import BERT
import Jobs

/// Measures the update of weights, which moves memory and computes little.
public enum OptimizerBench {
    /// Host nanoseconds a parameter of clipping and applying a gradient, the median of some steps of 29 million parameters.
    /// Blocks.
    ///
    /// - Throws: `TrainingError.plan` for a number of threads that no step can have; `BERTError`.
    public static func nanosecondsPerParameter(_ kind: OptimizerSettings.Kind, threads: Int) throws -> Double {
        let settings = BenchSettings(
            model: ModelShape(layers: 4, hidden: 512, heads: 8), batch: max(2, threads), sequence: 32, threads: threads,
            optimizer: kind)
        var steps = try BenchSteps(settings)
        try steps.run(settings.warmup, measured: false)
        try steps.run(settings.steps, measured: true)
        return steps.median(\.optimizer) * 1e9 / Double(steps.trainer.plan.layout.parameterCount)
    }
}
