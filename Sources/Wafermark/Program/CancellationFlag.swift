import Foundation
import Synchronization

/// Work that blocks or computes for long, kept off the cooperative pool.
enum OwnThread {
    /// Runs `body` on a thread of its own.
    static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Swift.Result { try body() }) }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }
}

/// A flag that one thread sets and others look at.
final class CancellationFlag: Sendable {
    private let flag = Atomic(false)

    /// Whether it is set.
    var isSet: Bool { flag.load(ordering: .relaxed) }

    /// Sets it.
    func set() { flag.store(true, ordering: .relaxed) }
}
