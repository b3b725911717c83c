import CZeroMQ

/// A connection that failed before its first message.
public struct HandshakeFailure: Hashable, Sendable, CustomStringConvertible {
    /// The address of this side's socket.
    public var address: String
    /// Whether it failed because of a key; else because of bytes that are no handshake, or none in time.
    public var isKeyRefused: Bool

    public var description: String {
        isKeyRefused
            ? "a key was refused at \(address)" : "a peer at \(address) did not speak ZeroMQ with the right keys"
    }
}

/// Tells of connections to a socket that fail before their first message. Belongs to the socket's thread.
final class HandshakeMonitor {
    private let receiver: UnsafeMutableRawPointer

    private static let events =
        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH

    /// Watches `socket` of `context`.
    init(of socket: borrowing Socket, in context: Context) throws(MessagingError) {
        let address = "inproc://handshakes-\(UInt(bitPattern: socket.handle))"
        guard zmq_socket_monitor(socket.handle, address, Int32(Self.events)) == 0,
            let receiver = zmq_socket(context.handle, ZMQ_PAIR)
        else { throw .call("zmq_socket_monitor", reason: MessagingError.reason()) }
        guard zmq_connect(receiver, address) == 0 else {
            let reason = MessagingError.reason()
            zmq_close(receiver)
            throw .call("zmq_connect(monitor)", reason: reason)
        }
        self.receiver = receiver
    }

    deinit { zmq_close(receiver) }

    /// What `zmq_poll` watches.
    var pollItem: zmq_pollitem_t { zmq_pollitem_t(socket: receiver, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0) }

    /// The next failure; nil where there is none.
    func next() -> HandshakeFailure? {
        var event = [UInt8](repeating: 0, count: 6)
        guard zmq_recv(receiver, &event, event.count, ZMQ_DONTWAIT) == event.count else { return nil }
        var address = [UInt8](repeating: 0, count: 256)
        let count = Int(zmq_recv(receiver, &address, address.count, ZMQ_DONTWAIT))
        let kind = Int32(event[0]) | Int32(event[1]) << 8
        return HandshakeFailure(
            address: String(decoding: address.prefix(max(0, min(count, address.count))), as: UTF8.self),
            isKeyRefused: kind == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
    }
}
