import CZeroMQ
import Foundation

/// A descriptor by which any thread wakes one that polls.
public final class WakeUp: Sendable {
    /// Readable after `signal`, until `clear`.
    public let descriptor: Int32

    /// - Throws: `MessagingError.call` where the system gives no descriptor.
    public init() throws(MessagingError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw .call("eventfd", reason: String(cString: strerror(errno))) }
    }

    deinit { close(descriptor) }

    /// Wakes the thread that polls.
    public func signal() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    /// Makes the descriptor unreadable again.
    public func clear() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
    }

    /// What `zmq_poll` watches.
    public var pollItem: zmq_pollitem_t {
        zmq_pollitem_t(socket: nil, fd: descriptor, events: Int16(ZMQ_POLLIN), revents: 0)
    }
}
