import Jobs
import Report
import Runs

/// Tells a run's progress in plain lines, for files and pipes: changes of state, evaluations, and about twenty steps.
package struct ProgressLog {
    private var state: String?
    private var evaluations = 0
    private var disturbances = 0
    private var mark = 0

    /// A log that has told nothing yet.
    package init() {}

    /// The lines that are new since the last look.
    package mutating func lines(for progress: RunProgress) -> [String] {
        let run = progress.run
        let prefix = "run \(run.id)"
        var lines: [String] = []
        if run.state.name != state, !run.state.isFinal {
            lines.append("\(prefix) \(run.state.name): \(run.job.name) on the \(ProgressPanel.backend(of: run))")
        }
        let every = max(1, progress.totalSteps / 20)
        if let step = progress.steps.last,
            progress.steps.count / every > mark || run.state.isFinal && state != run.state.name
        {
            mark = progress.steps.count / every
            var line = "\(prefix) step \(progress.steps.count)/\(progress.totalSteps)"
            line += "  loss \(Figures.fixed(step.loss, 4))  MLM accuracy \(Figures.fixed(step.maskedAccuracy, 3))"
            if let rate = progress.sequencesPerSecond { line += "  \(Figures.short(rate)) sequences/s" }
            if !run.state.isFinal, let left = progress.remaining { line += "  \(Figures.clock(left.seconds)) left" }
            lines.append(line)
        }
        let events = progress.disturbances
        for event in events.dropFirst(disturbances) {
            lines.append("\(prefix) \(PrintableText.plain(event.message))")
        }
        disturbances = events.count
        for evaluation in progress.evaluations.dropFirst(evaluations) {
            lines.append(
                "\(prefix) held-out after \(evaluation.stepsMade) steps: MLM loss \(Figures.fixed(evaluation.maskedLoss, 4)), "
                    + "accuracy \(Figures.fixed(evaluation.maskedAccuracy, 3)) "
                    + "(baseline \(Figures.fixed(evaluation.baselineAccuracy, 3)))")
        }
        evaluations = progress.evaluations.count
        if run.state.name != state, run.state.isFinal {
            if case .failed(let reason) = run.state {
                lines.append("\(prefix) failed: \(reason)")
            } else {
                lines.append(
                    "\(prefix) \(run.state.name) after \(progress.steps.count) steps, \(Figures.fixed(progress.elapsed.seconds, 1)) s host time"
                )
            }
        }
        state = run.state.name
        return lines
    }
}
