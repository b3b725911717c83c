import Foundation
import Jobs
import Logging

/// Access to a daemon for the time of one command: the one that runs on the state directory, or else one of its own.
public struct DaemonSession: Sendable {
    private let options: Daemon.Options
    private let logger: Logger

    /// A session on the state directory of `options`; the rest is for a daemon of its own.
    public init(options: Daemon.Options, logger: Logger) {
        self.options = options
        self.logger = logger
    }

    /// Calls `body` with a client of the daemon. A daemon of its own ends with the session, and its workers with it.
    public func run<Result: Sendable>(
        _ body: (DaemonClient) async throws -> Result
    ) async throws -> Result {
        if DaemonLock.isHeld(in: options.state) {
            return try await body(DaemonClient(state: options.state))
        }
        let (isReady, ready) = AsyncStream<Void>.makeStream()
        let daemon = Daemon(options: options, logger: logger) {
            ready.yield()
            ready.finish()
        }
        // A task of its own: cancelling the session must end the body first, which cancels its runs, and the daemon after.
        let service = Task {
            defer { ready.finish() }
            try await daemon.run()
        }
        do {
            for await _ in isReady {}
            if service.isCancelled { throw CancellationError() }
            let result = try await body(DaemonClient(state: options.state))
            service.cancel()
            try await service.value
            return result
        } catch {
            service.cancel()
            // Where the daemon could not start, its reason is the one that counts.
            try await service.value
            throw error
        }
    }
}
