import Foundation
import Jobs
import Report
import Runs

/// Shows runs' progress on a stream: redrawn in place on a terminal, plain lines elsewhere.
///
/// One writer for one command: it remembers how many lines it drew.
actor TerminalProgress {
    private let stream: Stream
    private let panel: ProgressPanel?
    private let colour: Bool
    private var log = ProgressLog()
    private var shown: RunID?
    private var drawnLines = 0

    /// Where the display goes.
    enum Stream: Int32, Sendable {
        case standardOutput = 1
        case standardError = 2
    }

    /// A display on `stream` as the environment has it: `NO_COLOR`, `TERM=dumb` and the locale are respected.
    init(on stream: Stream, environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.stream = stream
        let isTerminal = isatty(stream.rawValue) == 1 && environment["TERM"] != "dumb"
        colour = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
        let locale = environment["LC_ALL"] ?? environment["LC_CTYPE"] ?? environment["LANG"] ?? ""
        let hasBlocks = locale.uppercased().contains("UTF")
        panel =
            isTerminal
            ? ProgressPanel(columns: Self.columns(of: stream.rawValue), glyphs: hasBlocks ? .blocks : .ascii) : nil
    }

    /// Shows how a run stands. A run other than the one before starts below it.
    func show(_ progress: RunProgress) {
        if shown != progress.run.id {
            shown = progress.run.id
            drawnLines = 0
            log = ProgressLog()
        }
        guard let panel else {
            let lines = log.lines(for: progress)
            if !lines.isEmpty { write(lines.joined(separator: "\n") + "\n") }
            return
        }
        let lines = panel.lines(for: progress)
        // One write a frame, and no line is cleared before it is rewritten: nothing flickers.
        var frame = drawnLines > 0 ? "\u{1B}[\(drawnLines)A" : ""
        for line in lines { frame += "\r" + line.rendered(columns: panel.columns, colour: colour) + "\u{1B}[K\n" }
        if lines.count < drawnLines { frame += "\u{1B}[J" }
        drawnLines = lines.count
        write(frame)
        if case .failed(let reason) = progress.run.state {
            write(reason + "\n")
            drawnLines = 0
        }
    }

    private func write(_ text: String) { Console.write(text, to: stream.rawValue) }

    private static func columns(of descriptor: Int32) -> Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        // One column is left free: some terminals wrap on the last.
        return min(max(Int(size.ws_col) - 1, 40), 100)
    }
}
