import Jobs
import PerformanceModel
import Runs

/// The steps that other global batches would need for what a run reached, from its gradient noise scale.
///
/// McCandlish et al. 2018: steps = S_min (1 + B_crit / B), where the simple noise scale stands for B_crit. The run gives one
/// point of that curve, its own steps at its own batch, and so S_min. The noise scale grows while a model learns; its mean
/// over the run's steps, which is taken here, is what counts for the whole way.
struct NoiseScaleLaw {
    /// The law.
    let law: ConvergenceLaw

    /// The law that `record` implies.
    ///
    /// - Throws: `CommandFailure` where the run made no step, had more than one global batch, or measured no noise scale.
    init(of record: RunRecord) throws {
        let run = record.run
        let batches = Set(record.steps.map(\.sequences))
        guard let batch = batches.first, batches.count == 1 else {
            throw CommandFailure.wrongUsage(
                "run \(run.id) has steps of \(batches.count) global batches; the law of a noise scale needs one")
        }
        var weighted = 0.0
        var weight = 0.0
        var last = 0
        for evaluation in record.evaluations {
            defer { last = evaluation.stepsMade }
            guard let scale = evaluation.noise?.scale else { continue }
            weighted += Double(evaluation.stepsMade - last) * scale
            weight += Double(evaluation.stepsMade - last)
        }
        guard weight > 0 else {
            throw CommandFailure.wrongUsage(
                "run \(run.id) has no gradient noise scale: it takes two lanes or more, an evaluation, and a gradient that "
                    + "stands out from its noise; see 'wafermark runs show \(run.id)'")
        }
        let critical = weighted / weight
        let steps = Double(run.outcome?.steps ?? record.steps.count)
        let leastSteps = steps / (1 + critical / Double(batch))
        law = ConvergenceLaw(leastSamples: leastSteps * critical, criticalBatch: critical)
    }
}
