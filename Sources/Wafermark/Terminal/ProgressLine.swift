import Corpus
import Foundation
import Jobs
import Synchronization

/// The progress of long work on standard error: one line redrawn in place on a terminal, a few plain lines elsewhere.
final class ProgressLine: Sendable {
    private struct State {
        var stage: String?
        var begin = MonotonicInstant.now()
        var shown = MonotonicInstant.now()
        var tenths = 0
        var isDrawn = false
    }

    private let style = OutputStyle(of: STDERR_FILENO)
    private let state = Mutex(State())

    /// Between two pictures of the line.
    private static let interval = 0.1

    /// Shows how far a stage of the work has come. `text` makes the words of the seconds that the stage has taken.
    func show(stage: String, fraction: Double, text: (_ seconds: Double) -> String) {
        state.withLock { state in
            let now = MonotonicInstant.now()
            let isNew = state.stage != stage
            if isNew {
                state.stage = stage
                state.begin = now
                state.tenths = 0
            }
            let seconds = now.elapsed(since: state.begin).seconds
            if style.isTerminal {
                guard isNew || now.elapsed(since: state.shown).seconds >= Self.interval else { return }
                state.shown = now
                state.isDrawn = true
                Console.write("\r" + line(fraction, text(seconds)) + "\u{1B}[K", to: STDERR_FILENO)
            } else if seconds > 5, Int(fraction * 10) > state.tenths {
                state.tenths = Int(fraction * 10)
                Console.diagnose(text(seconds))
            }
        }
    }

    /// Shows how far a preparation has come.
    func show(_ progress: PreparationProgress) {
        show(stage: progress.stage.rawValue, fraction: progress.fraction) { seconds in
            var text = "\(progress.stage.rawValue) \(Figures.percent(progress.fraction))"
            if progress.textBytes > 0, seconds > 0.2 {
                text += "  \(Figures.short(Double(progress.textBytes) / 1e6 / seconds)) MB/s"
            }
            if progress.fraction > 0.02, seconds > 1 {
                text += "  \(Figures.clock(seconds / progress.fraction - seconds)) left"
            }
            return text
        }
    }

    /// Prints a line of its own above the progress.
    func note(_ line: String) {
        state.withLock { state in
            if state.isDrawn { Console.write("\r\u{1B}[K", to: STDERR_FILENO) }
            state.isDrawn = false
            Console.diagnose(line)
        }
    }

    /// Clears the line.
    func finish() {
        state.withLock { state in
            if state.isDrawn { Console.write("\r\u{1B}[K", to: STDERR_FILENO) }
            state.isDrawn = false
        }
    }

    private func line(_ fraction: Double, _ text: String) -> String {
        let width = style.columns - text.count - 2
        return width < 8 ? String(text.prefix(style.columns)) : style.glyphs.bar(fraction, width: width) + "  " + text
    }
}
