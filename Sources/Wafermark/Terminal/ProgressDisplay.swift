import Dispatch

/// Shows the progress of long work on standard error while it runs, ten times a second.
final class ProgressDisplay: Sendable {
    private let line = ProgressLine()
    private let show: @Sendable (ProgressLine) -> Void

    /// A display that calls `show` to draw on its line.
    init(_ show: @escaping @Sendable (ProgressLine) -> Void) { self.show = show }

    /// Runs `body` and shows how far it is.
    func run<Result>(_ body: () throws -> Result) rethrows -> Result {
        let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "wafermark.progress"))
        timer.schedule(deadline: .now(), repeating: .milliseconds(100))
        timer.setEventHandler { [self] in show(line) }
        timer.resume()
        defer { timer.cancel() }
        return try body()
    }

    /// Shows what is left to tell, and clears the line.
    func finish() {
        show(line)
        line.finish()
    }
}
