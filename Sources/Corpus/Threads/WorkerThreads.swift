import Foundation

/// Threads that work through numbered jobs, for work that blocks or takes long: none of it is on the cooperative pool.
enum WorkerThreads {
    /// Runs `body` for each of `jobs` numbers, on at most `threads` threads, and returns when all have ended. After an error
    /// no further job begins.
    ///
    /// - Throws: of the errors thrown, that of the lowest number.
    static func run(jobs: Int, threads: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
        try run(jobs: jobs, threads: threads, room: jobs, body) { _, _ in }
    }

    /// As `run`, for jobs with results: `take` is called with each, in the order of the jobs, on the calling thread. So the
    /// outcome doesn't depend on the number of threads; and no more than two results a thread wait to be taken.
    static func runInOrder<Result: Sendable>(
        jobs: Int, threads: Int, _ body: @escaping @Sendable (Int) throws -> Result,
        take: (Int, Result) throws -> Void
    ) throws {
        try run(jobs: jobs, threads: threads, room: 2 * max(1, threads), body, take: take)
    }

    private static func run<Result: Sendable>(
        jobs: Int, threads: Int, room: Int, _ body: @escaping @Sendable (Int) throws -> Result,
        take: (Int, Result) throws -> Void
    ) throws {
        let line = JobLine(count: jobs, room: room, body: body)
        let group = DispatchGroup()
        for _ in 0..<min(max(1, threads), jobs) {
            group.enter()
            let thread = Thread {
                while let job = line.next() { line.perform(job) }
                group.leave()
            }
            thread.stackSize = 4 << 20
            thread.start()
        }
        defer {
            line.stop()
            group.wait()
            // A thread lives on for a moment; what the jobs hold, such as the lock of a folder, must not.
            line.forgetBody()
        }
        for job in 0..<jobs { try take(job, try line.take(job).get()) }
    }
}

/// The jobs that are given out, in order, and the results that wait.
///
/// Sendable: everything that changes is read and written with the lock of `condition` held.
private final class JobLine<Result: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private let count: Int
    private let room: Int
    private var given = 0
    private var taken = 0
    private var isStopped = false
    private var waiting: [Int: Swift.Result<Result, any Error>] = [:]
    private var body: (@Sendable (Int) throws -> Result)?

    init(count: Int, room: Int, body: @escaping @Sendable (Int) throws -> Result) {
        self.count = count
        self.room = room
        self.body = body
    }

    /// The next job; nil where there is none. Waits while too many results wait, until they are taken or the line is
    /// stopped.
    func next() -> Int? {
        condition.lock()
        defer { condition.unlock() }
        while !isStopped, given < count, given >= taken + room { condition.wait() }
        guard !isStopped, given < count else { return nil }
        given += 1
        return given - 1
    }

    /// Does `job` and hands in what became of it.
    func perform(_ job: Int) {
        condition.lock()
        let body = body
        condition.unlock()
        if let body { put(Swift.Result { try body(job) }, of: job) }
    }

    /// Lets go of the body, once no job is under way.
    func forgetBody() {
        condition.lock()
        body = nil
        condition.unlock()
    }

    /// Hands in what became of `job`. After an error no job is given out: those before it are under way or done.
    private func put(_ result: Swift.Result<Result, any Error>, of job: Int) {
        condition.lock()
        defer { condition.unlock() }
        waiting[job] = result
        if case .failure = result { isStopped = true }
        condition.broadcast()
    }

    /// What became of `job`, for which a thread is at work or was: work ends, so this does.
    func take(_ job: Int) -> Swift.Result<Result, any Error> {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let result = waiting.removeValue(forKey: job) {
                taken = job + 1
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
