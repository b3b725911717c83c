#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How far the threads' backward passes have come, so that what all have finished can be joined and sent while they go on.
///
/// Each thread finishes the flat buffer's elements in ascending order. The thread that completes a stretch which all
/// others had completed before claims it, adds up the threads' parts and hands it on: no thread waits for another.
/// `@unchecked Sendable`: all mutable state is behind `lock`.
final class GradientProgress: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let total: Int
    private var done: [Int]
    private var claimed = 0
    /// Claimed stretches by their start, and whether they have been joined.
    private var joined: [Int: Int] = [:]
    private var joinedEnd = 0
    private var hasFailed = false

    /// - Parameters:
    ///   - threads: how many take part.
    ///   - total: elements of the flat buffer.
    init(threads: Int, total: Int) {
        done = Array(repeating: 0, count: threads)
        self.total = total
        pthread_mutex_init(lock, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_mutex_destroy(lock)
        pthread_cond_destroy(changed)
        lock.deallocate()
        changed.deallocate()
    }

    /// Takes note that `thread` has finished the elements below `end`.
    ///
    /// - Returns: the stretch that this thread must join now, if any; then it calls `finishJoin`.
    func advance(_ thread: Int, to end: Int) -> Range<Int>? {
        locked {
            done[thread] = end
            let common = done.min() ?? 0
            guard common > claimed else { return nil }
            defer { claimed = common }
            return claimed..<common
        }
    }

    /// Takes note that `range`, which `advance` returned, is the sum over the threads.
    func finishJoin(_ range: Range<Int>) {
        locked {
            joined[range.lowerBound] = range.upperBound
            while let end = joined.removeValue(forKey: joinedEnd) { joinedEnd = end }
            pthread_cond_broadcast(changed)
        }
    }

    /// Elements below which everything is the sum over the threads.
    var joinedPrefix: Int { locked { joinedEnd } }

    /// Waits until more than `known` elements are joined, and returns how many; nil once a thread has failed.
    ///
    /// Ends: every thread of the crew either advances to the end or fails.
    func waitForMore(than known: Int) -> Int? {
        locked {
            while joinedEnd <= known, joinedEnd < total, !hasFailed { pthread_cond_wait(changed, lock) }
            return hasFailed ? nil : joinedEnd
        }
    }

    /// Lets whoever waits go.
    func fail() {
        locked {
            hasFailed = true
            pthread_cond_broadcast(changed)
        }
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return body()
    }
}
