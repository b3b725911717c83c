import Dispatch
import Foundation
import Jobs
import Synchronization

/// Lets Ctrl-C and a termination signal end a command in order.
enum Interruption {
    /// Runs `body` in a task that the first SIGINT or SIGTERM cancels. A second signal calls `again`, where there is more
    /// haste to be had than cancelling gives; the next one, or the second where there isn't, ends the process at once.
    ///
    /// - Throws: `CancellationError` once `body` has ended after a signal, whatever it returned or threw; what `body` throws.
    static func cancels<Result: Sendable>(
        again: (@Sendable () -> Void)? = nil, _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let task = Task { try await body() }
        let numbers = [SIGINT, SIGTERM]
        let count = Atomic(0)
        let patience = again == nil ? 1 : 2
        for number in numbers { signal(number, SIG_IGN) }
        let sources = numbers.map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                let signals = count.add(1, ordering: .relaxed).newValue
                if signals > patience { _exit(ExitStatus.interrupted.rawValue) }
                if signals == 1 { task.cancel() } else { again?() }
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
