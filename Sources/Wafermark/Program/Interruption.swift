import Dispatch
import Foundation

/// Lets Ctrl-C and a termination signal end a command in order.
enum Interruption {
    /// Runs `body` in a task that the first SIGINT or SIGTERM cancels; a second signal ends the process at once.
    ///
    /// - Throws: `CancellationError` once `body` has ended after a signal, whatever it returned or threw; what `body` throws.
    static func cancels<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result
    {
        let task = Task { try await body() }
        let numbers = [SIGINT, SIGTERM]
        for number in numbers { signal(number, SIG_IGN) }
        let sources = numbers.map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if task.isCancelled { _exit(ExitStatus.interrupted.rawValue) }
                task.cancel()
            }
            source.resume()
            return source
        }
        defer {
            for source in sources { source.cancel() }
            for number in numbers { signal(number, SIG_DFL) }
        }
        let result = await task.result
        if task.isCancelled { throw CancellationError() }
        return try result.get()
    }

    /// Runs `body`, which blocks, on a thread of its own; it is told by `isCancelled` that a signal asks it to end.
    ///
    /// - Throws: as `cancels(_:)`.
    static func cancels<Result: Sendable>(
        blocking body: @escaping @Sendable (_ isCancelled: @escaping @Sendable () -> Bool) throws -> Result
    ) async throws -> Result {
        try await cancels {
            let flag = CancellationFlag()
            return try await withTaskCancellationHandler {
                try await OwnThread.run { try body { flag.isSet } }
            } onCancel: {
                flag.set()
            }
        }
    }
}
