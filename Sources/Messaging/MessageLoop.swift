import CZeroMQ
import Foundation
import Synchronization

/// A socket on a thread of its own, for control traffic. Any thread may send; what arrives goes to one handler, on the
/// loop's thread. Nothing here blocks Swift's cooperative pool.
public final class MessageLoop: Sendable {
    /// How a loop's socket is made.
    public struct Setup: Sendable {
        /// The socket.
        public var kind: Socket.Kind
        public var options: Socket.Options
        /// Where it listens, and what it connects to.
        public var bind: [Endpoint]
        public var connect: [Endpoint]
        /// Where it listens with CURVE, as `keys`.
        public var secured: [Endpoint] = []
        public var keys: CurveKeyPair?
        /// The keys of both ends of what it connects to; nil for none.
        public var client: CurveClient?
        /// Told, on the loop's thread, of connections that fail before their first message.
        public var failed: (@Sendable (HandshakeFailure) -> Void)?

        /// A socket of `kind`.
        public init(
            _ kind: Socket.Kind, options: Socket.Options = Socket.Options(), bind: [Endpoint] = [],
            connect: [Endpoint] = []
        ) {
            self.kind = kind
            self.options = options
            self.bind = bind
            self.connect = connect
        }
    }

    /// The addresses at which the socket listens, with real port numbers.
    public let endpoints: [Endpoint]
    private let mailbox: Mailbox
    private let ended: DispatchSemaphore

    /// Starts the loop.
    ///
    /// - Parameters:
    ///   - name: the thread's name, for debuggers.
    ///   - undeliverable: called with every message whose peer is unknown or takes no more, on the loop's thread.
    ///   - handler: called with every message, on the loop's thread; it must not block.
    /// - Throws: `MessagingError` where the socket can't be made, bound or connected.
    public convenience init(
        _ name: String, _ setup: Setup, in context: Context,
        undeliverable: @escaping @Sendable ([[UInt8]]) -> Void = { _ in },
        handler: @escaping @Sendable ([[UInt8]]) -> Void
    ) throws {
        try self.init(name, setup, in: context, undeliverable: undeliverable, receiver: { handler($0.frames) })
    }

    /// Starts the loop; as above, with a handler that learns whose key a message came by.
    public init(
        _ name: String, _ setup: Setup, in context: Context,
        undeliverable: @escaping @Sendable ([[UInt8]]) -> Void = { _ in },
        receiver: @escaping @Sendable (Socket.Received) -> Void
    ) throws {
        let mailbox = try Mailbox()
        let ended = DispatchSemaphore(value: 0)
        let start = StartSignal()
        let thread = Thread {
            defer { ended.signal() }
            do throws(MessagingError) {
                let socket = try Socket(setup.kind, in: context, options: setup.options)
                var bound: [Endpoint] = []
                let monitor: HandshakeMonitor? =
                    setup.failed == nil ? nil : try HandshakeMonitor(of: socket, in: context)
                for endpoint in setup.bind { bound.append(try socket.bind(to: endpoint)) }
                for endpoint in setup.secured { bound.append(try socket.bind(to: endpoint, as: setup.keys)) }
                for endpoint in setup.connect { try socket.connect(to: endpoint, with: setup.client) }
                start.send(.success(bound))
                Self.run(socket, mailbox, monitor, setup.failed, receiver: receiver, undeliverable: undeliverable)
            } catch {
                start.send(.failure(error))
            }
        }
        thread.name = name
        thread.stackSize = 1 << 20
        thread.start()
        endpoints = try start.wait().get()
        self.mailbox = mailbox
        self.ended = ended
    }

    /// Sends a message; on a router its first frame is the peer's routing id.
    public func send(_ frames: [[UInt8]]) { mailbox.post(frames) }

    /// Sends what waits, closes the socket and ends the thread. Returns when that is done.
    public func close() {
        mailbox.close()
        ended.wait()
        ended.signal()
    }

    deinit { mailbox.close() }

    private static func run(
        _ socket: borrowing Socket, _ mailbox: Mailbox, _ monitor: HandshakeMonitor?,
        _ failed: ((HandshakeFailure) -> Void)?, receiver: (Socket.Received) -> Void, undeliverable: ([[UInt8]]) -> Void
    ) {
        var items = [socket.pollItem, mailbox.wakeUp.pollItem]
        if let monitor { items.append(monitor.pollItem) }
        while true {
            guard zmq_poll(&items, Int32(items.count), -1) >= 0 || zmq_errno() == EINTR else { return }
            do {
                // A message of too many frames comes back empty and is nobody's.
                while let message = try socket.receiveMessage() {
                    if !message.frames.isEmpty { receiver(message) }
                }
            } catch {
                return
            }
            while let failure = monitor?.next() { failed?(failure) }
            let content = mailbox.take()
            for message in content.messages where !socket.send(message) { undeliverable(message) }
            if content.isClosing { return }
        }
    }
}

/// Tells the thread that starts a loop how that went.
private final class StartSignal: Sendable {
    private let result = Mutex<Result<[Endpoint], MessagingError>?>(nil)
    private let semaphore = DispatchSemaphore(value: 0)

    func send(_ result: Result<[Endpoint], MessagingError>) {
        self.result.withLock { $0 = result }
        semaphore.signal()
    }

    func wait() -> Result<[Endpoint], MessagingError> {
        semaphore.wait()
        return result.withLock { $0 } ?? .failure(.call("thread", reason: "it ended without a word"))
    }
}
