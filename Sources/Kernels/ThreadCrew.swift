import Glibc
import Synchronization

/// A fixed crew of threads, started once, that run the same body side by side.
///
/// Thread 0 is the caller's. Each holds oneDNN to one thread. A crew runs one body at a time; `run` may be called from any
/// thread, but not from within a body. `@unchecked Sendable`: all mutable state is behind `lock`.
public final class ThreadCrew: @unchecked Sendable {
    /// Number of threads, the caller's included.
    public let count: Int

    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let turn = Mutex(())
    private var threads: [pthread_t] = []
    private var body: (@Sendable (Int) throws -> Void)?
    private var generation = 0
    private var running = 0
    private var isEnding = false
    private var firstError: (index: Int, error: any Error)?

    /// Starts `count - 1` threads.
    public init(count: Int) {
        precondition(count > 0, "a crew of \(count) threads")
        self.count = count
        pthread_mutex_init(lock, nil)
        pthread_cond_init(changed, nil)
        for index in 1..<max(count, 1) {
            let start = Unmanaged.passRetained(CrewMember(crew: Unmanaged.passUnretained(self), index: index))
            var thread = pthread_t()
            let status = pthread_create(
                &thread, nil,
                { argument in
                    guard let argument else { return nil }
                    let member = Unmanaged<CrewMember>.fromOpaque(argument).takeRetainedValue()
                    // The crew outlives its threads: deinit joins them.
                    member.crew._withUnsafeGuaranteedRef { $0.work(member.index) }
                    return nil
                }, start.toOpaque())
            precondition(status == 0, "could not start thread \(index) of a crew: \(String(cString: strerror(status)))")
            threads.append(thread)
        }
    }

    deinit {
        pthread_mutex_lock(lock)
        isEnding = true
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(lock)
        for thread in threads { pthread_join(thread, nil) }
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(lock)
        changed.deallocate()
        lock.deallocate()
    }

    /// Runs `body` on every thread and returns when all have ended; throws the error of the lowest index that threw.
    public func run(_ body: @Sendable (_ index: Int) throws -> Void) throws {
        try turn.withLock { _ in
            try withoutActuallyEscaping(body) { body in
                pthread_mutex_lock(lock)
                self.body = body
                generation += 1
                running = count - 1
                firstError = nil
                pthread_cond_broadcast(changed)
                pthread_mutex_unlock(lock)

                KernelLibrary.useOneThreadPerLane()
                do { try body(0) } catch { record(error, of: 0) }

                pthread_mutex_lock(lock)
                while running > 0 { pthread_cond_wait(changed, lock) }
                self.body = nil
                let failure = firstError
                firstError = nil
                pthread_mutex_unlock(lock)
                if let failure { throw failure.error }
            }
        }
    }

    private func record(_ error: any Error, of index: Int) {
        pthread_mutex_lock(lock)
        if firstError.map({ index < $0.index }) ?? true { firstError = (index, error) }
        pthread_mutex_unlock(lock)
    }

    // A function of its own, so that the thread has let go of the body before it says that it has ended: the body must
    // not escape `run`.
    @inline(never)
    private func perform(_ index: Int) {
        pthread_mutex_lock(lock)
        let body = self.body
        pthread_mutex_unlock(lock)
        do { try body?(index) } catch { record(error, of: index) }
    }

    private func work(_ index: Int) {
        KernelLibrary.useOneThreadPerLane()
        var done = 0
        while true {
            pthread_mutex_lock(lock)
            while generation == done && !isEnding { pthread_cond_wait(changed, lock) }
            if isEnding {
                pthread_mutex_unlock(lock)
                return
            }
            done = generation
            pthread_mutex_unlock(lock)

            perform(index)

            pthread_mutex_lock(lock)
            running -= 1
            if running == 0 { pthread_cond_broadcast(changed) }
            pthread_mutex_unlock(lock)
        }
    }
}

private final class CrewMember {
    let crew: Unmanaged<ThreadCrew>
    let index: Int

    init(crew: Unmanaged<ThreadCrew>, index: Int) {
        self.crew = crew
        self.index = index
    }
}
