import CZeroMQ
import Foundation

/// A descriptor that wakes a thread that polls at a moment of the monotonic clock, to the precision of the kernel's timers:
/// `zmq_poll` by itself waits whole milliseconds.
public final class Alarm {
    private let descriptor: Int32

    /// An alarm that is not set.
    ///
    /// - Throws: `MessagingError.call` where the system gives no descriptor.
    public init() throws(MessagingError) {
        descriptor = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK | TFD_CLOEXEC))
        guard descriptor >= 0 else { throw .call("timerfd_create", reason: String(cString: strerror(errno))) }
    }

    deinit { close(descriptor) }

    /// Makes the descriptor readable from the moment `nanoseconds` of `CLOCK_MONOTONIC` on, at once where that is past;
    /// never where it is nil.
    public func set(atNanoseconds nanoseconds: UInt64?) {
        var time = itimerspec()
        if let nanoseconds {
            // All zeros would mean never.
            let nanoseconds = max(1, nanoseconds)
            time.it_value.tv_sec = Int(nanoseconds / 1_000_000_000)
            time.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
        }
        timerfd_settime(descriptor, Int32(TFD_TIMER_ABSTIME), &time, nil)
    }

    /// What `zmq_poll` watches.
    public var pollItem: zmq_pollitem_t {
        zmq_pollitem_t(socket: nil, fd: descriptor, events: Int16(ZMQ_POLLIN), revents: 0)
    }
}
