import Foundation
import Synchronization

/// Threads that work through numbered jobs, for work that blocks or takes long: none of it is on the cooperative pool.
enum WorkerThreads {
    /// Runs `body` for each of `jobs` numbers, on at most `threads` threads, and returns when all have ended. After an error no
    /// further job begins.
    ///
    /// - Throws: of the errors thrown, that of the lowest number.
    static func run(jobs: Int, threads: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
        let state = State()
        let group = DispatchGroup()
        for _ in 0..<max(1, min(jobs, threads)) {
            group.enter()
            let thread = Thread {
                while let job = state.next(below: jobs) {
                    do { try body(job) } catch { state.fail(job, error) }
                }
                group.leave()
            }
            thread.stackSize = 4 << 20
            thread.start()
        }
        group.wait()
        if let error = state.error { throw error }
    }

    private final class State: Sendable {
        private struct Progress {
            var next = 0
            var failure: (job: Int, error: any Error)?
        }
        private let progress = Mutex(Progress())

        func next(below jobs: Int) -> Int? {
            progress.withLock { progress in
                guard progress.failure == nil, progress.next < jobs else { return nil }
                defer { progress.next += 1 }
                return progress.next
            }
        }

        func fail(_ job: Int, _ error: any Error) {
            progress.withLock { progress in
                if let failure = progress.failure, failure.job < job { return }
                progress.failure = (job, error)
            }
        }

        var error: (any Error)? { progress.withLock { $0.failure?.error } }
    }
}
