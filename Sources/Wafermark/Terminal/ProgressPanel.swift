import Jobs
import Report
import Runs

/// Draws a run's progress as a few lines that are redrawn in place.
package struct ProgressPanel {
    /// Columns to stay within.
    package var columns: Int
    /// The characters of bars and curves.
    package var glyphs: Glyphs

    /// A panel of the given width and characters.
    package init(columns: Int, glyphs: Glyphs) {
        self.columns = columns
        self.glyphs = glyphs
    }

    /// The lines that show `progress`.
    package func lines(for progress: RunProgress) -> [StyledLine] {
        [title(progress), bar(progress), quality(progress), speed(progress), disturbance(progress)].compactMap { $0 }
    }

    /// The last thing that disturbed the run, while it is under way.
    private func disturbance(_ progress: RunProgress) -> StyledLine? {
        guard !progress.run.state.isFinal, let event = progress.disturbances.last else { return nil }
        return StyledLine(String(PrintableText.plain(event.message).prefix(columns)), .yellow)
    }

    private func title(_ progress: RunProgress) -> StyledLine {
        let run = progress.run
        var line = StyledLine(run.job.name, .bold)
        line.add("  " + Self.backend(of: run) + "  run " + run.id.text + "  ")
        line.add(run.state.name, Self.style(of: run.state))
        let time = Figures.clock(progress.elapsed.seconds)
        line.fill(to: columns - time.count)
        line.add(time, .dim)
        return line
    }

    private func bar(_ progress: RunProgress) -> StyledLine? {
        guard !progress.steps.isEmpty || !progress.run.state.isFinal else { return nil }
        var text = "\(Figures.percent(progress.fraction))  step \(progress.steps.count)/\(progress.totalSteps)"
        if !progress.run.state.isFinal, let remaining = progress.remaining {
            text += "  \(Figures.clock(remaining.seconds)) left"
        }
        return StyledLine(glyphs.bar(progress.fraction, width: max(10, columns - text.count - 2)) + "  " + text)
    }

    private func quality(_ progress: RunProgress) -> StyledLine? {
        guard let step = progress.steps.last else { return nil }
        var line = StyledLine("loss ")
        line.add(Figures.fixed(step.loss, 3), .bold)
        line.add("  " + glyphs.sparkline(progress.steps.map(\.loss), width: 20))
        if let evaluation = progress.evaluations.last {
            line.add("  held-out MLM ")
            line.add(Figures.percent(evaluation.maskedAccuracy), .bold)
            line.add(" (baseline \(Figures.percent(evaluation.baselineAccuracy)))", .dim)
        } else {
            line.add("  MLM ")
            line.add(Figures.percent(step.maskedAccuracy), .bold)
        }
        return line
    }

    private func speed(_ progress: RunProgress) -> StyledLine? {
        guard let rate = progress.sequencesPerSecond, let time = progress.stepTime else { return nil }
        var line = StyledLine("\(Figures.short(rate)) sequences/s")
        line.add("  \(Figures.short(time.seconds)) s/step")
        var separator = "  "
        for (name, share) in progress.shares where share >= 0.005 {
            let part = separator + "\(name) \(Figures.percent(share))"
            guard line.width + part.count <= columns else { break }
            line.add(part, .dim)
            separator = ", "
        }
        return line
    }

    /// The backend in words: `wafer`, `cluster of 4`.
    static func backend(of run: Run) -> String {
        let machine = run.hardware.map { " as \($0)" } ?? ""
        switch run.backend {
        case .cluster: return "cluster of \(run.workers)" + machine
        case .wafer: return "wafer" + machine
        }
    }

    /// How a state stands out.
    static func style(of state: RunState) -> TextStyle? {
        switch state {
        case .queued, .preparing, .running: nil
        case .finished: .green
        case .failed: .red
        case .cancelled, .interrupted: .yellow
        }
    }
}
