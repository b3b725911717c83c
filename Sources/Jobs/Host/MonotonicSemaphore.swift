import Dispatch

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A counting semaphore whose waits end by the monotonic clock.
///
/// On Linux those of `DispatchSemaphore` end by the wall clock (libdispatch hands `sem_timedwait` a time of day): a clock
/// that is set forth ends them at once, one that is set back makes them longer.
package final class MonotonicSemaphore: @unchecked Sendable {
    // Sendable: `count` is touched with `mutex` held alone; mutex and condition lie in memory of their own, which doesn't
    // move and is given back with the last reference, when nobody waits any more.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var count: Int

    /// A semaphore that so many may pass.
    package init(value: Int) {
        count = value
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        #if canImport(Glibc)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        #endif
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Lets one pass.
    package func signal() {
        pthread_mutex_lock(mutex)
        count += 1
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Waits until it may pass.
    package func wait() {
        pthread_mutex_lock(mutex)
        while count == 0 { pthread_cond_wait(condition, mutex) }
        count -= 1
        pthread_mutex_unlock(mutex)
    }

    /// Waits until it may pass, at most until `end`.
    package func wait(timeout end: DispatchTime) -> DispatchTimeoutResult {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while count == 0 {
            let isWoken = waitOnce(until: end)
            // Woken without a reason, it waits on.
            if count == 0, !isWoken { return .timedOut }
        }
        count -= 1
        return .success
    }

    /// Waits for a signal; false once `end` has come.
    private func waitOnce(until end: DispatchTime) -> Bool {
        // A century is for ever, and no overflow.
        let limit: UInt64 = 3_153_600_000
        #if canImport(Glibc)
            let nanoseconds = end.uptimeNanoseconds
            var moment = timespec(
                tv_sec: Int(min(nanoseconds / 1_000_000_000, limit)), tv_nsec: Int(nanoseconds % 1_000_000_000))
            return pthread_cond_timedwait(condition, mutex, &moment) != ETIMEDOUT
        #else
            let now = DispatchTime.now().uptimeNanoseconds
            let left = end.uptimeNanoseconds > now ? end.uptimeNanoseconds - now : 0
            var span = timespec(
                tv_sec: Int(min(left / 1_000_000_000, limit)), tv_nsec: Int(left % 1_000_000_000))
            return pthread_cond_timedwait_relative_np(condition, mutex, &span) != ETIMEDOUT
        #endif
    }
}
