import Jobs

/// Looks at an exchange, and interrupts it, from any thread.
public struct ExchangeMonitor: Sendable {
    private let state: ExchangeState

    init(_ state: ExchangeState) { self.state = state }

    /// Lets whoever waits for sums go, with `ExchangeError.interrupted`, until the next `join`.
    public func interrupt() { state.interrupt() }

    /// Whether somebody has interrupted it, and nobody has joined since.
    public var isInterrupted: Bool { state.isInterrupted }

    /// The workers whose sums are awaited in the step under way.
    public var awaited: [WorkerRank] { state.awaited }
}
