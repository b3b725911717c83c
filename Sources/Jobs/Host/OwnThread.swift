import Foundation

/// Work that blocks or computes for long, kept off the cooperative pool.
package enum OwnThread {
    /// Runs `body` on a thread of its own.
    package static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Swift.Result { try body() }) }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }
}
