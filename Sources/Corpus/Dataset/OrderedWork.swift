import Dispatch
import Foundation

/// Work on numbered pieces by several threads, whose results are taken in the order of the pieces: the outcome doesn't
/// depend on the number of threads, and no more results than threads wait to be taken.
enum OrderedWork {
    /// Runs `work` for `0..<count` on `threads` threads, and `take` for each result, in order, on the calling thread.
    ///
    /// The first error ends everything once the pieces under way are done; of several, that of the first piece is thrown.
    static func run<Result: Sendable>(
        count: Int, threads: Int, _ work: @escaping @Sendable (Int) throws -> Result,
        take: (Int, Result) throws -> Void
    ) throws {
        let line = Line<Result>(count: count, room: max(1, threads))
        let group = DispatchGroup()
        let queue = DispatchQueue(label: "wafermark.corpus", attributes: .concurrent)
        for _ in 0..<min(max(1, threads), count) {
            queue.async(group: group) {
                while let piece = line.next() { line.put(Swift.Result { try work(piece) }, at: piece) }
            }
        }
        defer {
            line.stop()
            group.wait()
        }
        for piece in 0..<count { try take(piece, try line.take(piece).get()) }
    }

    /// The pieces that are given out and the results that wait.
    ///
    /// Sendable: everything that changes is read and written with the lock of `condition` held.
    private final class Line<Result: Sendable>: @unchecked Sendable {
        private let condition = NSCondition()
        private let count: Int
        private let room: Int
        private var given = 0
        private var taken = 0
        private var isStopped = false
        private var waiting: [Int: Swift.Result<Result, any Error>] = [:]

        init(count: Int, room: Int) {
            self.count = count
            self.room = room
        }

        /// The next piece to work on; nil where there is none. Waits while too many results wait: they are taken, or
        /// the line is stopped.
        func next() -> Int? {
            condition.lock()
            defer { condition.unlock() }
            while !isStopped, given < count, given >= taken + 2 * room { condition.wait() }
            guard !isStopped, given < count else { return nil }
            given += 1
            return given - 1
        }

        func put(_ result: Swift.Result<Result, any Error>, at piece: Int) {
            condition.lock()
            defer { condition.unlock() }
            waiting[piece] = result
            condition.broadcast()
        }

        /// The result of `piece`, which some thread works on or has worked on: work ends, so this does.
        func take(_ piece: Int) -> Swift.Result<Result, any Error> {
            condition.lock()
            defer { condition.unlock() }
            while true {
                if let result = waiting.removeValue(forKey: piece) {
                    taken = piece + 1
                    condition.broadcast()
                    return result
                }
                condition.wait()
            }
        }

        func stop() {
            condition.lock()
            isStopped = true
            condition.broadcast()
            condition.unlock()
        }
    }
}
